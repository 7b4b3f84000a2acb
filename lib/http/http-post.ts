import http from 'node:http';
import https from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import type { AddressGuard } from './address-guard.ts';

export interface PostRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** What came back. Redirects are not followed: they are an answer like any other. */
export interface PostAnswer {
  readonly status: number;
  /** The `retry-after` header; empty when there is none. */
  readonly retryAfter: string;
  /** The `content-type` header; empty when there is none. */
  readonly contentType: string;
  /** At most 64 KiB of it. */
  readonly body: Buffer;
}

/** Posts over kept connections. Proxies of the environment are not used. */
export interface HttpPoster {
  /** @throws SpanloomError ADDRESS_REFUSED; Node's errors when there is no answer within the time. */
  post(request: PostRequest, signal: AbortSignal): Promise<PostAnswer>;
  close(): void;
}

/**
 * @param options.guard keeps requests away from our own network; without one, every address is fine.
 * @param options.timeoutMs for a whole exchange, connecting included.
 * @param options.tls authorities to trust, a client certificate and so on, for https.
 */
export function createHttpPoster(options: {
  guard?: AddressGuard;
  timeoutMs: number;
  tls?: ConnectionOptions;
}): HttpPoster {
  const { guard, timeoutMs, tls } = options;
  const agents = {
    'http:': new http.Agent({ keepAlive: true }),
    'https:': new https.Agent({ keepAlive: true, ...tls }),
  };
  return {
    async post({ url, headers, body }, signal) {
      guard?.checkLiteral(url.hostname);
      const isTls = url.protocol === 'https:';
      const timeout = AbortSignal.timeout(timeoutMs);
      return new Promise<PostAnswer>((resolve, reject) => {
        const request = (isTls ? https : http).request(url, {
          method: 'POST',
          agent: isTls ? agents['https:'] : agents['http:'],
          ...(guard === undefined ? {} : { lookup: guard.lookup }),
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
    contentType: response.headers['content-type'] ?? '',
    body: Buffer.concat(parts),
  };
}
