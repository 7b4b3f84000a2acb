import { next, skip, varint } from './wire-cursor.ts';

/**
 * Finds the values of a fixed set of attribute keys in one pass over an encoded message, without decoding the others.
 *
 * A reader is made once and used again; what it found is valid until the next `read` and indexes the bytes given
 * there. When a key stands twice, the first counts (OTLP wants keys unique). Bytes need not be well formed: whatever
 * does not end inside its parent ends the search.
 */
export class AttributeReader<K extends string> {
  readonly keys: readonly K[];
  /** First and one past the last byte of the AnyValue of each key; -1 when the key was not found. */
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  private bytes: Buffer = EMPTY;
  private readonly keyBytes: Buffer[];
  private readonly hash: KeyHash;

  /** @param keys distinct, not empty, ASCII, at most 128. */
  constructor(keys: readonly K[]) {
    this.keys = keys;
    this.keyBytes = keys.map((key) => Buffer.from(key, 'latin1'));
    this.hash = perfectHash(this.keyBytes);
    this.valueStart = new Int32Array(keys.length).fill(-1);
    this.valueEnd = new Int32Array(keys.length);
  }

  /** @param tag where attributes stand in this message, one of ATTRIBUTES_OF. */
  read(bytes: Buffer, start: number, end: number, tag: number): void {
    this.bytes = bytes;
    this.valueStart.fill(-1);
    let at = start;
    while (at < end) {
      const fieldTag = varint(bytes, at, end);
      at = next;
      if (fieldTag === tag) {
        const length = varint(bytes, at, end);
        const bodyEnd = next + length;
        if (bodyEnd > end) return;
        this.keyValue(bytes, next, bodyEnd);
        at = bodyEnd;
      } else {
        at = skip(bytes, fieldTag, at, end);
      }
    }
  }

  has(index: number): boolean {
    return (this.valueStart[index] as number) >= 0;
  }

  /** The value as text: strings as they are, numbers and booleans written out. Empty when absent or of another type. */
  text(index: number): string {
    const start = this.valueStart[index] as number;
    if (start < 0) return '';
    const end = this.valueEnd[index] as number;
    switch (this.bytes[start]) {
      case TAG_STRING_VALUE:
        return this.locateText(index) ? this.bytes.utf8Slice(textStart, textEnd) : '';
      case TAG_BOOL_VALUE:
        return this.bytes[start + 1] === 1 ? 'true' : 'false';
      case TAG_INT_VALUE:
        return String(this.integer(index) ?? '');
      case TAG_DOUBLE_VALUE:
        return start + 9 <= end ? String(this.bytes.readDoubleLE(start + 1)) : '';
      default:
        return '';
    }
  }

  /** The value when it is an int that fits 2^53 or a string of decimal digits. */
  integer(index: number): number | undefined {
    const start = this.valueStart[index] as number;
    if (start < 0) return undefined;
    if (this.bytes[start] === TAG_INT_VALUE) {
      const value = varint(this.bytes, start + 1, this.valueEnd[index] as number);
      return Number.isSafeInteger(value) ? value : undefined;
    }
    if (!this.locateText(index)) return undefined;
    const length = textEnd - textStart;
    if (length === 0 || length > DIGITS_MAX) return undefined;
    let value = 0;
    for (let at = textStart; at < textEnd; at++) {
      const digit = (this.bytes[at] as number) - 0x30;
      if (digit < 0 || digit > 9) return undefined;
      value = value * 10 + digit;
    }
    return value;
  }

  /** When the value is a non-empty string: true, and `textRange()` is where its bytes are. */
  locateText(index: number): boolean {
    const start = this.valueStart[index] as number;
    if (start < 0 || this.bytes[start] !== TAG_STRING_VALUE) return false;
    const end = this.valueEnd[index] as number;
    const length = varint(this.bytes, start + 1, end);
    if (length === 0 || next + length > end) return false;
    textStart = next;
    textEnd = next + length;
    return true;
  }

