import { describe, expect, it } from '@jest/globals';
import { bucketUpperMicros, DURATION_MAX_MICROS, DurationHistogram, durationBucket } from './duration-histogram.ts';

describe('DurationHistogram', () => {
  it('puts a duration on a bound into the bucket below it', () => {
    expect(durationBucket(2)).toBe(7);
    expect(durationBucket(2.0001)).toBe(8);
    expect(durationBucket(1024)).toBe(79);
    expect(bucketUpperMicros(7)).toBe(2);
  });

  it('answers quantiles within 4.4 % of the exact ones', () => {
    const histogram = new DurationHistogram();
    const exact: number[] = [];
    let seed = 12345;
    for (let i = 0; i < 10_000; i++) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      const micros = Math.exp((seed / 2 ** 32) * 15);
      exact.push(micros);
      histogram.record(micros);
    }
    exact.sort((a, b) => a - b);
    for (const q of [0.01, 0.25, 0.5, 0.9, 0.99, 1]) {
      const truth = exact[Math.max(0, Math.ceil(q * exact.length) - 1)] as number;
      const answer = histogram.quantileMicros(q);
      expect(Math.abs(answer - truth) / truth).toBeLessThan(0.0443);
    }
  });

  it('merges to the same in any order and takes corrections back to nothing', () => {
    const parts = [
      [5, 70, 900],
      [70, 70, 0, -3],
      [1e9, 2, 1],
    ].map((durations) => {
      const part = new DurationHistogram();
      for (const micros of durations) part.record(micros);
      return part.sparse();
    });
    const forward = new DurationHistogram();
    const backward = new DurationHistogram();
    for (const part of parts) if (part !== null) forward.merge(part);
    for (const part of parts.reverse()) if (part !== null) backward.merge(part);
    expect(forward.sparse()).toEqual(backward.sparse());
    expect(forward.count).toBe(10);
    expect(forward.zeroCount).toBe(3);
    for (const part of parts) if (part !== null) forward.merge(part, -1);
    expect(forward.sparse()).toBeNull();
    expect(forward.quantileMicros(0.5)).toBeNaN();
  });

  it('counts negative durations as zero and wild ones as the longest', () => {
    const histogram = new DurationHistogram();
    for (const micros of [-5, 0, Number.NaN, 1]) histogram.record(micros);
    expect(histogram.zeroCount).toBe(4);
    histogram.record(4e18);
    expect(histogram.count).toBe(5);
    expect(histogram.sumMicros).toBe(DURATION_MAX_MICROS + 1);
    expect(histogram.quantileMicros(1)).toBeLessThanOrEqual(DURATION_MAX_MICROS);
  });

  it('is empty again after clear', () => {
    const histogram = new DurationHistogram();
    histogram.record(300, 4);
    histogram.clear();
    expect(histogram.sparse()).toBeNull();
    histogram.record(9);
    expect(histogram.sparse()).toEqual({ buckets: [durationBucket(9)], counts: [1], zeroCount: 0, sumMicros: 9 });
  });
});
