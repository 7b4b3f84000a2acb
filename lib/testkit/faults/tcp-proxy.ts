import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { ConnectionPair, type ProxiedConnection } from './connection-pair.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What passes through one connection may be looked at, changed or lost; a new one is made for each connection. */
export interface Interceptor {
  /** @returns what is sent on instead, possibly nothing; may wait; may cut the connection. */
  fromClient(chunk: Buffer, connection: ProxiedConnection): Promise<Buffer | undefined>;
  fromServer(chunk: Buffer, connection: ProxiedConnection): Promise<Buffer | undefined>;
}

/**
 * A TCP proxy on 127.0.0.1 that breaks connections on request: what a network between a service and its server does
 * when it is slow, cut, half-open or led elsewhere. Settings may change at any moment and hold for what comes after.
 */
export class TcpProxy {
  /** Milliseconds that each chunk of bytes waits, in both directions. */
  latencyMs = 0;
  /** Most bytes per second of each connection and direction. */
  bytesPerSecond = Number.POSITIVE_INFINITY;
  /** Connections that have been taken so far, refused ones left out. */
  connectionsTotal = 0;
  /** Connections that this proxy has reset or refused. */
  cutTotal = 0;
  private readonly server: Server;
  private readonly connections = new Set<ConnectionPair>();
  private readonly intercept: () => Interceptor | undefined;
  private upstream: Endpoint;
  private refusing = false;
  private stalled: { readonly over: Promise<void>; readonly end: () => void } | undefined;
  private cutBudget = Number.POSITIVE_INFINITY;

  private constructor(upstream: Endpoint, intercept: () => Interceptor | undefined) {
    this.upstream = upstream;
    this.intercept = intercept;
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.take(client));
  }

  static async open(upstream: Endpoint, intercept: () => Interceptor | undefined = () => undefined): Promise<TcpProxy> {
    const proxy = new TcpProxy(upstream, intercept);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Connections open now. */
  get open(): number {
    return this.connections.size;
  }

  /** Resets every connection; new ones are taken. @returns how many there were. */
  cutAll(): number {
    const cut = this.connections.size;
    for (const connection of this.connections) connection.cut();
    return cut;
  }

  /** Resets every connection, and each new one as soon as it comes, until `accept`. */
  refuse(): void {
    this.refusing = true;
    this.cutAll();
  }

  accept(): void {
    this.refusing = false;
  }

  /** Half-open: connections stay up and new ones are taken, but no byte passes, until `resume`. */
  stall(): void {
    if (this.stalled !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.stalled = { over: promise, end: resolve };
  }

  resume(): void {
    this.stalled?.end();
    this.stalled = undefined;
  }

  /** The connection over which the `bytes`-th byte from now on comes, in either direction, is reset at that byte. Once. */
  cutAfterBytes(bytes: number): void {
    this.cutBudget = bytes;
  }

  /** Leads new connections elsewhere, as a fail-over does, and resets the old ones. */
  pointTo(upstream: Endpoint): void {
    this.upstream = upstream;
    this.cutAll();
  }

  /** Ends everything; the proxy cannot be used again. */
  async close(): Promise<void> {
    this.resume();
    const closed = once(this.server, 'close');
    this.server.close();
    this.cutAll();
    await closed;
  }

  private take(client: Socket): void {
    client.on('error', () => {});
    if (this.refusing) {
      this.cutTotal++;
      client.resetAndDestroy();
      return;
    }
    this.connectionsTotal++;
    const server = connect({ ...this.upstream, allowHalfOpen: true, noDelay: true });
    const connection = new ConnectionPair(client, server, (byUs) => {
      this.connections.delete(connection);
      if (byUs) this.cutTotal++;
    });
    this.connections.add(connection);
    const interceptor = this.intercept();
    void this.pump(connection, client, server, interceptor?.fromClient.bind(interceptor));
    void this.pump(connection, server, client, interceptor?.fromServer.bind(interceptor));
  }

  private async pump(
    connection: ConnectionPair,
    from: Socket,
    to: Socket,
    intercept: Interceptor['fromClient'] | undefined,
  ): Promise<void> {
    try {
      // A side that has said its last word may still be answered, so its socket stays.
      for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        await this.delay(chunk.length);
        const allowed = this.takeFromBudget(chunk);
        const passed = intercept === undefined ? allowed : await intercept(allowed, connection);
        if (connection.isCut) return;
        if (passed !== undefined && passed.length > 0) await write(to, passed);
        if (allowed.length < chunk.length) return connection.cut();
      }
      to.end();
    } catch {
      // One side has gone the hard way: so does the other.
      connection.cut(false);
    }
  }

  private async delay(bytes: number): Promise<void> {
    const ms = this.latencyMs + (bytes / this.bytesPerSecond) * 1000;
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    await this.stalled?.over;
  }

  private takeFromBudget(chunk: Buffer): Buffer {
    if (chunk.length < this.cutBudget) {
      this.cutBudget -= chunk.length;
      return chunk;
    }
    const allowed = chunk.subarray(0, this.cutBudget);
    this.cutBudget = Number.POSITIVE_INFINITY;
    return allowed;
  }
}

async function write(to: Socket, bytes: Buffer): Promise<void> {
  if (!to.writable) throw new Error('the other side is gone');
  if (!to.write(bytes)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
}
