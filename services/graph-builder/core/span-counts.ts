import { DurationHistogram } from '../../../lib/stats/duration-histogram.ts';

/** Spans per operation, kind and status since the last commit, for `traces_spanmetrics_*`; not part of the deltas. */
export class SpanCounts {
  private readonly rows = new Map<number, SpanCount>();
  private readonly spare: SpanCount[] = [];

  get size(): number {
    return this.rows.size;
  }

  /** @param operation number in the NameTable; @param kind,status as in OTLP; @param bytes of the span on the wire. */
  add(operation: number, kind: number, status: number, micros: number, bytes: number, sign: number): SpanCount {
    const key = operation * KINDS_AND_STATUSES + kind * STATUSES + status;
    let row = this.rows.get(key);
    if (row === undefined) {
      row = this.spare.pop() ?? newSpanCount();
      row.operation = operation;
      row.kind = kind;
      row.status = status;
      this.rows.set(key, row);
    }
    row.calls += sign;
    row.bytes += bytes * sign;
    row.duration.record(micros, sign);
    return row;
  }

  forEach(visit: (row: SpanCount) => void): void {
    for (const row of this.rows.values()) visit(row);
  }

  clear(): void {
    for (const row of this.rows.values()) {
      if (this.spare.length >= SPARE_MAX) break;
      row.calls = 0;
      row.bytes = 0;
      row.exemplar = undefined;
      row.duration.clear();
      this.spare.push(row);
    }
    this.rows.clear();
  }
}

export interface SpanCount {
  operation: number;
  kind: number;
  status: number;
  /** Signed. */
  calls: number;
  /** Signed. */
  bytes: number;
  readonly duration: DurationHistogram;
  /** The slowest. */
  exemplar: { readonly traceId: string; readonly spanId: string; readonly durationMicros: number } | undefined;
}

function newSpanCount(): SpanCount {
  const duration = new DurationHistogram();
  return { operation: 0, kind: 0, status: 0, calls: 0, bytes: 0, duration, exemplar: undefined };
}

const STATUSES = 4;
const KINDS_AND_STATUSES = 8 * STATUSES;
const SPARE_MAX = 1024;
