import { type ForeignEncoding, SPAN_ENCODINGS, type SpanEncoding } from '../../../lib/codec/ingest/decoders.ts';
import { sniffEncoding } from '../../../lib/codec/ingest/sniff.ts';
import { scanOtlpRequest } from '../../../lib/trace/otlp-scan.ts';
import type { SpanTable } from '../../../lib/trace/span-table.ts';
import type { Decoders } from '../ports.ts';

/** How the records of an ingest topic are encoded; `auto` looks at each record's first bytes. */
export const ENCODINGS = ['auto', ...SPAN_ENCODINGS] as const;
export type Encoding = 'auto' | SpanEncoding;

export type Decoded =
  /** `table` holds the spans of `bytes`, an OTLP request in protobuf. */
  | { readonly ok: true; readonly bytes: Buffer; readonly encoding: Encoding }
  | { readonly ok: false; readonly reason: string; readonly detail: string; readonly encoding: Encoding };

/** Larger records are refused: positions and memory are bounded by it. Kafka's own default limit is 1 MiB. */
export const RECORD_BYTES_MAX = 64 * 1024 * 1024;

/** Turns a record's value into a scanned OTLP request, or says why it is none. Never throws for what it reads. */
export function decodeRecord(value: Buffer | null, encoding: Encoding, table: SpanTable, decoders: Decoders): Decoded {
  if (value === null) return refused('empty_request', 'The record has no value (a tombstone).', encoding);
  if (value.length === 0) return refused('empty_request', 'The record has an empty value.', encoding);
  if (value.length > RECORD_BYTES_MAX) {
    return refused('record_too_large', `The record is larger than ${RECORD_BYTES_MAX} bytes.`, encoding);
  }
  const found = encoding === 'auto' ? sniffEncoding(value) : encoding;
  if (found === 'otlp_proto') return decodeProtobuf(value, table);
  return decodeForeign(value, found, table, decoders);
}

function decodeProtobuf(bytes: Buffer, table: SpanTable, encoding: Encoding = 'otlp_proto'): Decoded {
  const problem = scanOtlpRequest(bytes, table);
  if (problem !== undefined) {
    return refused(problem.reason, `${SCAN_SENTENCES[problem.reason]} (byte ${problem.at}).`, encoding);
  }
  if (table.count > 0) return { ok: true, bytes, encoding };
  if (bytes.length === 0 || bytes[0] === RESOURCE_SPANS_TAG) {
    return refused('empty_request', 'The OTLP request holds no span.', encoding);
  }
  return refused('not_otlp', 'The bytes hold no OTLP ResourceSpans; they may be of another format.', encoding);
}

function decodeForeign(value: Buffer, encoding: ForeignEncoding, table: SpanTable, decoders: Decoders): Decoded {
  const request = decoders[encoding](value);
  if (!request.ok) return refused(REASONS[encoding], request.detail, encoding);
  return decodeProtobuf(request.bytes, table, encoding);
}

function refused(reason: string, detail: string, encoding: Encoding): Decoded {
  return { ok: false, reason, detail, encoding };
}

const SCAN_SENTENCES = {
  truncated: 'A length in the OTLP request points beyond its end',
  invalid_wire: 'The bytes are not protobuf',
  repeated_resource: 'A ResourceSpans has two resources',
};

const REASONS: Readonly<Record<ForeignEncoding, string>> = {
  otlp_json: 'invalid_json',
  zipkin_json: 'invalid_json',
  zipkin_proto: 'invalid_wire',
  zipkin_thrift: 'invalid_thrift',
  jaeger_proto: 'invalid_wire',
  jaeger_json: 'invalid_json',
  jaeger_thrift: 'invalid_thrift',
  opencensus_proto: 'invalid_wire',
  avro: 'invalid_avro',
};

/** The tag of the one field that an OTLP request has. */
const RESOURCE_SPANS_TAG = 0x0a;
