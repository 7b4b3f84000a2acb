/**
 * An exponential histogram of durations, OpenTelemetry scale 3: bucket i counts (2^(i/8), 2^((i+1)/8)] microseconds, so
 * that a bucket's middle is off by at most 4.4 %. Counts may be negative in between: corrections are signed.
 *
 * Merging is adding, in any order. Longer durations than DURATION_MAX_MICROS (9.5 hours; a clock that jumped, a span
 * stamped 2099) count as that long, in buckets and sum, so that one wild span does not drown an average.
 */
export class DurationHistogram {
  /** Durations of at most one microsecond, or negative ones. */
  zeroCount = 0;
  sumMicros = 0;
  /** Up to 2^31 durations in each. */
  private readonly counts = new Int32Array(BUCKETS);
  /** Buckets outside [lowest, highest] were never touched. */
  private lowest = BUCKETS;
  private highest = -1;

  /** @param micros any number; @param times signed. */
  record(micros: number, times = 1): void {
    if (!(micros > 1)) {
      this.zeroCount += times;
      if (micros === 1) this.sumMicros += times;
      return;
    }
    const limited = Math.min(micros, DURATION_MAX_MICROS);
    this.add(durationBucket(limited), times);
    this.sumMicros += Math.round(limited) * times;
  }

  merge(other: SparseHistogram, sign: 1 | -1 = 1): void {
    for (let i = 0; i < other.buckets.length; i++) {
      const bucket = Math.max(0, Math.min(BUCKETS - 1, other.buckets[i] as number));
      this.add(bucket, (other.counts[i] as number) * sign);
    }
    this.zeroCount += other.zeroCount * sign;
    this.sumMicros += other.sumMicros * sign;
  }

  /** Durations counted; what corrections have driven below zero counts as nothing. */
  get count(): number {
    let total = Math.max(0, this.zeroCount);
    for (let i = this.lowest; i <= this.highest; i++) total += Math.max(0, this.counts[i] as number);
    return total;
  }

  /**
   * The duration below which a share `q` of them lies, in microseconds: the geometric middle of the bucket that holds
   * it. NaN when nothing was counted.
   */
  quantileMicros(q: number): number {
    const total = this.count;
    if (total === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(q * total));
    let seen = Math.max(0, this.zeroCount);
    if (seen >= rank) return 0;
    for (let i = this.lowest; i <= this.highest; i++) {
      seen += Math.max(0, this.counts[i] as number);
      if (seen >= rank) return bucketMiddleMicros(i);
    }
    return bucketMiddleMicros(this.highest);
  }

  /** What a record carries; null when it would say nothing. */
  sparse(): SparseHistogram | null {
    const buckets: number[] = [];
    const counts: number[] = [];
    for (let i = this.lowest; i <= this.highest; i++) {
      const count = this.counts[i] as number;
      if (count === 0) continue;
      buckets.push(i);
      counts.push(count);
    }
    if (buckets.length === 0 && this.zeroCount === 0 && this.sumMicros === 0) return null;
    return { buckets, counts, zeroCount: this.zeroCount, sumMicros: this.sumMicros };
  }

  /** Calls back with each bucket that counts something, ascending. */
  forEachBucket(visit: (bucket: number, count: number) => void): void {
    for (let i = this.lowest; i <= this.highest; i++) {
      const count = this.counts[i] as number;
      if (count !== 0) visit(i, count);
    }
  }

  clear(): void {
    if (this.highest >= 0) this.counts.fill(0, this.lowest, this.highest + 1);
    this.lowest = BUCKETS;
    this.highest = -1;
    this.zeroCount = 0;
    this.sumMicros = 0;
  }

  private add(bucket: number, times: number): void {
    this.counts[bucket] = (this.counts[bucket] as number) + times;
    if (bucket < this.lowest) this.lowest = bucket;
    if (bucket > this.highest) this.highest = bucket;
  }
}

/** The form in records: only buckets that count something, ascending. */
export interface SparseHistogram {
  buckets: number[];
  counts: number[];
  zeroCount: number;
  sumMicros: number;
}

const BUCKETS_PER_OCTAVE = 8;
/** 35 octaves. */
const BUCKETS = 35 * BUCKETS_PER_OCTAVE;
export const DURATION_MAX_MICROS = 2 ** 35;

/** Bucket of a duration above one microsecond. */
export function durationBucket(micros: number): number {
  const bucket = Math.ceil(Math.log2(micros) * BUCKETS_PER_OCTAVE) - 1;
  return bucket < 0 ? 0 : bucket >= BUCKETS ? BUCKETS - 1 : bucket;
}

/** Upper bound of a bucket, which belongs to it. */
export function bucketUpperMicros(bucket: number): number {
  return 2 ** ((bucket + 1) / BUCKETS_PER_OCTAVE);
}

/** Geometric middle: no duration in the bucket is further than 4.4 % from it. */
export function bucketMiddleMicros(bucket: number): number {
  return 2 ** ((bucket + 0.5) / BUCKETS_PER_OCTAVE);
}
