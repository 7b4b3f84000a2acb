import type { SpanEncoding } from './decoders.ts';

/**
 * Tells by its first bytes which encoding a record has. It only looks, so the decoder may still refuse the record; what is
 * of no known format is called OTLP, whose scan says what is wrong with it.
 *
 * Protobuf formats share their first bytes, so they are told apart by what each begins with: a Zipkin list with a span
 * that begins with its ids, a Jaeger span with two ids, an OpenCensus request with a field 2 or 3, which OTLP has not.
 */
export function sniffEncoding(bytes: Buffer): SpanEncoding {
  const first = bytes[0];
  if (first === CONFLUENT_MAGIC) return 'avro';
  if (first === THRIFT_STRUCT) {
    // A Zipkin list has its count next; a Jaeger batch its first field's id and, in it, the text of that struct's first.
    const isBatch = bytes[1] === 0 && bytes[2] === 1 && bytes[3] === 0x0b && bytes[4] === 0 && bytes[5] === 1;
    return isBatch ? 'jaeger_thrift' : 'zipkin_thrift';
  }
  if (isZipkinList(bytes)) return 'zipkin_proto';
  if (isJaegerSpan(bytes)) return 'jaeger_proto';
  const opening = firstCharacter(bytes);
  // A line feed is also the tag of the field that every OTLP request begins with: it is JSON only if it is not that.
  if (first !== LINE_FEED || !isProtobuf(bytes)) {
    if (opening === BRACKET) return looksLikeJaegerJson(bytes) ? 'jaeger_json' : 'zipkin_json';
    if (opening === BRACE) return objectEncoding(bytes);
  }
  return isOpenCensus(bytes) ? 'opencensus_proto' : 'otlp_proto';
}

/** `0a <length> 0a <8|16> …id… (12 08 …parent…)? 1a 08 …id…`. */
function isZipkinList(bytes: Buffer): boolean {
  if (bytes[0] !== 0x0a) return false;
  let at = 1;
  while (at < 6 && (bytes[at] as number) >= 0x80) at++;
  at++;
  const idLength = bytes[at + 1];
  if (bytes[at] !== 0x0a || (idLength !== 8 && idLength !== 16)) return false;
  at += 2 + idLength;
  if (bytes[at] === 0x12 && bytes[at + 1] === 8) at += 10;
  return bytes[at] === 0x1a && bytes[at + 1] === 8;
}

/** `0a 10 …trace id… 12 08 …span id…`. */
function isJaegerSpan(bytes: Buffer): boolean {
  return bytes[0] === 0x0a && bytes[1] === 16 && bytes[18] === 0x12 && bytes[19] === 8 && bytes.length >= 28;
}

/** Some field 2 or 3 with a body at the top level, among whole fields 1 to 3 only. */
function isOpenCensus(bytes: Buffer): boolean {
  let at = 0;
  let isOther = false;
  while (at < bytes.length) {
    const tag = bytes[at++];
    if (tag !== 0x0a && tag !== 0x12 && tag !== 0x1a) return false;
    const length = varint(bytes, at);
    if (length === undefined || length.end + length.value > bytes.length) return false;
    at = length.end + length.value;
    isOther ||= tag !== 0x0a && length.value > MESSAGE_BYTES_MIN;
  }
  return isOther;
}

/** Whole fields 1, up to the end. */
function isProtobuf(bytes: Buffer): boolean {
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at++] !== 0x0a) return false;
    const length = varint(bytes, at);
    if (length === undefined || length.end + length.value > bytes.length) return false;
    at = length.end + length.value;
  }
  return true;
}

function varint(bytes: Buffer, start: number): { value: number; end: number } | undefined {
  let value = 0;
  let scale = 1;
  for (let at = start; at < bytes.length && at < start + 5; at++) {
    const byte = bytes[at] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at + 1 };
    scale *= 128;
  }
  return undefined;
}

/** The first character after a byte order mark and white space. */
function firstCharacter(bytes: Buffer): number | undefined {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (at < bytes.length && JSON_SPACES.has(bytes[at] as number)) at++;
  return bytes[at];
}

/** One object: OTLP's request unless it has what only a Jaeger or Zipkin span has. */
function objectEncoding(bytes: Buffer): SpanEncoding {
  const head = bytes.toString('latin1', 0, JSON_HEAD_BYTES);
  if (/"(resourceSpans|resource_spans)"/.test(head)) return 'otlp_json';
  if (looksLikeJaegerJson(bytes)) return 'jaeger_json';
  return /"traceId"/.test(head) && /"(id|localEndpoint|binaryAnnotations)"/.test(head) ? 'zipkin_json' : 'otlp_json';
}

function looksLikeJaegerJson(bytes: Buffer): boolean {
  const head = bytes.toString('latin1', 0, JSON_HEAD_BYTES);
  return /"(traceID|operationName)"/.test(head);
}

const CONFLUENT_MAGIC = 0;
/** Thrift's type byte of a struct; as a protobuf tag it ends a group, which none of these formats has. */
const THRIFT_STRUCT = 0x0c;
const LINE_FEED = 0x0a;
const BRACE = 0x7b;
const BRACKET = 0x5b;
const JSON_SPACES: ReadonlySet<number> = new Set([0x20, 0x09, LINE_FEED, 0x0d]);
/** The keys that tell the formats apart stand in the first span. */
const JSON_HEAD_BYTES = 4096;
/** A span needs two ids, so a shorter field 2 is none. */
const MESSAGE_BYTES_MIN = 4;
