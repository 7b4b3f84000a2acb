import { WireWriter } from '../../../lib/trace/wire-writer.ts';
import type { Protocol } from './doors.ts';

/** How a request ended, whatever its protocol. */
export type Outcome =
  | { readonly kind: 'taken'; readonly spans: number; readonly rejected: number; readonly reason: string }
  /** The client's doing: another try would end the same. */
  | { readonly kind: 'refused'; readonly status: RefusedStatus; readonly detail: string }
  /** Too much at once (429), or Kafka does not take it (503): the same request may come again. */
  | { readonly kind: 'later'; readonly status: 429 | 503; readonly detail: string };

type RefusedStatus = 400 | 401 | 404 | 405 | 413 | 415;

export interface Answer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Buffer;
  /** Seconds, for answers that ask for another try. */
  readonly retryAfterS?: number;
}

export function refused(status: RefusedStatus, detail: string): Outcome {
  return { kind: 'refused', status, detail };
}

export function later(status: 429 | 503, detail: string): Outcome {
  return { kind: 'later', status, detail };
}

/**
 * The answer as a protocol wants it. OTLP: its response or a google.rpc.Status, in the encoding of the request (OTLP
 * specification, "OTLP/HTTP Response"); Zipkin, Jaeger and unknown paths: 202 without a body, or a sentence.
 */
export function answerTo(outcome: Outcome, protocol: Protocol | undefined, isJson: boolean): Answer {
  if (protocol !== 'otlp') return plainAnswer(outcome);
  if (outcome.kind === 'taken') return { status: 200, ...success(outcome.rejected, outcome.reason, isJson) };
  return { status: outcome.status, ...failure(RPC_CODES[outcome.status], outcome.detail, isJson), ...retryOf(outcome) };
}

/** An ExportTraceServiceResponse; empty when every span was taken. */
export function exportResponse(rejected: number, reason: string): Buffer {
  const out = new WireWriter(64);
  if (rejected > 0) {
    const partial = out.begin(0x0a, reason.length);
    out.varint(0x08);
    out.varint(rejected);
    out.textField(0x12, reason);
    out.end(partial);
  }
  return out.toBuffer();
}

/** A google.rpc.Status that says when to try again: with its RetryInfo OTLP's clients do (OTLP specification, "OTLP/gRPC Throttling"). */
export function retryStatus(code: number, message: string): Buffer {
  const out = new WireWriter(128);
  writeStatus(out, code, message);
  const detail = out.begin(0x1a, 64);
  out.textField(0x0a, 'type.googleapis.com/google.rpc.RetryInfo');
  const info = out.begin(0x12, 4);
  const delay = out.begin(0x0a, 2);
  out.varint(0x08);
  out.varint(RETRY_AFTER_S);
  out.end(delay);
  out.end(info);
  out.end(detail);
  return out.toBuffer();
}

function success(rejected: number, reason: string, isJson: boolean) {
  if (!isJson) return { contentType: PROTOBUF, body: exportResponse(rejected, reason) };
  const partial = rejected > 0 ? { partialSuccess: { rejectedSpans: String(rejected), errorMessage: reason } } : {};
  return { contentType: JSON_TYPE, body: Buffer.from(JSON.stringify(partial)) };
}

function failure(code: number, message: string, isJson: boolean) {
  if (isJson) return { contentType: JSON_TYPE, body: Buffer.from(JSON.stringify({ code, message })) };
  const out = new WireWriter(64);
  writeStatus(out, code, message);
  return { contentType: PROTOBUF, body: out.toBuffer() };
}

function writeStatus(out: WireWriter, code: number, message: string): void {
  out.varint(0x08);
  out.varint(code);
  out.textField(0x12, message);
}

function plainAnswer(outcome: Outcome): Answer {
  if (outcome.kind !== 'taken') {
    return { status: outcome.status, contentType: TEXT, body: Buffer.from(`${outcome.detail}\n`), ...retryOf(outcome) };
  }
  // Neither protocol has an answer for a part; what was refused is counted, and in the dead letters.
  return { status: 202, contentType: undefined, body: Buffer.alloc(0) };
}

function retryOf(outcome: Outcome): { retryAfterS?: number } {
  return outcome.kind === 'later' ? { retryAfterS: RETRY_AFTER_S } : {};
}

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
const TEXT = 'text/plain; charset=utf-8';
const RETRY_AFTER_S = 1;

/** google.rpc.Code of each HTTP status. */
export const RPC_CODES = {
  400: 3, // INVALID_ARGUMENT
  401: 16, // UNAUTHENTICATED
  404: 5, // NOT_FOUND
  405: 12, // UNIMPLEMENTED
  413: 3,
  415: 3,
  429: 8, // RESOURCE_EXHAUSTED
  503: 14, // UNAVAILABLE
} as const;
