/** A figure and its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Events per unit, when so many were counted (Byar's approximation of the Poisson interval). */
export function ratePer(units: number, count: number): Estimate {
  return { value: count / units, low: poissonBound(count, -1) / units, high: poissonBound(count, 1) / units };
}

/** Share of hits (Wilson's interval). Of nothing at all nothing is known: NaN. */
export function share(hits: number, count: number): Estimate {
  const value = hits / count;
  const middle = (value + Z95 ** 2 / (2 * count)) / (1 + Z95 ** 2 / count);
  const half = (Z95 * Math.sqrt((value * (1 - value)) / count + Z95 ** 2 / (4 * count ** 2))) / (1 + Z95 ** 2 / count);
  return { value, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/** A figure of independent parts, such as F1 over faults: its spread by the jackknife, which leaves out one at a time. */
export function jackknife<T>(parts: readonly T[], figure: (parts: readonly T[]) => number): Estimate {
  const value = figure(parts);
  const without = parts.map((_, i) => figure(parts.filter((_part, j) => j !== i)));
  const mean = without.reduce((sum, one) => sum + one, 0) / without.length;
  const spread = without.reduce((sum, one) => sum + (one - mean) ** 2, 0) * ((without.length - 1) / without.length);
  const half = Z95 * Math.sqrt(spread);
  return { value, low: value - half, high: value + half };
}

/** The upper one of the two in the middle; Infinity for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.POSITIVE_INFINITY;
}

const Z95 = 1.96;

function poissonBound(count: number, side: 1 | -1): number {
  const at = side === 1 ? count + 1 : count;
  return at === 0 ? 0 : at * (1 - 1 / (9 * at) + (side * Z95) / (3 * Math.sqrt(at))) ** 3;
}
