import type { DurationHistogram, ServiceEdgeDelta } from '../../lib/codec/records.ts';
import { report, type StageFindings } from './findings.ts';

/** Signed sums of deltas per subject and window: every integer of them. Exemplars are samples and are left out. */
export class EdgeSums {
  private readonly sums = new Map<string, Map<string, number>>();

  add(delta: ServiceEdgeDelta): void {
    const { subject, windowStart, client, server, connectionType, clientOperation, serverOperation } = delta;
    const key = [
      subject,
      windowStart,
      client,
      server,
      connectionType,
      delta.peerKind,
      clientOperation,
      serverOperation,
    ];
    const name = [...key, delta.confidence].join('|');
    const sum = this.sums.get(name) ?? new Map<string, number>();
    this.sums.set(name, sum);
    for (const counter of COUNTERS) bump(sum, counter, delta[counter]);
    addHistogram(sum, 'client', delta.clientDuration);
    addHistogram(sum, 'server', delta.serverDuration);
    addHistogram(sum, 'gap', delta.networkGap);
    addHistogram(sum, 'queue', delta.queueDelay);
    for (const { traceId, sign } of delta.failures) bump(sum, `failure ${traceId}`, sign);
  }

  /** Compares with what a fold of the traces gives. */
  compare(expected: EdgeSums, at: string, findings: StageFindings): void {
    for (const name of new Set([...this.sums.keys(), ...expected.sums.keys()])) {
      const [own, other] = [this.sums.get(name) ?? NONE, expected.sums.get(name) ?? NONE];
      for (const counter of new Set([...own.keys(), ...other.keys()])) {
        const surplus = (own.get(counter) ?? 0) - (other.get(counter) ?? 0);
        if (surplus === 0) findings.matched++;
        else {
          const kind = surplus < 0 ? 'missing' : other === NONE ? 'foreign' : 'double';
          const detail = `${name}: ${counter} is ${own.get(counter) ?? 0}, the traces say ${other.get(counter) ?? 0}`;
          report(findings, kind, at, detail);
        }
      }
    }
  }
}

function addHistogram(sum: Map<string, number>, side: string, histogram: DurationHistogram | null): void {
  if (histogram === null) return;
  bump(sum, `${side} sumMicros`, histogram.sumMicros);
  bump(sum, `${side} zeroCount`, histogram.zeroCount);
  for (const [i, bucket] of histogram.buckets.entries())
    bump(sum, `${side} bucket ${bucket}`, histogram.counts[i] ?? 0);
}

function bump(sum: Map<string, number>, counter: string, by: number): void {
  sum.set(counter, (sum.get(counter) ?? 0) + by);
}

/** `traces` is left out: which operation of a pair counts a trace depends on where commits fall. */
const COUNTERS = ['calls', 'errors', 'errors4xx'] as const;
const NONE: ReadonlyMap<string, number> = new Map();
