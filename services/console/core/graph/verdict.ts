import type { Stats, Verdict } from '../api-types.ts';

/**
 * How a subject does against its baseline. The rules stand in docs/design/console.md.
 *
 * @param ratioOfLengths length of the range over that of the baseline: what the baseline's calls are scaled by.
 */
export function verdictOf(stats: Stats, baseline: Stats | null, ratioOfLengths: number): Verdict {
  const errors = errorLevel(stats, baseline);
  const latency = latencyLevel(stats, baseline);
  const traffic = trafficLevel(stats, baseline, ratioOfLengths);
  const because = [
    ...(errors > 0 ? (['errors'] as const) : []),
    ...(latency > 0 ? (['latency'] as const) : []),
    ...(traffic > 0 ? (['traffic'] as const) : []),
  ];
  const worst = Math.max(errors, latency, traffic);
  if (worst > 0) return { health: worst === FAILING ? 'failing' : 'degraded', because };
  return { health: stats.calls < CALLS_MIN ? 'unknown' : 'healthy', because };
}

function errorLevel(stats: Stats, baseline: Stats | null): number {
  const usual =
    baseline === null || baseline.calls === 0
      ? USUAL_RATIO
      : (baseline.errors + USUAL_RATIO * PRIOR_CALLS) / (baseline.calls + PRIOR_CALLS);
  const low = wilsonLow(stats.errors, stats.calls);
  if (low >= usual + 0.05 && low >= 3 * usual) return FAILING;
  return low >= usual + 0.01 && low >= 2 * usual ? DEGRADED : FINE;
}

function latencyLevel(stats: Stats, baseline: Stats | null): number {
  if (baseline === null || stats.calls < DURATIONS_MIN || baseline.calls < DURATIONS_MIN) return FINE;
  if (stats.p95Ms === null || baseline.p95Ms === null) return FINE;
  const more = stats.p95Ms - baseline.p95Ms;
  if (more >= 100 && stats.p95Ms >= 10 * baseline.p95Ms) return FAILING;
  return more >= 5 && stats.p95Ms >= 2 * baseline.p95Ms ? DEGRADED : FINE;
}

function trafficLevel(stats: Stats, baseline: Stats | null, ratioOfLengths: number): number {
  const expected = (baseline?.calls ?? 0) * ratioOfLengths;
  return expected >= EXPECTED_MIN && stats.calls < expected / 10 ? DEGRADED : FINE;
}

/** Lower end of the 95 % Wilson score interval of a share. */
export function wilsonLow(hits: number, of: number): number {
  if (of === 0) return 0;
  const share = hits / of;
  const z2 = Z * Z;
  const centre = share + z2 / (2 * of);
  const spread = Z * Math.sqrt((share * (1 - share)) / of + z2 / (4 * of * of));
  return Math.max(0, (centre - spread) / (1 + z2 / of));
}

const FINE = 0;
const DEGRADED = 1;
const FAILING = 2;
const Z = 1.96;
/** What a baseline is taken for that is not known, and how many calls it weighs. */
const USUAL_RATIO = 0.005;
const PRIOR_CALLS = 100;
const CALLS_MIN = 5;
const DURATIONS_MIN = 20;
const EXPECTED_MIN = 50;
