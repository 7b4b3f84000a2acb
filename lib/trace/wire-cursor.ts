/**
 * The wire format for the scans that run for every span and take bytes that need not be well formed: what does not end
 * inside its parent ends there, and nothing is thrown. Where a read ended is module state, because a pair returned for
 * each varint would be the dearest thing here; take `next` before anything else is read.
 */

/** Where the last varint ended. */
export let next = 0;

/**
 * The value, exact up to 2^53. It sets `next`, which never stays where it was; a varint that does not end before `end` is
 * 0 and ends there.
 */
export function varint(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  if (first < 0x80 && at < end) {
    next = at + 1;
    return first;
  }
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

/** One past the field whose tag was read, where that ended; `end` for a wire type that has no length. */
export function skip(bytes: Uint8Array, tag: number, at: number, end: number): number {
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
