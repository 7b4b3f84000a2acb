/** What is to be done after an attempt to deliver. */
export type Verdict =
  | { readonly kind: 'delivered' }
  /** `waitMs`: what the receiver asks for; undefined when it says nothing. */
  | { readonly kind: 'retry'; readonly why: string; readonly waitMs?: number | undefined }
  /** Will not get better by itself: the same request is refused again. */
  | { readonly kind: 'refused'; readonly why: string };

/** @param retryAfter header: seconds, or an HTTP date. */
export function judgeAnswer(answer: { status: number; retryAfter: string; body: string }, nowMs: number): Verdict {
  const { status, retryAfter, body } = answer;
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const why = `it answered ${status}${body === '' ? '' : `: ${body.replaceAll(/\s+/g, ' ').trim()}`}`;
  if (status >= 300 && status < 400)
    return { kind: 'refused', why: `it answered ${status}; redirects are not followed` };
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    return { kind: 'retry', why, waitMs: waitOf(retryAfter, nowMs) };
  }
  return { kind: 'refused', why };
}

/** A receiver cannot make us wait longer at once. */
const WAIT_MAX_MS = 10 * 60_000;

function waitOf(retryAfter: string, nowMs: number): number | undefined {
  if (retryAfter === '') return undefined;
  const ms = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.max(0, Math.min(WAIT_MAX_MS, ms));
}
