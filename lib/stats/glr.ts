/**
 * Generalised likelihood ratio of "the error rate rose" against "it is the baseline's", for counts of calls and errors.
 * Two-sample form: the baseline is itself a sample, so little traffic or a young baseline give a small score by
 * construction, without rules of their own.
 */

/**
 * Score of `errors` out of `calls` against a baseline of `baseErrors` out of `baseCalls`; 0 unless the rate is above
 * the baseline's. Under the baseline P(score ≥ g) is at most about e^-g (Chernoff), so thresholds follow from a budget
 * of false alerts. Counts are real numbers ≥ 0, errors ≤ calls, baseCalls > 0.
 */
export function rateIncreaseScore(calls: number, errors: number, baseCalls: number, baseErrors: number): number {
  if (calls <= 0) return 0;
  const rate = errors / calls;
  const baseRate = baseErrors / baseCalls;
  if (rate <= baseRate) return 0;
  const pooled = (errors + baseErrors) / (calls + baseCalls);
  return calls * bernoulliDivergence(rate, pooled) + baseCalls * bernoulliDivergence(baseRate, pooled);
}

/** Kullback-Leibler divergence in nats of two coins that show heads with probability `p` and `q`; 0 ln 0 = 0. */
export function bernoulliDivergence(p: number, q: number): number {
  const heads = p > 0 ? p * Math.log(p / q) : 0;
  const tails = p < 1 ? (1 - p) * Math.log((1 - p) / (1 - q)) : 0;
  return heads + tails;
}

/**
 * Squared Pearson residual of a count of errors: 1 on average when calls fail independently at `rate`, more when they
 * fail in clumps. The mean of many estimates the dispersion of a quasi-binomial. Needs 0 < rate < 1.
 */
export function squaredResidual(calls: number, errors: number, rate: number): number {
  const expected = calls * rate;
  return (errors - expected) ** 2 / (expected * (1 - rate));
}
