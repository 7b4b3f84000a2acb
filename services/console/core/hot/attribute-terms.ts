import { next, skip, varint } from '../../../../lib/trace/wire-cursor.ts';
import { EQUALS, finish, hashByte, hashBytes, hashText, SEED, VALUE_BYTES_HASHED } from './term-hash.ts';
import type { TermSet } from './term-set.ts';

/**
 * Adds the terms of all attributes whose value is a string, an int, a double or a bool. The scan has checked that the
 * message is whole; whatever is not whole below it ends the walk.
 *
 * @param tag where attributes stand in the message, one of ATTRIBUTES_OF.
 */
export function addAttributeTerms(set: TermSet, bytes: Buffer, start: number, end: number, tag: number): void {
  let at = start;
  while (at < end) {
    const field = varint(bytes, at, end);
    if (field !== tag) {
      at = skip(bytes, field, next, end);
      continue;
    }
    const length = varint(bytes, next, end);
    const bodyEnd = next + length;
    if (bodyEnd > end) return;
    addKeyValue(set, bytes, next, bodyEnd);
    at = bodyEnd;
  }
}

function addKeyValue(set: TermSet, bytes: Buffer, start: number, end: number): void {
  // Every encoder writes the key first; others are found by what else they have.
  if (bytes[start] !== KEY) return;
  const keyLength = varint(bytes, start + 1, end);
  const keyEnd = next + keyLength;
  if (keyEnd >= end || bytes[keyEnd] !== VALUE) return;
  const keyed = hashByte(hashBytes(SEED.attribute, bytes, next, keyEnd), EQUALS);
  varint(bytes, keyEnd + 1, end);
  const valueStart = next;
  if (valueStart >= end) return;
  switch (bytes[valueStart]) {
    case STRING: {
      const length = varint(bytes, valueStart + 1, end);
      const textEnd = Math.min(next + length, end);
      set.add(finish(hashBytes(keyed, bytes, next, Math.min(textEnd, next + VALUE_BYTES_HASHED))));
      return;
    }
    case BOOL:
      set.add(finish(hashText(keyed, bytes[valueStart + 1] === 1 ? 'true' : 'false')));
      return;
    case INT: {
      const value = varint(bytes, valueStart + 1, end);
      const digits = value < 2 ** 53 ? String(value) : String(bigInt(bytes, valueStart + 1, end));
      set.add(finish(hashText(keyed, digits)));
      return;
    }
    case DOUBLE:
      if (valueStart + 9 <= end) set.add(finish(hashText(keyed, String(bytes.readDoubleLE(valueStart + 1)))));
      return;
  }
}

/** Negative numbers take all ten bytes. */
function bigInt(bytes: Buffer, start: number, end: number): bigint {
  let value = 0n;
  let shift = 0n;
  for (let at = start; at < end; at++) {
    value |= BigInt((bytes[at] as number) & 0x7f) << shift;
    if ((bytes[at] as number) < 0x80) break;
    shift += 7n;
  }
  return BigInt.asIntN(64, value);
}

const KEY = 0x0a;
const VALUE = 0x12;
const STRING = 0x0a;
const BOOL = 0x10;
const INT = 0x18;
const DOUBLE = 0x21;
