import {
  createServer as createPlainServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import { answerTo, later, type Outcome, refused } from '../core/answers.ts';
import { DOORS, type Door, encodingFor } from '../core/doors.ts';
import type { Intake } from '../ports.ts';
import type { TokenCheck } from './bearer-token.ts';
import { type BodyLimits, readBody } from './read-body.ts';
import { sendAnswer } from './send-answer.ts';
import { takeIn } from './take-in.ts';

export interface HttpDoorsOptions extends BodyLimits {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly token: TokenCheck;
  /** Origins that pages may send from. */
  readonly corsOrigins: readonly string[];
  /** Requests under way at once. */
  readonly requestsMax: number;
  /** A whole request must have arrived by then: slow senders hold no memory for ever. */
  readonly requestTimeoutMs: number;
}

export interface HttpDoors {
  /** `http://host:port`. */
  readonly url: string;
  /** Takes no more requests and waits for those under way, at most CLOSE_MS_MAX. */
  close(): Promise<void>;
}

/** Takes spans in over HTTP; every path of DOORS on one port. @throws SpanloomError COLLECTOR_PORT when it cannot listen. */
export async function openHttpDoors(options: HttpDoorsOptions, intake: Intake): Promise<HttpDoors> {
  let underWay = 0;
  const handler = (request: IncomingMessage, response: ServerResponse) => {
    underWay++;
    response.once('close', () => underWay--);
    void serve(request, response, options, intake, underWay > options.requestsMax);
  };
  const limits: ServerOptions = {
    requestTimeout: options.requestTimeoutMs,
    headersTimeout: Math.min(HEADERS_TIMEOUT_MS, options.requestTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, options.requestTimeoutMs),
  };
  const server: Server = options.tls
    ? createTlsServer({ ...limits, ...options.tls }, handler)
    : createPlainServer(limits, handler);
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(listenError(cause, options)));
    server.listen(options.port, options.host, resolve);
  });
  const { address, family, port } = server.address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  return { url: `${options.tls ? 'https' : 'http'}://${host}:${port}`, close: () => closeWithin(server, CLOSE_MS_MAX) };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpDoorsOptions,
  intake: Intake,
  isFull: boolean,
): Promise<void> {
  const startedMs = performance.now();
  if (allowOrigin(request, response, options.corsOrigins) && request.method === 'OPTIONS') {
    response.writeHead(204, PREFLIGHT).end();
    return;
  }
  const door = DOORS.get((request.url ?? '').split('?', 1)[0] as string);
  const isJson = (request.headers['content-type'] ?? '').toLowerCase().startsWith('application/json');
  const outcome = isFull
    ? later(429, 'Too many requests at once; try again.')
    : await outcomeOf(request, door, options, intake);
  const answer = answerTo(outcome, door?.protocol, isJson);
  const { spans, rejected } = outcome.kind === 'taken' ? outcome : { spans: 0, rejected: 0 };
  const seconds = (performance.now() - startedMs) / 1000;
  intake.report({ protocol: door?.protocol, door: 'http', code: answer.status, spans, rejected, seconds });
  await sendAnswer(request, response, answer);
}

async function outcomeOf(
  request: IncomingMessage,
  door: Door | undefined,
  options: HttpDoorsOptions,
  intake: Intake,
): Promise<Outcome> {
  if (door === undefined) return refused(404, `Spans are taken in at ${[...DOORS.keys()].join(', ')}.`);
  if (request.method !== 'POST') return refused(405, 'Only POST.');
  if (!options.token.allows(request.headers.authorization)) return refused(401, 'A bearer token is needed.');
  const encoding = encodingFor(door, request.headers['content-type']);
  if (encoding === undefined) {
    const known = [...door.encodings.keys()].filter((type) => type !== '').join(' or ');
    return refused(415, `Content-Type must be ${known}.`);
  }
  const body = await readBody(request, intake, options);
  if (!body.ok) return body.outcome;
  try {
    return await takeIn(body.bytes, encoding, intake);
  } finally {
    body.release();
  }
}

/** True when the request comes from a page that may send. */
function allowOrigin(request: IncomingMessage, response: ServerResponse, origins: readonly string[]): boolean {
  const { origin } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'origin');
  return true;
}

function closeWithin(server: Server, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), ms);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function listenError(cause: Error, { host, port }: HttpDoorsOptions): SpanloomError {
  const isTaken = (cause as { code?: string }).code === 'EADDRINUSE';
  const sentence = isTaken
    ? `Port ${port} on ${host} is taken by another process`
    : `${host}:${port} cannot be listened on`;
  return new SpanloomError('COLLECTOR_PORT', `${sentence}; choose another, or 0 for a free one`, { cause });
}

const PREFLIGHT = {
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': 'content-type, content-encoding, authorization',
  'access-control-max-age': '3600',
};
/** Most of them idle: tracers keep theirs open. */
const CONNECTIONS_MAX = 20_000;
const HEADERS_TIMEOUT_MS = 10_000;
const TIMEOUT_CHECK_MS = 2_000;
const KEEP_ALIVE_MS = 60_000;
/** Below what runService allows for the whole drain. */
const CLOSE_MS_MAX = 6_000;
