import type { ServiceEdgeDelta } from '../../../lib/codec/records.ts';
import type { Fault } from './fault.ts';
import type { MadeSpan } from './made-span.ts';

/** Baseline: the cause is the service that recorded the most error spans while the fault lasted. */
export class ErrorSpanRanking {
  private readonly faults: readonly Fault[];
  private readonly counts: Map<string, number>[];

  constructor(faults: readonly Fault[]) {
    this.faults = faults;
    this.counts = faults.map(() => new Map());
  }

  add(spans: readonly MadeSpan[]): void {
    for (const { service, error, startMs } of spans) {
      if (error === undefined) continue;
      this.faults.forEach(({ fromMs, untilMs }, i) => {
        if (startMs < fromMs || startMs >= untilMs) return;
        const counts = this.counts[i] as Map<string, number>;
        counts.set(service, (counts.get(service) ?? 0) + 1);
      });
    }
  }

  /** Place of the fault's service, from 1; Infinity when it is not among them. */
  rankOf(fault: number): number {
    const ranked = [...(this.counts[fault] as Map<string, number>)].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return rankIn(
      ranked.map(([service]) => service),
      (this.faults[fault] as Fault).service,
    );
  }
}

/** Baseline: an edge alerts when more than 5 % of at least 20 calls fail while the fault lasts; the worst is the cause. */
export class StaticRule {
  private readonly faults: readonly Fault[];
  private readonly startUnixMs: number;
  private readonly edges: Map<string, EdgeCounts>[];

  constructor(faults: readonly Fault[], startUnixMs: number) {
    this.faults = faults;
    this.startUnixMs = startUnixMs;
    this.edges = faults.map(() => new Map());
  }

  add(deltas: readonly ServiceEdgeDelta[]): void {
    for (const { subject, client, server, windowStart, calls, errors } of deltas) {
      if (subject !== 'edge') continue;
      const atMs = windowStart / 1000 - this.startUnixMs;
      this.faults.forEach(({ fromMs, untilMs }, i) => {
        if (atMs < fromMs || atMs >= untilMs) return;
        const edges = this.edges[i] as Map<string, EdgeCounts>;
        const counts = edges.get(`${client} ${server}`) ?? { server, calls: 0, errors: 0 };
        counts.calls += calls;
        counts.errors += errors;
        edges.set(`${client} ${server}`, counts);
      });
    }
  }

  /** Edges that alert, each an alert of its own. */
  get alerts(): number {
    return new Set(this.faults.flatMap((_, i) => this.alerting(i).map(([edge]) => edge))).size;
  }

  rankOf(fault: number): number {
    const servers = this.alerting(fault).map(([, { server }]) => server);
    return rankIn([...new Set(servers)], (this.faults[fault] as Fault).service);
  }

  private alerting(fault: number): [string, EdgeCounts][] {
    return [...(this.edges[fault] as Map<string, EdgeCounts>)]
      .filter(([, { calls, errors }]) => calls >= 20 && errors > 0.05 * calls)
      .sort(([a, m], [b, n]) => n.errors / n.calls - m.errors / m.calls || n.errors - m.errors || (a < b ? -1 : 1));
  }
}

interface EdgeCounts {
  readonly server: string;
  calls: number;
  errors: number;
}

function rankIn(names: readonly string[], name: string): number {
  const at = names.indexOf(name);
  return at < 0 ? Number.POSITIVE_INFINITY : at + 1;
}
