import { bucketUpperMicros, DurationHistogram, durationBucket } from '../../../../lib/stats/duration-histogram.ts';

/**
 * How long the traces of each root operation take, by the newest periods, so that a quantile follows what the operation
 * does now. Bounded: while too many operations are known, new ones are not.
 */
export class OperationDurations {
  private readonly options: { readonly quantile: number; readonly periodMs: number; readonly operationsMax: number };
  private periodStartMs = Number.NEGATIVE_INFINITY;
  private readonly operations = new Map<string, Operation>();

  constructor(options: { quantile: number; periodMs: number; operationsMax: number }) {
    this.options = options;
  }

  /** @param streamMs time of the log, so that who reads it again learns the same. */
  record(operation: string, micros: number, streamMs: number): void {
    if (streamMs >= this.periodStartMs + this.options.periodMs) this.turn(streamMs);
    let known = this.operations.get(operation);
    if (known === undefined) {
      if (this.operations.size >= this.options.operationsMax) return;
      known = { older: new DurationHistogram(), newer: new DurationHistogram(), limit: undefined, since: 0 };
      this.operations.set(operation, known);
    }
    known.newer.record(micros);
    if (++known.since < RECOMPUTED_EVERY) return;
    known.since = 0;
    known.limit = this.limitOf(known);
  }

  /** Whether a trace of this operation is beyond the quantile; false until there are enough traces to tell. */
  isSlow(operation: string, micros: number): boolean {
    const limit = this.operations.get(operation)?.limit;
    return limit !== undefined && micros > limit;
  }

  private turn(streamMs: number): void {
    this.periodStartMs = streamMs;
    for (const [name, known] of this.operations) {
      if (known.newer.count === 0) this.operations.delete(name);
      [known.older, known.newer] = [known.newer, known.older];
      known.newer.clear();
    }
  }

  /** The upper end of the quantile's bucket: of an operation that always takes the same, nothing is slow. */
  private limitOf({ older, newer }: Operation): number | undefined {
    const { quantile } = this.options;
    const both = new DurationHistogram();
    for (const each of [older, newer]) {
      const sparse = each.sparse();
      if (sparse !== null) both.merge(sparse);
    }
    // Of fewer, the quantile is the largest alone.
    if (both.count * (1 - quantile) < 1) return undefined;
    return bucketUpperMicros(durationBucket(both.quantileMicros(quantile)));
  }
}

interface Operation {
  older: DurationHistogram;
  newer: DurationHistogram;
  limit: number | undefined;
  since: number;
}

const RECOMPUTED_EVERY = 20;
