import { scanOtlpRequest } from '../../../lib/trace/otlp-scan.ts';
import type { SpanTable } from '../../../lib/trace/span-table.ts';
import type { OtlpFromJson } from '../ports.ts';

/** How the records of an ingest topic are encoded; `auto` looks at each record's first bytes. */
export const ENCODINGS = ['auto', 'otlp_proto', 'otlp_json'] as const;
export type Encoding = (typeof ENCODINGS)[number];

export type Decoded =
  /** `table` holds the spans of `bytes`, an OTLP request in protobuf. */
  | { readonly ok: true; readonly bytes: Buffer; readonly encoding: Encoding }
  | { readonly ok: false; readonly reason: string; readonly detail: string; readonly encoding: Encoding };

/** Larger records are refused: positions and memory are bounded by it. Kafka's own default limit is 1 MiB. */
export const RECORD_BYTES_MAX = 64 * 1024 * 1024;

/** Turns a record's value into a scanned OTLP request, or says why it is none. Never throws for what it reads. */
export function decodeRecord(
  value: Buffer | null,
  encoding: Encoding,
  table: SpanTable,
  otlpFromJson: OtlpFromJson,
): Decoded {
  if (value === null) return refused('empty_request', 'The record has no value (a tombstone).', encoding);
  if (value.length === 0) return refused('empty_request', 'The record has an empty value.', encoding);
  if (value.length > RECORD_BYTES_MAX) {
    return refused('record_too_large', `The record is larger than ${RECORD_BYTES_MAX} bytes.`, encoding);
  }
  if (encoding === 'otlp_proto') return decodeProtobuf(value, table);
  if (encoding === 'otlp_json') return decodeJson(value, table, otlpFromJson);
  if (!looksLikeJson(value)) return decodeProtobuf(value, table);
  // A line feed is also the tag of the field that every OTLP request begins with.
  if (value[0] === LINE_FEED) {
    const decoded = decodeProtobuf(value, table);
    if (decoded.ok) return decoded;
  }
  return decodeJson(value, table, otlpFromJson);
}

function decodeProtobuf(bytes: Buffer, table: SpanTable, encoding: Encoding = 'otlp_proto'): Decoded {
  const problem = scanOtlpRequest(bytes, table);
  if (problem !== undefined) {
    return refused(problem.reason, `${SCAN_SENTENCES[problem.reason]} (byte ${problem.at}).`, encoding);
  }
  if (table.count > 0) return { ok: true, bytes, encoding };
  if (bytes.length === 0 || bytes[0] === LINE_FEED) {
    return refused('empty_request', 'The OTLP request holds no span.', encoding);
  }
  return refused('not_otlp', 'The bytes hold no OTLP ResourceSpans; they may be of another format.', encoding);
}

function decodeJson(text: Buffer, table: SpanTable, otlpFromJson: OtlpFromJson): Decoded {
  const request = otlpFromJson(text);
  if (!request.ok) return refused('invalid_json', request.detail, 'otlp_json');
  return decodeProtobuf(request.bytes, table, 'otlp_json');
}

/** True when the first character, after a byte order mark and white space, opens a JSON object or array. */
function looksLikeJson(value: Buffer): boolean {
  let at = value[0] === 0xef && value[1] === 0xbb && value[2] === 0xbf ? 3 : 0;
  while (at < value.length && isJsonSpace(value[at] as number)) at++;
  return value[at] === OPEN_BRACE || value[at] === OPEN_BRACKET;
}

function isJsonSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === LINE_FEED || byte === 0x0d;
}

function refused(reason: string, detail: string, encoding: Encoding): Decoded {
  return { ok: false, reason, detail, encoding };
}

const SCAN_SENTENCES = {
  truncated: 'A length in the OTLP request points beyond its end',
  invalid_wire: 'The bytes are not protobuf',
  repeated_resource: 'A ResourceSpans has two resources',
};

const LINE_FEED = 0x0a;
/** As protobuf tags these are a group and field 11 of wire type 3: OTLP has neither. */
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
