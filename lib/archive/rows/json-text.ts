import { isUtf8 } from 'node:buffer';
import { next, skip, varint } from '../../trace/wire-cursor.ts';
import type { AttributeList } from './attribute-list.ts';

/*
 * Writes encoded OTLP as JSON text, byte by byte. Ints are JSON numbers of any length, doubles always have a fraction or
 * an exponent, bytes are base64, and doubles that JSON has no number for are strings. The bytes must have passed the
 * scan; what is broken inside an attribute is written as null.
 *
 * Every function writes into `to` from `at` on and answers where it ended. None asks whether there is room: JSON takes at
 * most JSON_GROWTH times the bytes of the message it is made of, and JSON_BYTES_MORE.
 */
export const JSON_GROWTH = 6;
export const JSON_BYTES_MORE = 64;

/** One JSON object of the attributes, without those that `isLeftOut` marks. */
export function putAttributes(
  to: Buffer,
  at: number,
  bytes: Buffer,
  attributes: AttributeList,
  isLeftOut: Uint8Array,
): number {
  let end = at;
  to[end++] = OPEN_BRACE;
  for (let i = 0; i < attributes.count; i++) {
    if (isLeftOut[i] === 1) continue;
    if (end > at + 1) to[end++] = COMMA;
    end = putString(to, end, bytes, attributes.keyStart[i] as number, attributes.keyEnd[i] as number);
    to[end++] = COLON;
    end = putValue(to, end, bytes, attributes.valueStart[i] as number, attributes.valueEnd[i] as number, 0);
  }
  to[end++] = CLOSE_BRACE;
  return end;
}

/** One JSON object of all KeyValue messages in field `tag` of [start, end). */
export function putKeyValues(
  to: Buffer,
  at: number,
  bytes: Buffer,
  start: number,
  end: number,
  tag: number,
  depth: number,
): number {
  let out = at;
  to[out++] = OPEN_BRACE;
  for (let from = start; from < end; ) {
    const fieldTag = varint(bytes, from, end);
    if (fieldTag !== tag) {
      from = skip(bytes, fieldTag, next, end);
      continue;
    }
    const length = varint(bytes, next, end);
    const body = next;
    from = Math.min(end, body + length);
    if (out > at + 1) to[out++] = COMMA;
    out = putKeyValue(to, out, bytes, body, from, depth);
  }
  to[out++] = CLOSE_BRACE;
  return out;
}

/** A JSON string of UTF-8 bytes; what is no UTF-8 becomes U+FFFD. */
export function putString(to: Buffer, at: number, bytes: Buffer, start: number, end: number): number {
  let out = at;
  let high = 0;
  to[out++] = QUOTE;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    high |= byte;
    if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) to[out++] = byte;
    else out = putEscaped(to, out, byte);
  }
  if (high >= 0x80 && !isUtf8(bytes.subarray(start, end))) {
    return putText(to, at, JSON.stringify(bytes.utf8Slice(start, end)));
  }
  to[out++] = QUOTE;
  return out;
}

/** Text as it is: punctuation, numbers, names. */
export function putText(to: Buffer, at: number, text: string): number {
  if (text.length > TEXT_BY_HAND_MAX) return at + to.write(text, at);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return at + to.write(text, at);
    to[at + i] = code;
  }
  return at + text.length;
}

export function putHex(to: Buffer, at: number, bytes: Uint8Array, start: number, end: number): number {
  let out = at;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    to[out++] = HEX[byte >> 4] as number;
    to[out++] = HEX[byte & 15] as number;
  }
  return out;
}

function putEscaped(to: Buffer, at: number, byte: number): number {
  let out = at;
  to[out++] = BACKSLASH;
  if (byte >= 0x20) {
    to[out++] = byte;
    return out;
  }
  to[out++] = 0x75;
  to[out++] = ZERO;
  to[out++] = ZERO;
  to[out++] = HEX[byte >> 4] as number;
  to[out++] = HEX[byte & 15] as number;
  return out;
}

