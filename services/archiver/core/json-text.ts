import { isUtf8 } from 'node:buffer';
import type { TextColumn } from './columns.ts';

/**
 * Writes encoded OTLP as JSON text into a column, byte by byte. Ints are JSON numbers of any length, bytes are base64,
 * and doubles that JSON has no number for are strings. The bytes must have passed the scan; what is broken inside an
 * attribute is written as null.
 */

/**
 * The attributes of a message as one JSON object; those for which `isPromoted` answers true are left out.
 * @param tag where attributes stand in the message, one of ATTRIBUTES_OF.
 * @returns how many were written.
 */
export function writeAttributes(
  column: TextColumn,
  bytes: Buffer,
  start: number,
  end: number,
  tag: number,
  isPromoted: (start: number, end: number) => boolean,
): number {
  let written = 0;
  column.put(OPEN_BRACE);
  for (let at = start; at < end; ) {
    const fieldTag = varint(bytes, at, end);
    at = next;
    if (fieldTag !== tag) {
      at = skip(bytes, fieldTag, at, end);
      continue;
    }
    const length = varint(bytes, at, end);
    const bodyStart = next;
    const bodyEnd = Math.min(end, bodyStart + length);
    at = bodyEnd;
    if (writeKeyValue(column, bytes, bodyStart, bodyEnd, written > 0, isPromoted, 0)) written++;
  }
  column.put(CLOSE_BRACE);
  return written;
}

/** A list of messages of one field, each written by `writeItem`, as a JSON array; false and nothing when there are none. */
export function writeList(
  column: TextColumn,
  bytes: Buffer,
  start: number,
  end: number,
  tag: number,
  writeItem: (start: number, end: number) => void,
): boolean {
  let written = 0;
  for (let at = start; at < end; ) {
    const fieldTag = varint(bytes, at, end);
    at = next;
    if (fieldTag !== tag) {
      at = skip(bytes, fieldTag, at, end);
      continue;
    }
    const length = varint(bytes, at, end);
    const bodyStart = next;
    const bodyEnd = Math.min(end, bodyStart + length);
    at = bodyEnd;
    column.put(written === 0 ? OPEN_BRACKET : COMMA);
    writeItem(bodyStart, bodyEnd);
    written++;
  }
  if (written > 0) column.put(CLOSE_BRACKET);
  return written > 0;
}

/** A JSON string of UTF-8 bytes; what is no UTF-8 becomes U+FFFD. */
export function writeString(column: TextColumn, bytes: Buffer, start: number, end: number): void {
  column.reserve((end - start) * 6 + 2);
  const to = column.bytes;
  let at = column.end;
  let high = 0;
  to[at++] = QUOTE;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    high |= byte;
    if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) {
      to[at++] = byte;
    } else {
      to[at++] = BACKSLASH;
      if (byte >= 0x20) to[at++] = byte;
      else {
        to[at++] = 0x75;
        to[at++] = ZERO;
        to[at++] = ZERO;
        to[at++] = HEX[byte >> 4] as number;
        to[at++] = HEX[byte & 15] as number;
      }
    }
  }
  if (high >= 0x80 && !isUtf8(bytes.subarray(start, end))) {
    return writeAscii(column, JSON.stringify(bytes.utf8Slice(start, end)));
  }
  to[at++] = QUOTE;
  column.end = at;
}

/** Text as it is: punctuation, numbers, names. */
export function writeAscii(column: TextColumn, text: string): void {
  column.reserve(text.length * 3);
  column.end += column.bytes.write(text, column.end);
}

export function writeHex(column: TextColumn, bytes: Buffer, start: number, end: number): void {
  column.reserve((end - start) * 2);
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    column.bytes[column.end++] = HEX[byte >> 4] as number;
    column.bytes[column.end++] = HEX[byte & 15] as number;
  }
}

