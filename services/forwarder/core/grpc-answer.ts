import { answered, WAIT_MAX_MS } from '../../../lib/http/judge-answer.ts';
import { WireError, WireReader } from '../../../lib/trace/wire-reader.ts';
import { partialSuccess } from './otlp-answer.ts';
import type { Verdict } from './verdict.ts';

/** How a call of OTLP/gRPC ended. */
export interface GrpcAnswer {
  /** google.rpc.Code; 0 is success. */
  readonly code: number;
  readonly details: string;
  /** `grpc-status-details-bin`: an encoded google.rpc.Status. */
  readonly statusDetails: Buffer | undefined;
  /** Of a success: an encoded ExportTraceServiceResponse. */
  readonly response: Buffer | undefined;
}

/**
 * What the end of a call means. A message that is too large for the receiver has no code of its own: it is told by its
 * text, as gRPC's servers write it.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlpgrpc-response, whose table of codes this follows, but for two kinds:
 *   a login or a service that is not there is for a person to mend, and RESOURCE_EXHAUSTED without RetryInfo, which OTLP
 *   gives up, is tried again as HTTP's 429 is. What waits is kept meanwhile.
 */
export function judgeGrpc({ code, details, statusDetails, response }: GrpcAnswer): Verdict {
  if (code === CODES.OK) {
    const { rejectedSpans, message } = partialSuccess(response ?? EMPTY);
    return rejectedSpans === 0 ? { kind: 'delivered' } : { kind: 'delivered', rejectedSpans, why: message };
  }
  const why = answered(NAMES.get(code) ?? code, details);
  if ((code === CODES.RESOURCE_EXHAUSTED || code === CODES.OUT_OF_RANGE) && TOO_LARGE.test(details)) {
    return { kind: 'too_large', why };
  }
  if (RETRIED.has(code)) return { kind: 'retry', why, waitMs: retryDelayMs(statusDetails) };
  if (INSIDE.has(code)) return { kind: 'failed', why, waitMs: retryDelayMs(statusDetails) };
  if (NEEDS_A_PERSON.has(code)) {
    return { kind: 'retry', why: `${why}; correct its address or login in the destinations file` };
  }
  return { kind: 'refused', why };
}

/** Of the RetryInfo in an encoded google.rpc.Status, at most ten minutes; undefined when it has none. */
function retryDelayMs(status: Buffer | undefined): number | undefined {
  try {
    for (const detail of messages(new WireReader(status ?? EMPTY), TAG_DETAILS)) {
      let type = '';
      let value: WireReader | undefined;
      while (detail.next()) {
        if (detail.tag === TAG_TYPE_URL) type = detail.text();
        if (detail.tag === TAG_VALUE) value = detail.message();
      }
      if (!type.endsWith('/google.rpc.RetryInfo') || value === undefined) continue;
      for (const delay of messages(value, TAG_RETRY_DELAY)) return Math.min(durationMs(delay), WAIT_MAX_MS);
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  return undefined;
}

function* messages(reader: WireReader, tag: number): Generator<WireReader> {
  while (reader.next()) if (reader.tag === tag) yield reader.message();
}

function durationMs(duration: WireReader): number {
  let ms = 0;
  while (duration.next()) {
    if (duration.tag === TAG_SECONDS) ms += duration.number() * 1_000;
    if (duration.tag === TAG_NANOS) ms += duration.number() / 1e6;
  }
  return ms;
}

const CODES = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;
const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(CODES).map(([name, code]) => [code, name]));
const RETRIED: ReadonlySet<number> = new Set([
  CODES.CANCELLED,
  CODES.DEADLINE_EXCEEDED,
  CODES.RESOURCE_EXHAUSTED,
  CODES.ABORTED,
  CODES.OUT_OF_RANGE,
  CODES.UNAVAILABLE,
  CODES.DATA_LOSS,
]);
/** An outage, or these very spans break it. */
const INSIDE: ReadonlySet<number> = new Set([CODES.UNKNOWN, CODES.INTERNAL]);
const NEEDS_A_PERSON: ReadonlySet<number> = new Set([
  CODES.UNAUTHENTICATED,
  CODES.PERMISSION_DENIED,
  CODES.NOT_FOUND,
  CODES.UNIMPLEMENTED,
]);
const TOO_LARGE = /larger than|too large|exceeds (the )?(configured )?max/i;
const TAG_DETAILS = 0x1a;
const TAG_TYPE_URL = 0x0a;
const TAG_VALUE = 0x12;
const TAG_RETRY_DELAY = 0x0a;
const TAG_SECONDS = 0x08;
const TAG_NANOS = 0x10;
const EMPTY = Buffer.alloc(0);
