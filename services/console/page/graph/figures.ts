import type { GraphNode, Health, Stats } from '../core/api-types.ts';
import { duration, percent, rate, signedPercent } from '../core/format.ts';
import type { GraphLink } from '../core/graph-links.ts';
import { changeOf } from '../core/graph-view.ts';

export type Shown = 'during' | 'before' | 'difference';
type Subject = Pick<GraphNode | GraphLink, 'stats' | 'baseline' | 'verdict'>;

/** The counts of the time that is looked at; undefined: nothing is known of it. */
export function statsOf(subject: Subject, shown: Shown): Stats | undefined {
  return shown === 'before' ? (subject.baseline ?? undefined) : subject.stats;
}

/** The baseline is what health is measured by, so before there is only traffic or none. */
export function healthOf(subject: Subject, shown: Shown): Health {
  if (shown !== 'before') return subject.verdict.health;
  return subject.baseline === null || subject.baseline.calls === 0 ? 'unknown' : 'healthy';
}

/** Rate, errors and p95 in words short enough for a node. */
export function figuresOf(subject: Subject, shown: Shown): { rate: string; errors: string; p95: string } {
  if (shown === 'difference') {
    const change = changeOf(subject.stats, subject.baseline);
    const isNew = subject.baseline === null || subject.baseline.calls === 0;
    return {
      rate: isNew ? 'new' : change.rate === null ? '–' : signedPercent(change.rate),
      errors: change.errorRatio === null ? '–' : `${signedPercent(change.errorRatio)} err`,
      p95: change.p95Ms === null ? '–' : `${change.p95Ms > 0 ? '+' : ''}${duration(change.p95Ms * 1_000)}`,
    };
  }
  const stats = statsOf(subject, shown);
  if (stats === undefined || stats.calls === 0) return { rate: 'no calls', errors: '', p95: '' };
  return {
    rate: rate(stats.callsPerSecond),
    errors: stats.errors === 0 ? '' : `${percent(stats.errorRatio ?? 0)} err`,
    p95: stats.p95Ms === null ? '' : duration(stats.p95Ms * 1_000),
  };
}

const BECAUSE = { errors: 'more errors', latency: 'slower', traffic: 'calls have all but stopped' } as const;

export function becauseOf({ verdict }: Subject): string {
  return verdict.because.map((reason) => BECAUSE[reason]).join(', ');
}

/** A whole sentence, for those who listen. */
export function describe(name: string, subject: Subject, shown: Shown): string {
  const { rate: calls, errors, p95 } = figuresOf(subject, shown);
  const health = healthOf(subject, shown);
  const because = shown === 'before' ? '' : becauseOf(subject);
  return [name, because === '' ? health : `${health}: ${because}`, calls, errors, p95 === '' ? '' : `p95 ${p95}`]
    .filter((part) => part !== '')
    .join(', ');
}
