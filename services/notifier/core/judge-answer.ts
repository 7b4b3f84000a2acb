import { describeAnswer, retryAfterMs } from '../../../lib/http/judge-answer.ts';

/** What is to be done after an attempt to deliver. */
export type Verdict =
  | { readonly kind: 'delivered' }
  /** `waitMs`: what the receiver asks for; undefined when it says nothing. */
  | { readonly kind: 'retry'; readonly why: string; readonly waitMs?: number | undefined }
  /** Will not get better by itself: the same request is refused again. */
  | { readonly kind: 'refused'; readonly why: string };

/** @param retryAfter header: seconds, or an HTTP date. */
export function judgeAnswer(answer: { status: number; retryAfter: string; body: Buffer }, nowMs: number): Verdict {
  const { status, retryAfter } = answer;
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const why = describeAnswer(answer);
  if (status >= 300 && status < 400)
    return { kind: 'refused', why: `it answered ${status}; redirects are not followed` };
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    return { kind: 'retry', why, waitMs: retryAfterMs(retryAfter, nowMs) };
  }
  return { kind: 'refused', why };
}
