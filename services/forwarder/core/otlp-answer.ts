import type { PostAnswer } from '../../../lib/http/http-post.ts';
import { WireError, WireReader } from '../../../lib/trace/wire-reader.ts';
import { judgeHttp, type Verdict } from './verdict.ts';

/** An answer to OTLP/HTTP: a success may say that some spans were rejected, which is final. */
export function judgeOtlp(answer: PostAnswer, nowMs: number): Verdict {
  const verdict = judgeHttp(answer, nowMs);
  if (verdict.kind !== 'delivered' || !answer.contentType.startsWith('application/x-protobuf')) return verdict;
  const { rejectedSpans, message } = partialSuccess(answer.body);
  return rejectedSpans === 0 ? verdict : { kind: 'delivered', rejectedSpans, why: message };
}

/** Of an encoded ExportTraceServiceResponse. */
export function partialSuccess(body: Buffer): { rejectedSpans: number; message: string } {
  let rejectedSpans = 0;
  let message = '';
  try {
    const response = new WireReader(body);
    while (response.next()) {
      if (response.tag !== TAG_PARTIAL_SUCCESS) continue;
      const partial = response.message();
      while (partial.next()) {
        if (partial.tag === TAG_REJECTED_SPANS) rejectedSpans = partial.number();
        if (partial.tag === TAG_ERROR_MESSAGE) message = partial.text();
      }
    }
  } catch (error) {
    // The spans are taken in; what else the receiver wanted to say is not worth a second copy.
    if (!(error instanceof WireError)) throw error;
  }
  return { rejectedSpans, message };
}

const TAG_PARTIAL_SUCCESS = 0x0a;
const TAG_REJECTED_SPANS = 0x08;
const TAG_ERROR_MESSAGE = 0x12;
