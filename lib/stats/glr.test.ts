import { describe, expect, it } from '@jest/globals';
import { bernoulliDivergence, rateIncreaseScore, squaredResidual } from './glr.ts';

describe('rateIncreaseScore', () => {
  it('is zero at and below the baseline rate, and without calls', () => {
    expect(rateIncreaseScore(100, 1, 1000, 10)).toBe(0);
    expect(rateIncreaseScore(100, 0, 1000, 10)).toBe(0);
    expect(rateIncreaseScore(0, 0, 1000, 10)).toBe(0);
  });

  it('equals the likelihood ratio of two rates against one, worked out from the likelihoods themselves', () => {
    const logLikelihood = (n: number, k: number, p: number) => k * Math.log(p) + (n - k) * Math.log(1 - p);
    const [n, k, baseN, baseK] = [80, 20, 500, 7];
    const pooled = (k + baseK) / (n + baseN);
    const expected =
      logLikelihood(n, k, k / n) +
      logLikelihood(baseN, baseK, baseK / baseN) -
      logLikelihood(n, k, pooled) -
      logLikelihood(baseN, baseK, pooled);
    expect(rateIncreaseScore(n, k, baseN, baseK)).toBeCloseTo(expected, 9);
  });

  it('cannot grow past what a young baseline supports, however much traffic fails', () => {
    const ceiling = 100 * bernoulliDivergence(0.005, 0.05);
    expect(rateIncreaseScore(1e6, 5e4, 100, 0.5)).toBeLessThanOrEqual(ceiling);
    expect(rateIncreaseScore(1e6, 5e4, 100, 0.5)).toBeGreaterThan(ceiling * 0.99);
  });

  it('is finite when every call fails', () => {
    expect(rateIncreaseScore(5, 5, 100, 0.5)).toBeGreaterThan(12);
    expect(Number.isFinite(rateIncreaseScore(5, 5, 100, 0.5))).toBe(true);
  });
});

describe('squaredResidual', () => {
  it('averages 1 over a binomial', () => {
    const [n, p] = [40, 0.1];
    let mean = 0;
    let mass = (1 - p) ** n;
    for (let k = 0; k <= n; k++) {
      mean += mass * squaredResidual(n, k, p);
      mass *= ((n - k) / (k + 1)) * (p / (1 - p));
    }
    expect(mean).toBeCloseTo(1, 9);
  });
});
