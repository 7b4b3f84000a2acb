import type { SparseHistogram } from '../../../lib/stats/duration-histogram.ts';

/**
 * How long the calls of many subjects usually take: decaying counts of durations, one row each, in typed arrays (384
 * bytes a row). A bucket is a quarter of an octave wide, so a bound is off by at most 19 %.
 */
export class DurationBaselines {
  private readonly pages: Float32Array[] = [];

  /** All zero. */
  clear(row: number): void {
    while (row >> PAGE_BITS >= this.pages.length) this.pages.push(new Float32Array(BUCKETS << PAGE_BITS));
    const at = startOf(row);
    this.pageOf(row).fill(0, at, at + BUCKETS);
  }

  /** Adds signed counts. */
  add(row: number, { buckets, counts, zeroCount }: SparseHistogram): void {
    const page = this.pageOf(row);
    const at = startOf(row);
    for (let i = 0; i < buckets.length; i++) {
      const place = at + quarterOctave(buckets[i] as number);
      page[place] = (page[place] as number) + (counts[i] as number);
    }
    page[at] = (page[at] as number) + zeroCount;
  }

  decay(row: number, factor: number): void {
    const page = this.pageOf(row);
    const at = startOf(row);
    for (let i = at; i < at + BUCKETS; i++) page[i] = (page[i] as number) * factor;
  }

  /** Calls counted in buckets above `bucket`; -1 for all. */
  above(row: number, bucket: number): number {
    const page = this.pageOf(row);
    const at = startOf(row);
    let sum = 0;
    // Corrections may drive a bucket below zero for a while.
    for (let i = bucket + 1; i < BUCKETS; i++) sum += Math.max(0, page[at + i] as number);
    return sum;
  }

  /** The lowest bucket with at most a share of `1 - q` above it. -1 when nothing was counted. */
  quantileBucket(row: number, q: number): number {
    const total = this.above(row, -1);
    if (total <= 0) return -1;
    const page = this.pageOf(row);
    const at = startOf(row);
    let above = 0;
    for (let i = BUCKETS - 1; i > 0; i--) {
      above += Math.max(0, page[at + i] as number);
      if (above > (1 - q) * total) return i;
    }
    return 0;
  }

  /** The stretch of buckets that counts something. */
  save(row: number): { firstBucket: number; durations: number[] } {
    const at = startOf(row);
    const all = Array.from(this.pageOf(row).subarray(at, at + BUCKETS));
    const firstBucket = all.findIndex((count) => count !== 0);
    if (firstBucket < 0) return { firstBucket: 0, durations: [] };
    return { firstBucket, durations: all.slice(firstBucket, all.findLastIndex((count) => count !== 0) + 1) };
  }

  restore(row: number, { firstBucket, durations }: { firstBucket: number; durations: readonly number[] }): void {
    this.clear(row);
    this.pageOf(row).set(durations.slice(0, BUCKETS - firstBucket), startOf(row) + firstBucket);
  }

  private pageOf(row: number): Float32Array {
    return this.pages[row >> PAGE_BITS] as Float32Array;
  }
}

/** Calls of a record's histogram that took longer than a bucket of ours, and all of them; both signed. */
export function countAbove(
  { buckets, counts, zeroCount }: SparseHistogram,
  bucket: number,
): [above: number, all: number] {
  let above = 0;
  let all = zeroCount;
  for (let i = 0; i < buckets.length; i++) {
    const count = counts[i] as number;
    all += count;
    if (quarterOctave(buckets[i] as number) > bucket) above += count;
  }
  return [above, all];
}

/** Upper bound of a bucket in microseconds. */
export function upperMicros(bucket: number): number {
  return 2 ** (LOWEST_OCTAVE + (bucket + 1) / PER_OCTAVE);
}

/** Geometric middle of a bucket in microseconds. */
export function middleMicros(bucket: number): number {
  return 2 ** (LOWEST_OCTAVE + (bucket + 0.5) / PER_OCTAVE);
}

/** The lowest bucket whose upper bound is at least so long. */
export function bucketUpTo(micros: number): number {
  const bucket = Math.ceil((Math.log2(micros) - LOWEST_OCTAVE) * PER_OCTAVE) - 1;
  return Math.max(0, Math.min(BUCKETS - 1, bucket));
}

const PER_OCTAVE = 4;
/** 16 microseconds to 268 seconds; what is outside counts in the outermost buckets. */
const LOWEST_OCTAVE = 4;
const BUCKETS = 24 * PER_OCTAVE;
const PAGE_BITS = 8;
const PAGE_MASK = (1 << PAGE_BITS) - 1;
/** Those of records are an eighth of an octave wide and begin at one microsecond. */
const RECORD_BUCKETS = 2;

function quarterOctave(recordBucket: number): number {
  const bucket = Math.floor(recordBucket / RECORD_BUCKETS) - LOWEST_OCTAVE * PER_OCTAVE;
  return bucket < 0 ? 0 : bucket >= BUCKETS ? BUCKETS - 1 : bucket;
}

function startOf(row: number): number {
  return (row & PAGE_MASK) * BUCKETS;
}
