/**
 * A digest of rows that does not depend on their order or on the objects that they stand in: the sum of a hash for each
 * row. So an archiver can tell it from a trace's bytes before anything is encoded, and the digest of a compacted object
 * is the sum of its sources'. It finds rows that are missing, double or another's; it is no defence against forgery.
 *
 * Two lanes of 32 bits with MurmurHash3's mixing: https://github.com/aappleby/smhasher (public domain).
 */
export class RowDigest {
  private low = 0;
  private high = 0;

  /** @param words of the row as `spanWords` or `traceWords` have them, 32 bits each. */
  add(words: Int32Array): void {
    this.low = (this.low + hash(words, SEED_LOW)) | 0;
    this.high = (this.high + hash(words, SEED_HIGH)) | 0;
  }

  /** Adds the rows of another one. */
  addAll(other: RowDigest): void {
    this.low = (this.low + other.low) | 0;
    this.high = (this.high + other.high) | 0;
  }

  /** @param hex what another digest's `hex` gave. */
  addDigest(hex: string): void {
    this.high = (this.high + Number.parseInt(hex.slice(0, 8), 16)) | 0;
    this.low = (this.low + Number.parseInt(hex.slice(8), 16)) | 0;
  }

  /** 16 hexadecimal digits. */
  hex(): string {
    return `${hex8(this.high)}${hex8(this.low)}`;
  }
}

/**
 * The words of a span's row: trace id (4), span id (2), start and duration (2 each, low half first), kind and status.
 * Ids are read as big-endian words, which is how their hexadecimal text reads.
 */
export const SPAN_WORDS = 11;
/** The words of a trace's row: trace id (4), revision, spans, start in microseconds and duration (2 each, low half first). */
export const TRACE_WORDS = 10;

export const KIND_WORDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
export const STATUS_WORDS = ['unset', 'ok', 'error'];

/** One word for both, by the numbers of OTLP. */
export function kindAndStatus(kind: number, status: number): number {
  return (kind in KIND_WORDS ? kind : 0) * 16 + (status in STATUS_WORDS ? status : 0);
}

function hash(words: Int32Array, seed: number): number {
  let h = seed;
  for (let i = 0; i < words.length; i++) {
    let k = Math.imul(words[i] as number, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    h ^= k;
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  h ^= words.length * 4;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function hex8(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}

const SEED_LOW = 0x5350414e;
const SEED_HIGH = 0x4c4f4f4d;
