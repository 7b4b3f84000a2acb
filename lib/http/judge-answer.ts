/** A receiver cannot make us wait longer at once. */
export const WAIT_MAX_MS = 10 * 60_000;
const SHOWN_CHARS_MAX = 200;

/**
 * How long a `retry-after` header asks to wait, at most ten minutes; undefined when it does not say.
 * @param retryAfter seconds, or an HTTP date.
 */
export function retryAfterMs(retryAfter: string, nowMs: number): number | undefined {
  if (retryAfter === '') return undefined;
  const ms = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.max(0, Math.min(WAIT_MAX_MS, ms));
}

/** An answer in words, for a log: its status and the beginning of its body, on one line. */
export function describeAnswer({ status, body }: { status: number; body: Buffer }): string {
  return answered(status, body.toString('utf8', 0, SHOWN_CHARS_MAX * 4));
}

/** @param details what a receiver says of its answer; only its beginning is told, on one line. */
export function answered(status: number | string, details: string): string {
  const text = details
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, SHOWN_CHARS_MAX);
  return `it answered ${status}${text === '' ? '' : `: ${text}`}`;
}
