import type { Clock } from '../../../lib/runtime/clock.ts';

/**
 * The series of one metric by their labels, bounded as Tempo's metrics-generator bounds its: what comes beyond
 * `seriesMax` goes into one series with the label `metric_overflow="true"`, and a series that nothing was added to for
 * `staleMs` goes away.
 */
export class SeriesSet<S> {
  private readonly limits: SeriesLimits;
  private readonly create: () => S;
  private readonly series = new Map<string, Entry<S>>();
  private overflow: Entry<S> | undefined;

  constructor(limits: SeriesLimits, create: () => S) {
    this.limits = limits;
    this.create = create;
  }

  /** The series of these labels, made when it is new; its values must always come in the same order. */
  of(labels: Readonly<Record<string, string>>): S {
    const key = Object.values(labels).join('\u0000');
    const nowMs = this.limits.clock.monotonicMs();
    let entry = this.series.get(key);
    if (entry === undefined) {
      if (this.series.size >= this.limits.seriesMax) this.forgetStale(nowMs);
      if (this.series.size >= this.limits.seriesMax) return this.overflowing(nowMs);
      entry = { labels, usedMs: nowMs, series: this.create() };
      this.series.set(key, entry);
    }
    entry.usedMs = nowMs;
    return entry.series;
  }

  entries(): Entry<S>[] {
    this.forgetStale(this.limits.clock.monotonicMs());
    const all = [...this.series.values()];
    if (this.overflow !== undefined) all.push(this.overflow);
    return all;
  }

  private overflowing(nowMs: number): S {
    this.limits.onOverflow();
    this.overflow ??= { labels: OVERFLOW_LABELS, usedMs: nowMs, series: this.create() };
    return this.overflow.series;
  }

  private forgetStale(nowMs: number): void {
    for (const [key, { usedMs }] of this.series) if (nowMs - usedMs > this.limits.staleMs) this.series.delete(key);
  }
}

export interface SeriesLimits {
  /** Label sets of one metric. */
  readonly seriesMax: number;
  readonly staleMs: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Told of each change that went into the overflow series. */
  readonly onOverflow: () => void;
}

interface Entry<S> {
  readonly labels: Readonly<Record<string, string>>;
  usedMs: number;
  readonly series: S;
}

/** Tempo's. */
const OVERFLOW_LABELS = { metric_overflow: 'true' } as const;
