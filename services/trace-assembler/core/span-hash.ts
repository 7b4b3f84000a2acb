/**
 * 64-bit hash of a span's wire bytes and its service, as two 32-bit lanes, to know a copy again. Not keyed: whoever can
 * send spans can send a colliding one, but only into a trace whose id it knows, and only to drop its own span.
 *
 * Two multiply-rotate lanes over 32-bit words with MurmurHash3's finaliser; the lanes differ in seed and constants.
 */
export function hashSpan(bytes: Buffer, start: number, end: number, seed: number): void {
  let a = seed | 0;
  let b = Math.imul(seed, 0x9e3779b1) | 0;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    a = Math.imul((a ^ word) | 0, 0x85ebca6b);
    a = (a << 13) | (a >>> 19);
    b = Math.imul((b + word) | 0, 0xc2b2ae35);
    b = (b << 17) | (b >>> 15);
  }
  for (; at < end; at++) {
    a = Math.imul(a ^ (bytes[at] as number), 0x01000193);
    b = Math.imul(b + (bytes[at] as number), 0x27d4eb2f);
  }
  hashHi = finalise(a ^ (end - start));
  hashLo = finalise(b + hashHi);
}

/** Results of the last `hashSpan`: unsigned 32-bit halves. Module state, so that the hot loop allocates nothing. */
export let hashHi = 0;
export let hashLo = 0;

/** Seed for a service: FNV-1a of its UTF-16 units. */
export function hashService(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

function finalise(value: number): number {
  let h = value | 0;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}
