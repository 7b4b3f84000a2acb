import { createHash } from 'node:crypto';
import {
  assembledTraceCodec,
  deadLetterCodec,
  type ServiceEdgeDelta,
  serviceEdgeDeltaCodec,
} from '../../lib/codec/records.ts';
import type { LogRecord, PartitionLog } from '../../lib/kafka/types.ts';
import { assembledTrace, traceRecord } from '../../lib/testkit/assembled-trace.ts';
import { otlp, type ResourceLiteral, type SpanLiteral } from '../../lib/testkit/otlp-builder.ts';
import { GraphStage } from '../../services/graph-builder/core/graph-stage.ts';
import { LIMITS, LiteralFold } from '../../services/graph-builder/core/testing/fold-literal.ts';
import { type LoopMutations, type Outcome, Tally, WorkerWorld, type WorldOptions } from './worker-world.ts';

export interface GraphMutations extends LoopMutations {
  /** A worker that takes over does not read the stretch that tells it of earlier revisions. */
  readonly noReadAgain?: boolean;
}

/**
 * Graph-builders on three partitions of traces that come in revisions, some in transactions that were aborted, some with
 * copies of spans that came before. Good when the sum of all committed deltas is, number by number, what one fold of all
 * revisions of each trace together gives; what retention or a deleted log parts is two traces.
 */
export async function simulateGraphBuilder(seed: number, options: WorldOptions & GraphMutations): Promise<Outcome> {
  const world = new WorkerWorld(seed, options, {
    service: 'graph-builder',
    inputTopic: 'traces',
    partitions: PARTITIONS,
    ledgerPartitions: PARTITIONS,
    createStage: (_process, { partition }, log) => {
      const traces = log('traces', partition);
      return new GraphStage(
        { ...SETTINGS, partition },
        {
          traces: options.noReadAgain ? withoutStretches(traces) : traces,
          sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
          encodeDelta: serviceEdgeDeltaCodec.encode,
          encodeDeadLetter: deadLetterCodec.encode,
          folded: () => {},
        },
      );
    },
  });
  const traffic = new TraceTraffic(world);
  const finished = await world.run(
    () => traffic.step(),
    () => world.everythingApplied(),
  );
  const problems = finished ? check(world, traffic.cuts) : ['stuck: not everything was applied'];
  return {
    problems,
    decisions: world.scheduler.decisions,
    counts: {
      ...world.counts,
      ...world.fleet.counts,
      ...world.logFaults.counts,
      records: traffic.records,
      revisions: traffic.revisions,
      copies: traffic.copies,
    },
  };
}

/** Whole traces whose spans come apart: a call's two ends may stand in different revisions. */
class TraceTraffic {
  records = 0;
  revisions = 0;
  copies = 0;
  /** By partition: offsets at which retention overtook the worker, and the first offset that it left. */
  readonly cuts: readonly Cut[][] = Array.from({ length: PARTITIONS }, () => []);
  private readonly world: WorkerWorld;
  private live: LiveTrace[] = [];
  private nextTrace = 1;

  constructor(world: WorkerWorld) {
    this.world = world;
  }

  step(): void {
    const { random, world } = this;
    if (world.isFaulty) this.disturbLog(random.below(PARTITIONS));
    if (random.float() >= 0.12) return;
    for (let count = 1 + random.below(3); count > 0; count--) this.emit(random.float() < 0.1);
    // The assembler's transactions leave markers.
    if (random.float() < 0.3) world.input(random.below(PARTITIONS)).appendMarker();
  }

