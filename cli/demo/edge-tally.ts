import type { DurationHistogram, ServiceEdgeDelta } from '../../lib/codec/records.ts';

/** One edge as the deltas of spanloom.service-edges add up to it. */
export interface EdgeSum {
  readonly client: string;
  readonly server: string;
  readonly connectionType: string;
  readonly peerKind: string;
  readonly calls: number;
  readonly errors: number;
  /** Of the client's durations; undefined when no client was traced. */
  readonly p95Ms: number | undefined;
}

/** Sums deltas over partitions and windows, whatever their order; counts below zero read as zero, as consumers must. */
export class EdgeTally {
  private readonly sums = new Map<string, MutableSum>();

  add(delta: ServiceEdgeDelta): void {
    if (delta.subject !== 'edge') return;
    const key = `${delta.client}|${delta.server}|${delta.connectionType}`;
    let sum = this.sums.get(key);
    if (sum === undefined) {
      const { client, server, connectionType, peerKind } = delta;
      sum = { client, server, connectionType, peerKind, calls: 0, errors: 0, zeroCount: 0, buckets: new Map() };
      this.sums.set(key, sum);
    }
    sum.calls += delta.calls;
    sum.errors += delta.errors;
    if (delta.clientDuration !== null) addHistogram(sum, delta.clientDuration);
  }

  /** Sorted by client, then server; edges that add up to nothing are left out. */
  edges(): EdgeSum[] {
    return [...this.sums.entries()]
      .filter(([, sum]) => sum.calls > 0 || sum.errors > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { client, server, connectionType, peerKind, calls, errors, zeroCount, buckets }]) => ({
        client,
        server,
        connectionType,
        peerKind,
        calls: Math.max(0, calls),
        errors: Math.max(0, errors),
        p95Ms: quantileMs(zeroCount, buckets, 0.95),
      }));
  }
}

interface MutableSum {
  readonly client: string;
  readonly server: string;
  readonly connectionType: string;
  readonly peerKind: string;
  calls: number;
  errors: number;
  zeroCount: number;
  readonly buckets: Map<number, number>;
}

function addHistogram(sum: MutableSum, histogram: DurationHistogram): void {
  sum.zeroCount += histogram.zeroCount;
  histogram.buckets.forEach((bucket, i) => {
    sum.buckets.set(bucket, (sum.buckets.get(bucket) ?? 0) + (histogram.counts[i] ?? 0));
  });
}

/** The middle, in the logarithm, of the bucket that holds the quantile: bucket i is (2^(i/8), 2^((i+1)/8)] µs. */
function quantileMs(zeroCount: number, buckets: ReadonlyMap<number, number>, quantile: number): number | undefined {
  const ascending = [...buckets.entries()].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  const total = ascending.reduce((sum, [, count]) => sum + count, Math.max(0, zeroCount));
  if (total === 0) return undefined;
  let left = quantile * total - Math.max(0, zeroCount);
  if (left <= 0) return 0;
  for (const [bucket, count] of ascending) {
    left -= count;
    if (left <= 0) return 2 ** ((bucket + 0.5) / BUCKETS_PER_DOUBLING) / MICROS_PER_MS;
  }
  return undefined;
}

const BUCKETS_PER_DOUBLING = 8;
const MICROS_PER_MS = 1_000;
