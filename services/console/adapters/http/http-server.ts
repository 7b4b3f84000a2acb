import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { SpanloomError } from '../../../../lib/errors/spanloom-error.ts';
import { admit, type GuardSettings } from '../../core/http/guard.ts';
import type { Refusal } from '../../core/http/params.ts';
import { type Answer, type Route, Router, readRequest } from './router.ts';
import type { StaticPage } from './static-page.ts';

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly guard: GuardSettings;
  readonly tokenIsRight: (token: string) => boolean;
  readonly routes: readonly Route[];
  readonly page: StaticPage;
  readonly onAnswer: (route: string, status: number, seconds: number) => void;
  readonly onFailure: (route: string, error: unknown) => void;
}

export interface HttpServer {
  /** `http://host:port`, without a slash behind it. */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws SpanloomError CONSOLE_PORT_TAKEN when it cannot listen there. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const handler = new Handler(options);
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX }, (request, response) => {
    handler.handle(request, response);
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const sentence = `${options.host}:${options.port} cannot be listened on; set CONSOLE_PORT to another port, or to 0 for a free one`;
      reject(new SpanloomError('CONSOLE_PORT_TAKEN', sentence, { cause }));
    });
    server.listen(options.port, options.host, resolve);
  });
  const { address, family, port } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

class Handler {
  private readonly options: HttpServerOptions;
  private readonly router: Router;

  constructor(options: HttpServerOptions) {
    this.options = options;
    this.router = new Router(options.routes);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedMs = performance.now();
    const found = this.find(request);
    const name = 'route' in found ? found.route.path : found.name;
    try {
      const answer = await this.answer(request, found);
      const refused = 'route' in found ? found.route.refused : undefined;
      const status = await send(request, response, answer, refused);
      this.options.onAnswer(name, status, (performance.now() - startedMs) / 1000);
    } catch (error) {
      this.options.onFailure(name, error);
      this.options.onAnswer(name, 500, (performance.now() - startedMs) / 1000);
      if (response.headersSent) response.destroy();
      else await send(request, response, { status: 500, json: { error: FAILED } }, undefined).catch(() => {});
    }
  }

  private find(request: IncomingMessage): Found {
    const url = URL.parse(request.url ?? '/', 'http://console');
    if (url === null) return { name: 'none', allow: [], pathname: '' };
    const found = this.router.find(request.method ?? '', url.pathname);
    if ('route' in found) return { ...found, query: url.searchParams };
    const isApi = url.pathname === '/api' || url.pathname.startsWith('/api/');
    return { name: isApi ? 'none' : 'page', allow: found.allow, pathname: url.pathname };
  }

  private async answer(request: IncomingMessage, found: Found): Promise<Answer> {
    const { options } = this;
    const admission = admit(
      { method: request.method ?? '', headers: request.headers, hasRightToken: this.hasRightToken(request) },
      options.guard,
      // The page asks for the token itself; nothing of it is secret.
      'route' in found ? found.route.needsLogin : found.name !== 'page',
    );
    if (!admission.ok) return { refusal: admission.refusal };
    if (!('route' in found)) return this.withoutRoute(request, found);
    const read = readRequest(found.route, found.path, found.query);
    if (!read.ok) return { refusal: read.refusal };
    const body = found.route.method === 'GET' ? undefined : await readJson(request);
    if (body !== undefined && 'refusal' in body) return body;
    return found.route.answer({
      params: read.values,
      path: found.path,
      body: body?.json,
      user: admission.user,
    });
  }

  private withoutRoute(request: IncomingMessage, { name, allow, pathname }: NoRoute): Answer {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (allow.length > 0 || !isRead)
      return { refusal: refusal(405, 'METHOD', `Only ${allow.join(', ') || 'GET'} here.`) };
    if (name === 'page') return this.options.page.get(pathname);
    return {
      refusal: refusal(404, 'NO_SUCH_ROUTE', 'There is no such route; /api/console/openapi.yaml has ours.'),
    };
  }

  /** By header or cookie. */
  private hasRightToken(request: IncomingMessage): boolean {
    const { guard, tokenIsRight } = this.options;
    if (!guard.hasToken) return false;
    const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const cookie = /(?:^|;\s*)spanloom_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
    const given = [bearer, cookie === undefined ? undefined : safeDecode(cookie)];
    return given.some((token) => token !== undefined && tokenIsRight(token));
  }
}

type Found =
  | { readonly route: Route; readonly path: Record<string, string>; readonly query: URLSearchParams }
  | NoRoute;

interface NoRoute {
  readonly name: 'none' | 'page';
  readonly allow: readonly string[];
  readonly pathname: string;
}

async function readJson(request: IncomingMessage): Promise<{ json: unknown } | { refusal: Refusal }> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    return { refusal: refusal(415, 'NOT_JSON', 'The body must be application/json.') };
  }
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX)
      return { refusal: refusal(413, 'TOO_LARGE', `A body has at most ${BODY_BYTES_MAX} bytes.`) };
    parts.push(part);
  }
  try {
    return { json: JSON.parse(Buffer.concat(parts).toString()) };
  } catch {
    return { refusal: { ...refusal(400, 'BAD_BODY', 'The body is no JSON.'), field: 'body' } };
  }
}

/** @returns the status. */
async function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  refused: Route['refused'],
): Promise<number> {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  if ('stream' in answer) {
    answer.stream(request, response);
    return 200;
  }
  if ('headers' in answer) {
    response.writeHead(answer.status, answer.headers).end();
    return answer.status;
  }
  const { status, body, type, cache } = reply(answer, refused);
  const accepts = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const isPacked = accepts && bytes.length > GZIP_BYTES_MIN && !/^(image|font)\//.test(type);
  const sent = isPacked ? await pack(bytes, { level: 1 }) : bytes;
  response.writeHead(status, {
    'content-type': type,
    'content-length': sent.length,
    'cache-control': cache ?? 'no-store',
    vary: 'accept-encoding',
    ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
    ...(status === 401 ? { 'www-authenticate': 'Bearer realm="spanloom"' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : sent);
  return status;
}

function reply(
  answer: Exclude<Answer, { stream: unknown } | { headers: unknown }>,
  refused: Route['refused'],
): { status: number; body: Buffer | string; type: string; cache?: string } {
  if ('body' in answer) return { status: 200, ...answer };
  if ('refusal' in answer) {
    const { status, ...error } = answer.refusal;
    return { status, body: JSON.stringify(refused?.(answer.refusal) ?? { error }), type: JSON_TYPE };
  }
  return { status: 'status' in answer ? answer.status : 200, body: JSON.stringify(answer.json), type: JSON_TYPE };
}

function refusal(status: Refusal['status'], code: string, message: string): Refusal {
  return { status, code, message };
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const pack = promisify(gzip) as (bytes: Buffer, options: { level: number }) => Promise<Buffer>;
const JSON_TYPE = 'application/json; charset=utf-8';
const FAILED = { code: 'FAILED', message: 'The console failed at this; its log says why.' };
const HEADER_BYTES_MAX = 16 * 1024;
const BODY_BYTES_MAX = 64 * 1024;
const CONNECTIONS_MAX = 500;
const GZIP_BYTES_MIN = 1024;
const SECURITY_HEADERS = {
  'content-security-policy': [
    "default-src 'self'",
    "img-src 'self' data:",
    "style-src 'self'",
    "script-src 'self'",
    "worker-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;
