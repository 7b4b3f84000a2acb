import type { Socket } from 'node:net';

export interface ProxiedConnection {
  /** Sends these bytes to the server before anything else, and resolves when they have left this process. */
  sendToServer(bytes: Buffer): Promise<void>;
  /** Ends both sides with a reset, as a crashed host or a firewall would. */
  cut(): void;
  readonly isCut: boolean;
}

/** The two sockets of one proxied connection: when one goes, the other goes in the same manner. */
export class ConnectionPair implements ProxiedConnection {
  isCut = false;
  private readonly client: Socket;
  private readonly server: Socket;
  private readonly onGone: (byUs: boolean) => void;

  constructor(client: Socket, server: Socket, onGone: (byUs: boolean) => void) {
    this.client = client;
    this.server = server;
    this.onGone = onGone;
    server.on('error', () => this.cut(false));
    client.once('close', () => this.gone(server));
    server.once('close', () => this.gone(client));
  }

  async sendToServer(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) =>
      this.server.write(bytes, (error) => (error ? reject(error) : resolve())),
    );
  }

  cut(byUs = true): void {
    if (this.isCut) return;
    this.isCut = true;
    this.onGone(byUs);
    reset(this.client);
    reset(this.server);
  }

  private gone(other: Socket): void {
    if (this.isCut) return;
    if (other.destroyed) {
      this.isCut = true;
      this.onGone(false);
    } else if (other.writableFinished || other.writableEnded) other.destroySoon();
    else this.cut(false);
  }
}

/** Node cannot reset a socket whose last bytes are still on their way: it would keep it open for ever. */
function reset(socket: Socket): void {
  if (socket.writableEnded || socket.writableLength > 0) socket.destroy();
  else socket.resetAndDestroy();
}
