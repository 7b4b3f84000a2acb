import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What happens to a request that a rule catches. */
export type HttpFault =
  /** Answered by the proxy; the server never sees it. `code` is the S3 error code. */
  | { readonly status: number; readonly code: string }
  /** The connection is reset before the request gets anywhere. */
  | 'reset'
  /** The server carries it out; its answer is lost with the connection. */
  | 'lose-answer'
  /** The server carries it out; the answer never comes, until the client gives up. */
  | 'withhold-answer'
  /** Half of the answer's body, then a reset. */
  | 'truncate-answer'
  /** An answer of 412 becomes 200, which is what a store that ignores If-None-Match says. */
  | 'ignore-condition'
  /** Passed on after so many milliseconds. */
  | { readonly delayMs: number };

export interface HttpRule {
  /** Default: any. */
  readonly method?: string;
  /** Matched against the path and query as sent; default: any. */
  readonly path?: RegExp;
  readonly fault: HttpFault;
  /** Catches the nth request that matches and those after it, from 1. */
  readonly from?: number;
  /** Catches this many, then none; default: all until it is removed. */
  readonly times?: number;
  /** Catches only a part of those that match, 0 to 1, drawn by `draw`. */
  readonly share?: number;
}

export interface ArmedHttpRule {
  readonly hits: number;
  remove(): void;
}

/**
 * An HTTP proxy in front of an object store. Requests are passed on as they came, the Host header with them, so that
 * their signatures stay valid; those that a rule catches meet its fault.
 */
export class HttpProxy {
  private readonly server: Server;
  private readonly upstream: URL;
  private readonly draw: () => number;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly rules: Rule[] = [];

  private constructor(upstream: URL, draw: () => number) {
    this.upstream = upstream;
    this.draw = draw;
    this.server = createServer((incoming, response) => void this.serve(incoming, response));
    this.server.requestTimeout = 0;
  }

  /** @param draw chooses for rules with a `share`, uniformly from 0 to 1. */
  static async open(upstream: string, draw: () => number = Math.random): Promise<HttpProxy> {
    const proxy = new HttpProxy(new URL(upstream), draw);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  arm(rule: HttpRule): ArmedHttpRule {
    const armed = new Rule(rule);
    this.rules.push(armed);
    return {
      get hits() {
        return armed.hits;
      },
      remove: () => {
        armed.left = 0;
      },
    };
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    this.agent.destroy();
    await closed;
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    incoming.on('error', () => {});
    response.on('error', () => {});
    const fault = this.faultOf(incoming);
    if (fault === 'reset') return void incoming.socket.resetAndDestroy();
    if (typeof fault === 'object' && 'status' in fault) return refuse(incoming, response, fault);
    if (typeof fault === 'object') await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    const answer = await this.passOn(incoming).catch(() => undefined);
    if (answer === undefined) return void incoming.socket.resetAndDestroy();
    if (fault === 'lose-answer' || fault === 'withhold-answer') {
      await drain(answer);
      if (fault === 'lose-answer') incoming.socket.resetAndDestroy();
      return;
    }
    if (fault === 'ignore-condition' && answer.statusCode === 412) {
      await drain(answer);
      response.writeHead(200, { etag: '"0"', 'content-length': '0' }).end();
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    if (fault === 'truncate-answer') {
      const body = Buffer.concat(await answer.toArray());
      response.write(body.subarray(0, body.length >> 1), () => incoming.socket.resetAndDestroy());
      return;
    }
    answer.on('error', () => incoming.socket.resetAndDestroy());
    answer.pipe(response);
  }

  private passOn(incoming: IncomingMessage): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = request({
        hostname: this.upstream.hostname,
        port: this.upstream.port,
        method: incoming.method ?? 'GET',
        path: incoming.url ?? '/',
        headers: withoutHops(incoming.rawHeaders),
        agent: this.agent,
      });
      outgoing.once('response', resolve);
      outgoing.once('error', reject);
      incoming.once('close', () => {
        if (!incoming.complete) outgoing.destroy();
      });
      incoming.pipe(outgoing);
    });
  }

  private faultOf({ method, url }: IncomingMessage): HttpFault | undefined {
    return this.rules.find((rule) => rule.catches(method ?? '', url ?? '', this.draw))?.fault;
  }
}

class Rule {
  readonly fault: HttpFault;
  left: number;
  hits = 0;
  private readonly rule: HttpRule;
  private matched = 0;

  constructor(rule: HttpRule) {
    this.rule = rule;
    this.fault = rule.fault;
    this.left = rule.times ?? Number.POSITIVE_INFINITY;
  }

  catches(method: string, path: string, draw: () => number): boolean {
    const { rule } = this;
    if (this.left <= 0 || (rule.method !== undefined && rule.method !== method)) return false;
    if (rule.path !== undefined && !rule.path.test(path)) return false;
    if (++this.matched < (rule.from ?? 1)) return false;
    if (rule.share !== undefined && draw() >= rule.share) return false;
    this.left--;
    this.hits++;
    return true;
  }
}

/** As S3 says it, so that its clients tell the kinds of failure apart. */
function refuse(
  incoming: IncomingMessage,
  response: ServerResponse,
  { status, code }: { status: number; code: string },
): void {
  incoming.resume();
  incoming.once('end', () => {
    const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>by the fault proxy</Message></Error>`;
    response.writeHead(status, { 'content-type': 'application/xml', 'content-length': String(body.length) });
    response.end(incoming.method === 'HEAD' ? undefined : body);
  });
}

/** Name and value in turn. The connection is ours, and a body that has come needs no leave to be sent. */
function withoutHops(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!HOP_HEADERS.has((rawHeaders[i] as string).toLowerCase())) kept.push(...rawHeaders.slice(i, i + 2));
  }
  return kept;
}

async function drain(answer: IncomingMessage): Promise<void> {
  answer.resume();
  if (!answer.complete) await Promise.race([once(answer, 'end'), once(answer, 'close')]).catch(() => {});
}

const HOP_HEADERS = new Set(['connection', 'keep-alive', 'expect']);
