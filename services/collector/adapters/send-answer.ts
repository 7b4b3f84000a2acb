import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from '../core/answers.ts';

/**
 * Sends an answer. When it comes before the whole request, the connection is closed behind it, but not at once: a client
 * that still sends would find the connection reset before it has read the answer (RFC 9112, 9.6).
 */
export async function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const isEarly = !request.complete;
  response.writeHead(answer.status, {
    'content-length': answer.body.length,
    ...(answer.contentType === undefined ? {} : { 'content-type': answer.contentType }),
    ...(answer.retryAfterS === undefined ? {} : { 'retry-after': String(answer.retryAfterS) }),
    ...(answer.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(isEarly ? { connection: 'close' } : {}),
  });
  if (isEarly && !request.destroyed) {
    response.write(answer.body);
    await discard(request);
  }
  response.end(isEarly ? undefined : answer.body);
}

/** Reads and forgets the rest of a request, for a while. */
function discard(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LINGER_MS);
    request.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    request.resume();
  });
}

const LINGER_MS = 3_000;
