import type { Metrics } from '../../lib/observability/metrics.ts';
import { isClean, type StageFindings, TROUBLES } from './findings.ts';

export interface AuditMetrics {
  /** @param seconds what the round took. @param nowMs epoch milliseconds. */
  round(stages: readonly StageFindings[], seconds: number, nowMs: number): void;
  failed(): void;
}

/** What rounds of the audit found. Counters, because each part of the input is judged once. */
export function auditMetrics(metrics: Metrics): AuditMetrics {
  const judged = metrics.counter(
    'judged_total',
    "Parts of a stage's input, by what became of them: matched, missing, double, foreign, altered, gap.",
    ['stage', 'outcome'],
  );
  const open = metrics.gauge('open', "Parts of a stage's input that are not due yet.", ['stage']);
  const rounds = metrics.counter('rounds_total', 'Rounds, by outcome: clean, unclean, failed.', ['outcome']);
  const last = metrics.gauge('last_round_timestamp_seconds', 'When the last round ended that was not cut short.');
  const took = metrics.gauge('last_round_seconds', 'How long it took.');
  for (const outcome of ['clean', 'unclean', 'failed']) rounds.inc({ outcome }, 0);
  // From 0 on, so that the first trouble is an increase.
  for (const stage of ['bundles', 'traces', 'edges', 'archive']) {
    for (const outcome of ['matched', 'gap', ...TROUBLES]) judged.inc({ stage, outcome }, 0);
  }
  return {
    round(stages, seconds, nowMs) {
      for (const findings of stages) {
        for (const outcome of ['matched', 'gap', ...TROUBLES] as const) {
          judged.inc({ stage: findings.stage, outcome }, findings[outcome]);
        }
        open.set({ stage: findings.stage }, findings.open);
      }
      rounds.inc({ outcome: isClean(stages) ? 'clean' : 'unclean' });
      last.set(nowMs / 1_000);
      took.set(seconds);
    },
    failed: () => rounds.inc({ outcome: 'failed' }),
  };
}
