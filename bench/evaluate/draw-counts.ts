import type { SeededRandom } from '../../lib/testkit/traffic/random.ts';

/** Calls in a window with that mean: Poisson, above 100 by the normal approximation. */
export function drawPoisson(random: SeededRandom, mean: number): number {
  if (mean > 100) return Math.max(0, Math.round(mean + Math.sqrt(mean) * drawNormal(random)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random.float(); product > limit; product *= random.float()) count++;
  return count;
}

/** Errors among `calls` that fail independently; exact, by the geometric gaps between successive errors. */
export function drawBinomial(random: SeededRandom, calls: number, rate: number): number {
  if (rate <= 0) return 0;
  if (rate >= 1) return calls;
  if (rate > 0.5) return calls - drawBinomial(random, calls, 1 - rate);
  const perCall = Math.log1p(-rate);
  let errors = 0;
  for (let at = gap(random, perCall); at <= calls; at += gap(random, perCall)) errors++;
  return errors;
}

/** Errors that come in clumps: beta-binomial with intra-window correlation `rho`; binomial for 0. */
export function drawErrors(random: SeededRandom, calls: number, rate: number, rho: number): number {
  if (rho === 0 || rate >= 1 || calls === 0) return drawBinomial(random, calls, rate);
  const weight = 1 / rho - 1;
  const a = drawGamma(random, rate * weight);
  const b = drawGamma(random, (1 - rate) * weight);
  return drawBinomial(random, calls, a / (a + b));
}

function gap(random: SeededRandom, perCall: number): number {
  return Math.floor(Math.log(1 - random.float()) / perCall) + 1;
}

function drawNormal(random: SeededRandom): number {
  return Math.log(random.logNormal(1, 1));
}

/** Marsaglia and Tsang's method (ACM TOMS 26, 2000). */
function drawGamma(random: SeededRandom, shape: number): number {
  if (shape < 1) return drawGamma(random, shape + 1) * (1 - random.float()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = drawNormal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.float()) < x * x * 0.5 + d - d * v + d * Math.log(v)) return d * v;
  }
}