function putKeyValue(to: Buffer, at: number, bytes: Buffer, start: number, end: number, depth: number): number {
  let keyStart = 0;
  let keyEnd = 0;
  let valueStart = 0;
  let valueEnd = 0;
  for (let from = start; from < end; ) {
    const tag = varint(bytes, from, end);
    if (tag !== TAG_KEY && tag !== TAG_VALUE) {
      from = skip(bytes, tag, next, end);
      continue;
    }
    const length = varint(bytes, next, end);
    const body = next;
    from = Math.min(end, body + length);
    if (tag === TAG_KEY) {
      keyStart = body;
      keyEnd = from;
    } else {
      valueStart = body;
      valueEnd = from;
    }
  }
  const out = putString(to, at, bytes, keyStart, keyEnd);
  to[out] = COLON;
  return putValue(to, out + 1, bytes, valueStart, valueEnd, depth);
}

function putValue(to: Buffer, at: number, bytes: Buffer, start: number, end: number, depth: number): number {
  if (start >= end || depth > DEPTH_MAX) return putText(to, at, 'null');
  const tag = bytes[start];
  if (tag === TAG_BOOL) return putText(to, at, bytes[start + 1] === 1 ? 'true' : 'false');
  if (tag === TAG_INT) return putInteger(to, at, bytes, start + 1, end);
  if (tag === TAG_DOUBLE)
    return start + 9 > end ? putText(to, at, 'null') : putDouble(to, at, bytes.readDoubleLE(start + 1));
  const length = varint(bytes, start + 1, end);
  const body = next;
  const bodyEnd = Math.min(end, body + length);
  switch (tag) {
    case TAG_STRING:
      return putString(to, at, bytes, body, bodyEnd);
    case TAG_ARRAY:
      return putArray(to, at, bytes, body, bodyEnd, depth + 1);
    case TAG_KVLIST:
      return putKeyValues(to, at, bytes, body, bodyEnd, TAG_KEY, depth + 1);
    case TAG_BYTES:
      return putText(to, at, `"${bytes.toString('base64', body, bodyEnd)}"`);
    default:
      return putText(to, at, 'null');
  }
}

function putArray(to: Buffer, at: number, bytes: Buffer, start: number, end: number, depth: number): number {
  let out = at;
  to[out++] = OPEN_BRACKET;
  for (let from = start; from < end; ) {
    const tag = varint(bytes, from, end);
    if (tag !== TAG_KEY) {
      from = skip(bytes, tag, next, end);
      continue;
    }
    const length = varint(bytes, next, end);
    const body = next;
    from = Math.min(end, body + length);
    if (out > at + 1) to[out++] = COMMA;
    out = putValue(to, out, bytes, body, from, depth);
  }
  to[out++] = CLOSE_BRACKET;
  return out;
}

function putInteger(to: Buffer, at: number, bytes: Buffer, start: number, end: number): number {
  const value = varint(bytes, start, end);
  if (value < 10) {
    to[at] = ZERO + value;
    return at + 1;
  }
  if (value <= Number.MAX_SAFE_INTEGER) return putText(to, at, String(value));
  let exact = 0n;
  for (let i = Math.min(next, end) - 1; i >= start; i--) exact = (exact << 7n) | BigInt((bytes[i] as number) & 0x7f);
  return putText(to, at, BigInt.asIntN(64, exact).toString());
}

/** With a fraction or an exponent, so that it reads back as a double. */
function putDouble(to: Buffer, at: number, value: number): number {
  if (!Number.isFinite(value)) return putText(to, at, `"${value}"`);
  const text = Object.is(value, -0) ? '-0' : String(value);
  return putText(to, at, /^-?\d+$/.test(text) ? `${text}.0` : text);
}

const DEPTH_MAX = 32;
const TEXT_BY_HAND_MAX = 24;
const HEX = Buffer.from('0123456789abcdef', 'latin1');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const TAG_KEY = 0x0a;
const TAG_VALUE = 0x12;
const TAG_STRING = 0x0a;
const TAG_BOOL = 0x10;
const TAG_INT = 0x18;
const TAG_DOUBLE = 0x21;
const TAG_ARRAY = 0x2a;
const TAG_KVLIST = 0x32;
const TAG_BYTES = 0x3a;
