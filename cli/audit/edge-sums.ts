import type { DurationHistogram, ServiceEdgeDelta } from '../../lib/codec/records.ts';
import { OTHER } from '../../services/graph-builder/core/name-table.ts';
import { report, type StageFindings } from './findings.ts';
import { keyOf } from './hash.ts';
import type { Slice } from './slices.ts';

/**
 * Signed sums of deltas per subject and window: every integer of them. Exemplars are samples and are left out.
 *
 * Which names a worker counts as `__other__` once a limit is reached depends on where its commits fall, and another fold
 * of the same traces draws other borders. Of what has such a name the sums are compared over all names that it may stand
 * for: of a service over its operations, and over all services when services themselves are too many.
 */
export class EdgeSums {
  private readonly slice: Slice;
  private readonly sums = new Map<string, Sum>();
  private readonly crowded = new Set<string>();

  constructor(slice: Slice) {
    this.slice = slice;
  }

  add(delta: ServiceEdgeDelta): void {
    const { client, server } = delta;
    if (delta.clientOperation === OTHER) this.crowded.add(client);
    if (delta.serverOperation === OTHER) this.crowded.add(server);
    for (const service of [client, server]) if (service === OTHER) this.crowded.add(OTHER);
    if (!this.slice.has(sliceKey(delta))) return;
    const sum = this.sumOf(delta);
    const before = sum.counters.size;
    for (const counter of COUNTERS) bump(sum.counters, counter, delta[counter]);
    addHistogram(sum.counters, 'client', delta.clientDuration);
    addHistogram(sum.counters, 'server', delta.serverDuration);
    addHistogram(sum.counters, 'gap', delta.networkGap);
    addHistogram(sum.counters, 'queue', delta.queueDelay);
    for (const { traceId, sign } of delta.failures) bump(sum.counters, `failure ${traceId}`, sign);
    this.slice.count(sum.counters.size - before);
  }

  /** Compares with what a fold of the traces gives. */
  compare(expected: EdgeSums, at: string, findings: StageFindings): void {
    const crowded = new Set([...this.crowded, ...expected.crowded]);
    const [mine, theirs] = [this.coarser(crowded), expected.coarser(crowded)];
    for (const name of new Set([...mine.keys(), ...theirs.keys()])) {
      const [own, other] = [mine.get(name)?.counters ?? NONE, theirs.get(name)?.counters ?? NONE];
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

  /** @param crowded services whose operations cannot be told apart; with OTHER among them, no service can. */
  private coarser(crowded: ReadonlySet<string>): ReadonlyMap<string, Sum> {
    if (crowded.size === 0) return this.sums;
    const service = (name: string) => (name === '' || !crowded.has(OTHER) ? name : OTHER);
    // Whom a peer calls, or who calls an entry, has an operation without a name, which is as much one too many as others.
    const operation = (of: string, name: string) =>
      of === '' || !(crowded.has(of) || crowded.has(OTHER)) ? name : OTHER;
    const coarse = new EdgeSums(this.slice);
    for (const { row, counters } of this.sums.values()) {
      const { counters: sum } = coarse.sumOf({
        ...row,
        client: service(row.client),
        server: service(row.server),
        clientOperation: operation(row.client, row.clientOperation),
        serverOperation: operation(row.server, row.serverOperation),
      });
      for (const [counter, by] of counters) bump(sum, counter, by);
    }
    return coarse.sums;
  }

  private sumOf(row: Row): Sum {
    const { subject, windowStart, client, server, connectionType, peerKind } = row;
    const { clientOperation, serverOperation, confidence } = row;
    const key = [subject, windowStart, client, server, connectionType, peerKind, clientOperation, serverOperation];
    const name = [...key, confidence].join('|');
    let sum = this.sums.get(name);
    if (sum === undefined) {
      sum = { row, counters: new Map() };
      this.sums.set(name, sum);
    }
    return sum;
  }
}

/** Without names, so that what `coarser` adds up is in one slice. */
function sliceKey({ subject, windowStart, connectionType, peerKind, confidence }: Row): number {
  return keyOf([subject, windowStart, connectionType, peerKind, confidence].join('|'));
}

/** What a delta is about. */
type Row = Pick<
  ServiceEdgeDelta,
  | 'subject'
  | 'windowStart'
  | 'client'
  | 'server'
  | 'connectionType'
  | 'peerKind'
  | 'clientOperation'
  | 'serverOperation'
  | 'confidence'
>;

interface Sum {
  readonly row: Row;
  readonly counters: Map<string, number>;
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