  /** What retention takes it takes while all workers are dead, so that the committed position says what was read. */
  private disturbLog(partition: number): void {
    const { random, world } = this;
    const applied = world.entryOf(partition)?.applied ?? 0;
    if (random.float() < 0.002) {
      const start = world.logFaults.overtake(partition);
      if (start !== undefined) this.cut(partition, { applied, start, log: this.logs(partition) });
    }
    if (random.float() >= 0.004) return;
    const whoLooks = random.pick(['workers', 'nobody', 'sleepers'] as const);
    const isRecreated = world.logFaults.recreate(partition, whoLooks, (records) => {
      this.forget(partition);
      for (let left = records; left > 0; left--) this.emit(false, partition);
    });
    if (isRecreated) this.forget(partition);
  }

  /** Nothing more comes for the traces of a partition so far. */
  private forget(partition: number): void {
    this.live = this.live.filter((trace) => trace.partition !== partition);
  }

  /** Retention that comes again before anybody has started makes one cut of two. */
  private cut(partition: number, cut: Cut): void {
    const cuts = this.cuts[partition] as Cut[];
    const last = cuts.at(-1);
    if (last !== undefined && last.log === cut.log && last.applied === cut.applied) cuts.pop();
    cuts.push(cut);
  }

  private logs(partition: number): number {
    return this.world.logFaults.logsBefore(partition).length;
  }

  private emit(isAborted: boolean, partition = this.random.below(PARTITIONS)): void {
    const { random, world, live } = this;
    let trace = random.float() < 0.4 ? live[random.below(live.length || 1)] : undefined;
    if (trace === undefined) {
      trace = { trace: this.nextTrace++, partition, revision: 0, ids: [], sent: [] };
      live.push(trace);
      if (live.length > 12) live.shift();
    } else if (!isAborted) this.revisions++;
    const resources = this.resources(isAborted ? { ...trace, ids: [...trace.ids] } : trace);
    // After a loss in Redis the assembler no longer knows what it has sent, and copies come as a revision of their own.
    const copy = random.float() < 0.2 ? trace.sent[random.below(trace.sent.length || 1)] : undefined;
    if (copy !== undefined) {
      resources.push(copy);
      this.copies++;
    }
    const bytes = otlp(resources, { trace: trace.trace });
    const record = traceRecord(assembledTrace(bytes, { revision: trace.revision + 1 }));
    const input = world.input(trace.partition);
    input.append(
      { ...record, timestampMs: world.nowMs, headers: new Map() },
      { state: isAborted ? 'aborted' : 'committed' },
    );
    if (isAborted) return;
    trace.sent.push(...resources);
    trace.revision++;
    this.records++;
  }

  private resources(trace: { ids: number[] }): ResourceLiteral[] {
    const { random } = this;
    return Array.from({ length: 1 + random.below(3) }, () => {
      const spans: SpanLiteral[] = Array.from({ length: 1 + random.below(3) }, () => {
        const id = trace.ids.length + 1;
        trace.ids.push(id);
        const parent = id === 1 ? 0 : 1 + random.below(id + 1);
        return {
          id,
          parent: parent === id ? id - 1 : parent,
          kind: random.pick(['server', 'client', 'internal'] as const),
          start: random.below(25_000),
          duration: random.below(400),
          ...(random.float() < 0.2 ? { error: true } : {}),
        };
      });
      return { service: `service-${random.below(4)}`, spans };
    });
  }

  private get random() {
    return this.world.random;
  }
}

interface LiveTrace {
  readonly trace: number;
  readonly partition: number;
  revision: number;
  readonly ids: number[];
  readonly sent: ResourceLiteral[];
}

interface Cut {
  readonly log: number;
  /** Records from here to `start` were never read. */
  readonly applied: number;
  readonly start: number;
}

