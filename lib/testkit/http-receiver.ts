import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  /** The body as it came, and as text. */
  readonly bytes: Buffer;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A real HTTP receiver on a free port of this machine. */
export class Receiver {
  readonly received: Received[] = [];
  /** How to answer the next requests; 'never' leaves them open. When empty: 200. */
  answers: (Answer | 'never')[] = [];
  /** How to answer what `answers` says nothing of. */
  answer: (received: Received) => Answer | 'never' = () => ({ status: 200 });
  private readonly server: http.Server;
  private readonly scheme: 'http' | 'https';

  /** @param tls a certificate and its key: it speaks HTTPS. */
  constructor(tls?: { readonly cert: string; readonly key: string }) {
    this.scheme = tls === undefined ? 'http' : 'https';
    const listener: http.RequestListener = (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { url: path = '', headers } = request;
        const bytes = Buffer.concat(parts);
        const received = { path, headers, bytes, body: bytes.toString() };
        this.received.push(received);
        const answer = this.answers.shift() ?? this.answer(received);
        if (answer !== 'never') response.writeHead(answer.status, answer.headers).end(answer.body);
      });
    };
    this.server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  }

  /** @param port 0: a free one. */
  async start(port = 0): Promise<this> {
    await new Promise<void>((done) => this.server.listen(port, '127.0.0.1', done));
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.port}`;
  }

  /** Bodies as JSON. */
  bodies(): unknown[] {
    return this.received.map(({ body }) => JSON.parse(body));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
