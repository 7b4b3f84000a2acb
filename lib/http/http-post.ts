import http from 'node:http';
import https from 'node:https';
import type { AddressGuard } from './address-guard.ts';

export interface PostRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What came back. Redirects are not followed: they are an answer like any other. */
export interface PostAnswer {
  readonly status: number;
  /** The `retry-after` header; empty when there is none. */
  readonly retryAfter: string;
  /** The beginning of the body, for a log. */
  readonly body: string;
}

/** Posts to one receiver at a time over kept connections. */
export interface HttpPoster {
  /** @throws SpanloomError ADDRESS_REFUSED; Node's errors when there is no answer within the time. */
  post(request: PostRequest, signal: AbortSignal): Promise<PostAnswer>;
  close(): void;
}

/** @param options.timeoutMs for a whole exchange, connecting included. */
export function createHttpPoster(options: { guard: AddressGuard; timeoutMs: number }): HttpPoster {
  const { guard, timeoutMs } = options;
  const agents = { 'http:': new http.Agent({ keepAlive: true }), 'https:': new https.Agent({ keepAlive: true }) };
  return {
    async post({ url, headers, body }, signal) {
      guard.checkLiteral(url.hostname);
      const isTls = url.protocol === 'https:';
      const timeout = AbortSignal.timeout(timeoutMs);
      return new Promise<PostAnswer>((resolve, reject) => {
        const request = (isTls ? https : http).request(url, {
          method: 'POST',
          agent: isTls ? agents['https:'] : agents['http:'],
          lookup: guard.lookup,
          signal: AbortSignal.any([signal, timeout]),
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
        });
        request.on('error', (error) => reject(timeout.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error));
        request.on('response', (response) => readAnswer(response).then(resolve, reject));
        request.end(body);
      });
    },
    close() {
      agents['http:'].destroy();
      agents['https:'].destroy();
    },
  };
}

const BODY_SHOWN_MAX = 300;
/** A body that goes on beyond this is not waited for. */
const BODY_BYTES_MAX = 64 * 1024;

async function readAnswer(response: http.IncomingMessage): Promise<PostAnswer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response) {
    bytes += (part as Buffer).length;
    if (bytes <= BODY_BYTES_MAX) parts.push(part as Buffer);
    else response.destroy();
  }
  return {
    status: response.statusCode ?? 0,
    retryAfter: response.headers['retry-after'] ?? '',
    body: Buffer.concat(parts).toString('utf8').slice(0, BODY_SHOWN_MAX),
  };
}
