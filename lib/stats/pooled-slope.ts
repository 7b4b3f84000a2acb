export interface Sample {
  readonly x: number;
  readonly y: number;
}

/**
 * Least-squares slope that several series share while each has a level of its own (fixed effects): what grows within
 * series counts, differences between them do not. For memory over time that is growth within the lives of a process,
 * however often it was started anew.
 * @returns y per x; 0 when no series has two different x.
 */
export function pooledSlope(series: Iterable<readonly Sample[]>): number {
  let covariance = 0;
  let variance = 0;
  for (const samples of series) {
    const meanX = samples.reduce((sum, { x }) => sum + x, 0) / samples.length;
    const meanY = samples.reduce((sum, { y }) => sum + y, 0) / samples.length;
    for (const { x, y } of samples) {
      covariance += (x - meanX) * (y - meanY);
      variance += (x - meanX) ** 2;
    }
  }
  return variance === 0 ? 0 : covariance / variance;
}