  private keyValue(bytes: Buffer, start: number, end: number): void {
    let index = -1;
    let valueStart = -1;
    let valueEnd = -1;
    let at = start;
    while (at < end) {
      const tag = varint(bytes, at, end);
      at = next;
      if (tag === TAG_KEY || tag === TAG_VALUE) {
        const length = varint(bytes, at, end);
        const bodyStart = next;
        const bodyEnd = bodyStart + length;
        if (bodyEnd > end) return;
        if (tag === TAG_KEY) {
          index = this.keyIndex(bytes, bodyStart, bodyEnd);
          // Nobody writes the value first, so most attributes end here.
          if (index < 0) return;
        } else {
          valueStart = bodyStart;
          valueEnd = bodyEnd;
        }
        at = bodyEnd;
      } else at = skip(bytes, tag, at, end);
    }
    if (index < 0 || valueStart < 0 || (this.valueStart[index] as number) >= 0) return;
    this.valueStart[index] = valueStart;
    this.valueEnd[index] = valueEnd;
  }

  /** Number of the key that these bytes are, or -1. */
  keyIndex(bytes: Buffer, start: number, end: number): number {
    const length = end - start;
    if (length === 0) return -1;
    const index = this.hash.slots[hashOf(bytes, start, end, this.hash.seed)] as number;
    if (index < 0) return -1;
    const key = this.keyBytes[index] as Buffer;
    if (key.length !== length) return -1;
    for (let i = 0; i < length; i++) if (key[i] !== bytes[start + i]) return -1;
    return index;
  }
}

/** Where attributes stand in a message: field number × 8 + 2. */
export const ATTRIBUTES_OF = { resource: 0x0a, span: 0x4a, event: 0x1a, link: 0x22 } as const;

/** Bytes of the string that `locateText` found last. */
export function textRange(): { start: number; end: number } {
  return { start: textStart, end: textEnd };
}

/**
 * The next length-delimited field with `tag` in [at, end): true, and `fieldRange()` is where its body is.
 * To go on behind it, call again with `at` = the body's end.
 */
export function findField(bytes: Buffer, at: number, end: number, tag: number): boolean {
  let position = at;
  while (position < end) {
    const fieldTag = varint(bytes, position, end);
    position = next;
    if (fieldTag === tag) {
      const length = varint(bytes, position, end);
      if (next + length > end) return false;
      fieldStart = next;
      fieldEnd = next + length;
      return true;
    }
    position = skip(bytes, fieldTag, position, end);
  }
  return false;
}

export function fieldRange(): { start: number; end: number } {
  return { start: fieldStart, end: fieldEnd };
}

// ---- keys are told apart by their length and three of their bytes ----------------------------------------------------

interface KeyHash {
  readonly seed: number;
  /** Key index for each hash, or -1. */
  readonly slots: Int16Array;
}

/** Tries seeds until no two keys meet, so that a lookup is one probe and one comparison. */
function perfectHash(keys: readonly Buffer[]): KeyHash {
  const slots = new Int16Array(HASH_SLOTS);
  for (let seed = 1; seed < HASH_SEEDS_MAX; seed++) {
    slots.fill(-1);
    const collides = keys.some((key, index) => {
      const slot = hashOf(key, 0, key.length, seed);
      if (slots[slot] !== -1) return true;
      slots[slot] = index;
      return false;
    });
    if (!collides) return { seed, slots };
  }
  throw new Error(`No hash without collisions for these ${keys.length} keys`);
}

function hashOf(bytes: Buffer, start: number, end: number, seed: number): number {
  const length = end - start;
  const first = bytes[start] as number;
  const middle = bytes[start + (length >> 1)] as number;
  const beforeLast = bytes[length > 4 ? end - 4 : start] as number;
  const last = bytes[end - 1] as number;
  const mixed = Math.imul(
    (first | (middle << 8) | (beforeLast << 16) | (last << 24)) ^ Math.imul(length, 0x9e3779b1),
    seed * 2 + 1,
  );
  return ((mixed ^ (mixed >>> 15)) >>> 3) & (HASH_SLOTS - 1);
}

const HASH_SLOTS = 1024;
const HASH_SEEDS_MAX = 100_000;

let textStart = 0;
let textEnd = 0;
let fieldStart = 0;
let fieldEnd = 0;

const EMPTY = Buffer.alloc(0);
const DIGITS_MAX = 15;
const TAG_KEY = 0x0a;
const TAG_VALUE = 0x12;
const TAG_STRING_VALUE = 0x0a;
const TAG_BOOL_VALUE = 0x10;
const TAG_INT_VALUE = 0x18;
const TAG_DOUBLE_VALUE = 0x21;