function check(world: WorkerWorld, cuts: readonly (readonly Cut[])[]): string[] {
  const expected = new Tally();
  const found = new Tally();
  const problems: string[] = [];
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const own = cuts[partition] as readonly Cut[];
    const past = world.logFaults.logsBefore(partition);
    const logs = [
      ...past.map(({ records, entry }) => records.filter(({ offset }) => offset < (entry?.applied ?? 0))),
      world.input(partition).committed(),
    ];
    for (const [log, records] of logs.entries()) {
      for (const part of partsOf(
        records,
        own.filter((cut) => cut.log === log),
      ))
        fold(part, partition, expected);
    }
    for (const { log, applied, start } of own) {
      // A log that was deleted before anybody started again has nobody who could tell of its gap.
      const isToldOf = world.gaps.some((gap) => gap.log === log && gap.from === applied && gap.to === start);
      if (!isToldOf && log === past.length) problems.push(`${partition}/${applied} to ${start} are gone in silence`);
    }
    for (const { value } of world.kafka.partition('edges', partition).committed()) {
      addDelta(found, partition, serviceEdgeDeltaCodec.decode(value as Buffer));
    }
  }
  return [...problems, ...expected.differences(found)];
}

/** Records that were read, apart where retention has parted them: what it has taken corrects nothing that comes later. */
function partsOf(records: readonly LogRecord[], cuts: readonly Cut[]): LogRecord[][] {
  const parts: LogRecord[][] = [];
  let from = 0;
  for (const { applied, start } of cuts) {
    parts.push(records.filter(({ offset }) => offset >= from && offset < applied));
    from = start;
  }
  return [...parts, records.filter(({ offset }) => offset >= from)];
}

function fold(records: readonly LogRecord[], partition: number, expected: Tally): void {
  const traces = new Map<string, Buffer[]>();
  for (const { value } of records) {
    const { traceId, otlp: bytes } = assembledTraceCodec.decode(value as Buffer);
    traces.set(traceId, [...(traces.get(traceId) ?? []), bytes]);
  }
  const reference = new LiteralFold();
  for (const [traceId, parts] of traces) reference.fold.fold(Buffer.concat(parts), traceId, 1);
  for (const delta of reference.records()) {
    addDelta(expected, partition, serviceEdgeDeltaCodec.decode(serviceEdgeDeltaCodec.encode(delta)));
  }
}

/** Every number that a delta adds to; exemplars are examples and are left out. */
function addDelta(tally: Tally, partition: number, delta: ServiceEdgeDelta): void {
  const { subject, windowStart, client, server, connectionType, peerKind, confidence } = delta;
  const { clientOperation, serverOperation } = delta;
  const names = [subject, windowStart, client, server, connectionType, peerKind, confidence, clientOperation];
  const key = `${partition} ${JSON.stringify([...names, serverOperation])}`;
  for (const name of ['calls', 'errors', 'errors4xx', 'traces'] as const) tally.add(`${key} ${name}`, delta[name]);
  for (const side of ['clientDuration', 'serverDuration', 'networkGap', 'queueDelay'] as const) {
    const histogram = delta[side];
    if (histogram === null) continue;
    for (const [i, bucket] of histogram.buckets.entries()) {
      tally.add(`${key} ${side} ${bucket}`, histogram.counts[i]);
    }
    tally.add(`${key} ${side} zero`, histogram.zeroCount);
    tally.add(`${key} ${side} sum`, histogram.sumMicros);
  }
  for (const { sign, ...failure } of delta.failures) tally.add(`${key} ${JSON.stringify(failure)}`, sign);
}

/** Reading a stretch again finds nothing; single records it does find. */
function withoutStretches(log: PartitionLog): PartitionLog {
  return {
    bounds: () => log.bounds(),
    fetch: async (request) => {
      const fetched = await log.fetch(request);
      return request.maxBytes > 1024 * 1024 ? { ...fetched, records: [] } : fetched;
    },
  };
}

const PARTITIONS = 3;

const SETTINGS = {
  tracesTopic: 'traces',
  mode: 'accurate' as const,
  ownerAttribute: 'team',
  edgesTopic: 'edges',
  deadLettersTopic: 'dead-letters',
  names: LIMITS,
  earlier: { horizonMs: 1_000_000_000, tracesMax: 10_000 },
  traceBytesMax: 1024 * 1024,
  rowsMax: 60,
};
