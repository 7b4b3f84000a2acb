/**
 * 64-bit hash of a span's wire bytes and its service, as two 32-bit lanes, to know a copy again. Not keyed: whoever can
 * send spans can send a colliding one, but only into a trace whose id it knows, and only to drop its own span.
 *
 * Two multiply-rotate lanes over 32-bit little-endian words with MurmurHash3's finaliser; the lanes differ in seed and
 * constants. Words are read whole, wherever the span begins: byte by byte takes nearly twice as long, and this is most of
 * what looking for copies costs.
 */
export function hashSpan(bytes: Buffer, start: number, end: number, seed: number): void {
  let a = seed | 0;
  let b = Math.imul(seed, 0x9e3779b1) | 0;
  let at = start;
  if (IS_LITTLE_ENDIAN) {
    if (bytes.buffer !== words.buffer) words = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2);
    const from = bytes.byteOffset + start;
    const shift = (from & 3) << 3;
    let index = from >> 2;
    // A word that is not aligned has its upper bytes in the next one, which the buffer may not have.
    const stop = Math.min(index + ((end - start) >> 2), words.length - 1);
    at += Math.max(0, stop - index) * 4;
    if (shift === 0) {
      for (; index < stop; index++) {
        const word = words[index] as number;
        a = Math.imul((a ^ word) | 0, 0x85ebca6b);
        a = (a << 13) | (a >>> 19);
        b = Math.imul((b + word) | 0, 0xc2b2ae35);
        b = (b << 17) | (b >>> 15);
      }
    } else if (index < stop) {
      let lower = (words[index] as number) >>> shift;
      while (index < stop) {
        const next = words[++index] as number;
        const word = lower | (next << (32 - shift));
        lower = next >>> shift;
        a = Math.imul((a ^ word) | 0, 0x85ebca6b);
        a = (a << 13) | (a >>> 19);
        b = Math.imul((b + word) | 0, 0xc2b2ae35);
        b = (b << 17) | (b >>> 15);
      }
    }
  }
  for (; at + 4 <= end; at += 4) {
    const word = bytes.readInt32LE(at);
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

/** The buffer that was hashed last, as words: a trace's spans stand in one. */
let words: Int32Array<ArrayBufferLike> = new Int32Array(0);
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

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