function writeKeyValue(
  column: TextColumn,
  bytes: Buffer,
  start: number,
  end: number,
  isFurther: boolean,
  isPromoted: (start: number, end: number) => boolean,
  depth: number,
): boolean {
  let keyStart = 0;
  let keyEnd = 0;
  let valueStart = 0;
  let valueEnd = 0;
  for (let at = start; at < end; ) {
    const tag = varint(bytes, at, end);
    at = next;
    if (tag === TAG_KEY || tag === TAG_VALUE) {
      const length = varint(bytes, at, end);
      const bodyStart = next;
      at = Math.min(end, bodyStart + length);
      if (tag === TAG_KEY) {
        keyStart = bodyStart;
        keyEnd = at;
      } else {
        valueStart = bodyStart;
        valueEnd = at;
      }
    } else at = skip(bytes, tag, at, end);
  }
  if (isPromoted(keyStart, keyEnd)) return false;
  if (isFurther) column.put(COMMA);
  writeString(column, bytes, keyStart, keyEnd);
  column.put(COLON);
  writeAnyValue(column, bytes, valueStart, valueEnd, depth);
  return true;
}

function writeAnyValue(column: TextColumn, bytes: Buffer, start: number, end: number, depth: number): void {
  if (start >= end || depth > DEPTH_MAX) return writeAscii(column, 'null');
  switch (bytes[start]) {
    case TAG_STRING: {
      const length = varint(bytes, start + 1, end);
      return writeString(column, bytes, next, Math.min(end, next + length));
    }
    case TAG_BOOL:
      return writeAscii(column, bytes[start + 1] === 1 ? 'true' : 'false');
    case TAG_INT:
      return writeAscii(column, integerText(bytes, start + 1, end));
    case TAG_DOUBLE: {
      const value = start + 9 <= end ? bytes.readDoubleLE(start + 1) : Number.NaN;
      return writeAscii(column, Number.isFinite(value) ? String(value) : `"${value}"`);
    }
    case TAG_ARRAY: {
      const length = varint(bytes, start + 1, end);
      const bodyStart = next;
      const isWritten = writeList(column, bytes, bodyStart, Math.min(end, bodyStart + length), TAG_KEY, (from, to) =>
        writeAnyValue(column, bytes, from, to, depth + 1),
      );
      if (!isWritten) writeAscii(column, '[]');
      return;
    }
    case TAG_KVLIST: {
      const length = varint(bytes, start + 1, end);
      return writeKeyValues(column, bytes, next, Math.min(end, next + length), depth + 1);
    }
    case TAG_BYTES: {
      const length = varint(bytes, start + 1, end);
      return writeAscii(column, `"${bytes.toString('base64', next, Math.min(end, next + length))}"`);
    }
    default:
      return writeAscii(column, 'null');
  }
}

function writeKeyValues(column: TextColumn, bytes: Buffer, start: number, end: number, depth: number): void {
  let written = 0;
  column.put(OPEN_BRACE);
  for (let at = start; at < end; ) {
    const tag = varint(bytes, at, end);
    at = next;
    if (tag !== TAG_KEY) {
      at = skip(bytes, tag, at, end);
      continue;
    }
    const length = varint(bytes, at, end);
    const bodyStart = next;
    at = Math.min(end, bodyStart + length);
    if (writeKeyValue(column, bytes, bodyStart, at, written > 0, NONE_PROMOTED, depth)) written++;
  }
  column.put(CLOSE_BRACE);
}

const NONE_PROMOTED = () => false;

function integerText(bytes: Buffer, start: number, end: number): string {
  const value = varint(bytes, start, end);
  if (value <= Number.MAX_SAFE_INTEGER) return String(value);
  let exact = 0n;
  for (let i = Math.min(next, end) - 1; i >= start; i--) exact = (exact << 7n) | BigInt((bytes[i] as number) & 0x7f);
  return BigInt.asIntN(64, exact).toString();
}

let next = 0;

/** Sets `next`. A varint that does not end answers 0 at the end. */
function varint(bytes: Buffer, at: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let i = at; i < end; i++) {
    const byte = bytes[i] as number;
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) {
      next = i + 1;
      return value;
    }
  }
  next = end;
  return 0;
}

function skip(bytes: Buffer, tag: number, at: number, end: number): number {
  switch (tag % 8) {
    case 0:
      varint(bytes, at, end);
      return next;
    case 1:
      return at + 8;
    case 2: {
      const length = varint(bytes, at, end);
      return next + length;
    }
    case 5:
      return at + 4;
    default:
      return end;
  }
}

const DEPTH_MAX = 32;
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
