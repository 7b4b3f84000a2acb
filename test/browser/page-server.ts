import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

/** What a request to the API gets: anything for JSON, `{ text }` for JSON that is written already, undefined for 404, or a function that answers by itself. */
export type Answers = (request: { method: string; path: string; query: URLSearchParams; body: string }) => unknown;

export interface PageServer {
  readonly url: string;
  /** Sends an event to every page that listens. */
  send(event: string, data: unknown): void;
  close(): Promise<void>;
}

function isText(answer: unknown): answer is { text: string } {
  return typeof (answer as { text?: unknown } | undefined)?.text === 'string';
}

/** As docs/design/console.md has it: the strictest policy that the real console sends. */
const POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; worker-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** Serves the built page from its folder, and answers to its questions that a test chooses. */
export async function startPageServer(folder: string, answers: Answers): Promise<PageServer> {
  const files = new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [`/${path.relative(folder, file)}`, readFileSync(file)]),
  );
  const listeners = new Set<ServerResponse>();
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://page');
    response.setHeader('content-security-policy', POLICY);
    if (url.pathname === '/api/console/events') {
      listeners.add(response.writeHead(200, { 'content-type': 'text/event-stream' }));
      response.on('close', () => listeners.delete(response));
      const hello = answers({ method: 'GET', path: 'health', query: url.searchParams, body: '' });
      response.write(`event: hello\ndata: ${JSON.stringify(hello)}\n\n`);
      return;
    }
    if (url.pathname.startsWith('/api/console/')) {
      const body = (await request.toArray()).join('');
      const answer = answers({
        method: request.method ?? 'GET',
        path: decodeURIComponent(url.pathname.slice(13)),
        query: url.searchParams,
        body,
      });
      const isProblem = answer === undefined || (answer as { error?: unknown }).error !== undefined;
      response.writeHead(answer === undefined ? 404 : isProblem ? 400 : 200, { 'content-type': 'application/json' });
      response.end(
        isText(answer)
          ? answer.text
          : JSON.stringify(answer ?? { error: { code: 'NOT_FOUND', message: 'There is no such thing.' } }),
      );
      return;
    }
    const name = url.pathname === '/' ? '/index.html' : url.pathname;
    const file = files.get(name);
    response
      .writeHead(file === undefined ? 404 : 200, { 'content-type': TYPES[path.extname(name)] ?? 'text/plain' })
      .end(file);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    send: (event, data) => {
      for (const response of listeners) response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
