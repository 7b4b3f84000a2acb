import { DurationHistogram, type SparseHistogram } from '../../../../lib/stats/duration-histogram.ts';
import type { Stats } from '../api-types.ts';

/** Calls, errors and durations, added up. Counts are signed until they are shown: corrections take back. */
export class Tally {
  calls = 0;
  errors = 0;
  readonly histogram = new DurationHistogram();

  add(calls: number, errors: number, durations: SparseHistogram | null): void {
    this.calls += calls;
    this.errors += errors;
    if (durations !== null) this.histogram.merge(durations);
  }

  stats(rangeMs: number): Stats {
    const calls = Math.max(0, this.calls);
    const errors = Math.min(calls, Math.max(0, this.errors));
    return {
      calls,
      errors,
      errorRatio: calls === 0 ? null : errors / calls,
      callsPerSecond: rangeMs <= 0 ? 0 : calls / (rangeMs / 1000),
      ...this.durations(),
      meanMs: this.histogram.count === 0 ? null : Math.max(0, this.histogram.sumMicros) / this.histogram.count / 1000,
    };
  }

  durations(): Pick<Stats, 'p50Ms' | 'p95Ms' | 'p99Ms'> {
    const ms = (q: number): number | null => {
      const micros = this.histogram.quantileMicros(q);
      return Number.isNaN(micros) ? null : micros / 1000;
    };
    return { p50Ms: ms(0.5), p95Ms: ms(0.95), p99Ms: ms(0.99) };
  }
}

/** A histogram as a column holds it. */
export function histogramText(histogram: DurationHistogram): string {
  const sparse = histogram.sparse();
  return sparse === null ? '' : JSON.stringify([sparse.zeroCount, sparse.sumMicros, sparse.buckets, sparse.counts]);
}

export function readHistogram(text: string): SparseHistogram | null {
  if (text === '') return null;
  const [zeroCount, sumMicros, buckets, counts] = JSON.parse(text) as [number, number, number[], number[]];
  return { zeroCount, sumMicros, buckets, counts };
}
