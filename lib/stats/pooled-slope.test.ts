import { describe, expect, it } from '@jest/globals';
import { pooledSlope } from './pooled-slope.ts';

const line = (slope: number, level: number, from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ x: from + i, y: level + slope * (from + i) }));

describe('pooledSlope', () => {
  it.each([
    ['one series', [line(3, 10, 0, 5)], 3],
    ['a shared slope at different levels', [line(3, 10, 0, 5), line(3, -900, 40, 9)], 3],
    ['steps between flat series', [line(0, 10, 0, 5), line(0, 500, 5, 5)], 0],
    ['nothing', [], 0],
    ['single samples', [line(3, 10, 0, 1), line(3, 10, 9, 1)], 0],
  ])('%s', (_, series, expected) => {
    expect(pooledSlope(series)).toBeCloseTo(expected, 9);
  });

  it('weighs longer series more', () => {
    const slope = pooledSlope([line(1, 0, 0, 50), line(-5, 0, 0, 3)]);
    expect(slope).toBeGreaterThan(0.99);
    expect(slope).toBeLessThan(1);
  });
});
