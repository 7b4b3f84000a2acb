import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A real HTTP receiver on a free port of this machine. */
export class Receiver {
  readonly received: Received[] = [];
  /** How to answer the next requests; 'never' leaves them open. When empty: 200. */
  answers: (Answer | 'never')[] = [];
  private readonly server: http.Server;

  constructor() {
    this.server = http.createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { url: path = '', headers } = request;
        this.received.push({ path, headers, body: Buffer.concat(parts).toString() });
        const answer = this.answers.shift() ?? { status: 200 };
        if (answer !== 'never') response.writeHead(answer.status, answer.headers).end();
      });
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
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
