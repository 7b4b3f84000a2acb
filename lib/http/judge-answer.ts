/** A receiver cannot make us wait longer at once. */
const WAIT_MAX_MS = 10 * 60_000;
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
  const text = body
    .toString('utf8', 0, SHOWN_CHARS_MAX * 4)
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, SHOWN_CHARS_MAX);
  return `it answered ${status}${text === '' ? '' : `: ${text}`}`;
}
