import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SpanloomError } from '../errors/spanloom-error.ts';
import { OPEN_METRICS_TYPE, wantsOpenMetrics } from '../observability/open-metrics.ts';

export interface StatusServer {
  readonly host: string;
  /** `http://host:port`, without a slash behind it. */
  readonly url: string;
  close(): Promise<void>;
}

export interface StatusServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** As Prometheus' text, or as OpenMetrics for whoever prefers it. */
  metrics(format: 'prometheus' | 'openmetrics'): Promise<string>;
  /** True, or what the service waits for. */
  ready(): boolean | string;
}

/**
 * `/metrics`, `/healthz` (200 while the process answers at all) and `/readyz` (200 when it works, else 503 and why). It gives out no
 * setting and takes no input.
 * @throws SpanloomError METRICS_PORT when it cannot listen there.
 */
export async function openStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const server = createServer((request, response) => {
    answer(request, options).then(
      (reply) => send(response, reply, request.method === 'HEAD'),
      () => send(response, { status: 500, type: TEXT, body: 'failed\n' }, false),
    );
  });
  server.requestTimeout = 5_000;
  server.headersTimeout = 5_000;
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, options)));
    server.listen(options.port, options.host, resolve);
  });
  const { address, family, port } = server.address() as AddressInfo;
  return {
    host: options.host,
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function answer(request: IncomingMessage, options: StatusServerOptions): Promise<Reply> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, type: TEXT, body: 'GET only\n' };
  const path = (request.url ?? '').split('?')[0];
  if (path === '/metrics') {
    return wantsOpenMetrics(request.headers.accept)
      ? { status: 200, type: OPEN_METRICS_TYPE, body: await options.metrics('openmetrics') }
      : { status: 200, type: PROMETHEUS_TEXT, body: await options.metrics('prometheus') };
  }
  if (path === '/healthz') return { status: 200, type: TEXT, body: 'alive\n' };
  if (path === '/readyz') {
    const ready = options.ready();
    if (ready === true) return { status: 200, type: TEXT, body: 'ready\n' };
    return { status: 503, type: TEXT, body: `${ready === false ? 'not ready' : ready}\n` };
  }
  return { status: 404, type: TEXT, body: 'There are /metrics, /healthz and /readyz.\n' };
}

function send(response: ServerResponse, reply: Reply, headOnly: boolean): void {
  response.writeHead(reply.status, {
    'content-type': reply.type,
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
    vary: 'accept',
    'x-content-type-options': 'nosniff',
  });
  response.end(headOnly ? undefined : reply.body);
}

function listenError(error: Error, { host, port }: StatusServerOptions): SpanloomError {
  const inUse = (error as { code?: unknown }).code === 'EADDRINUSE';
  return new SpanloomError(
    'METRICS_PORT_TAKEN',
    inUse
      ? `METRICS_PORT ${port} on ${host} is taken by another process; choose another, or 0 for a free one`
      : `METRICS_HOST ${host} with METRICS_PORT ${port} cannot be listened on`,
    { cause: error },
  );
}

const TEXT = 'text/plain; charset=utf-8';
const PROMETHEUS_TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const CONNECTIONS_MAX = 100;
