import type { PostAnswer } from '../../../lib/http/http-post.ts';
import { describeAnswer, retryAfterMs } from '../../../lib/http/judge-answer.ts';

/** What became of an attempt to send a batch. */
export type Verdict =
  /** `rejectedSpans`: taken in, but some spans were refused one by one; they are not sent again. */
  | { readonly kind: 'delivered'; readonly rejectedSpans?: number; readonly why?: string }
  /** It may work later. `waitMs`: what the receiver asks for; undefined when it says nothing. */
  | { readonly kind: 'retry'; readonly why: string; readonly waitMs?: number | undefined }
  /** It failed inside: an outage, or these very spans break it. */
  | { readonly kind: 'failed'; readonly why: string; readonly waitMs?: number | undefined }
  /** Less at once may work. */
  | { readonly kind: 'too_large'; readonly why: string }
  /** The same request is refused again. */
  | { readonly kind: 'refused'; readonly why: string };

/**
 * What an HTTP receiver's answer means. Answers by which it says that nothing of ours will ever do (a login, an address
 * that is not there) are a matter for a person: what waits is kept until then instead of being refused trace by trace.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp-response: 429, 502, 503 and 504 are retried.
 */
export function judgeHttp(answer: PostAnswer, nowMs: number): Verdict {
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const why = describeAnswer(answer);
  if (status === 413) return { kind: 'too_large', why };
  if (RETRIED.has(status)) return { kind: 'retry', why, waitMs: retryAfterMs(answer.retryAfter, nowMs) };
  if (status >= 500) return { kind: 'failed', why, waitMs: retryAfterMs(answer.retryAfter, nowMs) };
  if (NEEDS_A_PERSON.has(status) || (status >= 300 && status < 400)) {
    return { kind: 'retry', why: `${why}; correct its address or login in the destinations file` };
  }
  return { kind: 'refused', why };
}

const RETRIED = new Set([408, 425, 429, 502, 503, 504]);
const NEEDS_A_PERSON = new Set([401, 402, 403, 404, 405, 407]);
