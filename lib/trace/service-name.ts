import { next, skip, varint } from './wire-cursor.ts';

/**
 * `service.name` of an encoded OTLP Resource, without decoding the rest. Empty when it is missing or not a string; the
 * first one counts when it stands there twice.
 *
 * @param start,end the Resource message's body; it must be whole (the scan has checked that).
 */
export function resourceServiceName(bytes: Buffer, start: number, end: number): string {
  let at = start;
  while (at < end) {
    const tag = varint(bytes, at, end);
    at = next;
    if (tag === TAG_ATTRIBUTES) {
      const length = varint(bytes, at, end);
      const keyValueEnd = Math.min(next + length, end);
      const name = valueIfServiceName(bytes, next, keyValueEnd);
      if (name !== undefined) return name;
      at = keyValueEnd;
    } else at = skip(bytes, tag, at, end);
  }
  return '';
}

function valueIfServiceName(bytes: Buffer, start: number, end: number): string | undefined {
  let isServiceName = false;
  let value: string | undefined;
  let at = start;
  while (at < end) {
    const tag = varint(bytes, at, end);
    at = next;
    if (tag === TAG_KEY || tag === TAG_VALUE) {
      const length = varint(bytes, at, end);
      const bodyEnd = Math.min(next + length, end);
      if (tag === TAG_KEY) isServiceName = bytes.latin1Slice(next, bodyEnd) === 'service.name';
      else if (bytes[next] === TAG_STRING_VALUE) {
        const bodyStart = next + 1;
        varint(bytes, bodyStart, bodyEnd);
        value = bytes.utf8Slice(next, bodyEnd);
      }
      at = bodyEnd;
    } else at = skip(bytes, tag, at, end);
  }
  return isServiceName ? value : undefined;
}

const TAG_ATTRIBUTES = 0x0a;
const TAG_KEY = 0x0a;
const TAG_VALUE = 0x12;
const TAG_STRING_VALUE = 0x0a;
