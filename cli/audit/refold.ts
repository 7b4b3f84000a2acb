import type { TimedLog } from '../../lib/kafka/partition-log.ts';
import type { LogRecord } from '../../lib/kafka/types.ts';
import { GraphStage } from '../../services/graph-builder/core/graph-stage.ts';
import { sha256 } from '../../services/span-router/adapters/hashes.ts';
import type { StageContext } from './context.ts';
import type { EdgeSums } from './edge-sums.ts';

/** The graph-builder's own code over the trace records of one partition. */
export class Refold {
  private readonly stage: GraphStage;
  private sums: EdgeSums | undefined;

  private constructor({ topics, graph }: StageContext, partition: number, log: TimedLog) {
    this.stage = new GraphStage(
      {
        tracesTopic: topics.traces,
        edgesTopic: topics.serviceEdges,
        deadLettersTopic: topics.deadLetters,
        partition,
        mode: graph.GRAPH_MODE,
        ownerAttribute: graph.GRAPH_OWNER_ATTRIBUTE,
        names: {
          services: graph.GRAPH_SERVICES_MAX,
          operations: graph.GRAPH_OPERATIONS_MAX,
          operationsPerService: graph.GRAPH_OPERATIONS_PER_SERVICE_MAX,
        },
        earlier: { horizonMs: graph.GRAPH_HORIZON_MS, tracesMax: graph.GRAPH_TRACES_MAX },
        traceBytesMax: graph.GRAPH_TRACE_BYTES_MAX,
        rowsMax: Number.POSITIVE_INFINITY,
      },
      {
        traces: log,
        sha256,
        encodeDelta: () => Buffer.alloc(0),
        encodeDeadLetter: () => Buffer.alloc(0),
        folded: ({ deltas }) => {
          for (const delta of deltas) this.sums?.add(delta);
        },
      },
    );
  }

  /** As a worker stands that has committed everything below `position`: it knows of the horizon before it. */
  static async at(context: StageContext, partition: number, log: TimedLog, position: number): Promise<Refold> {
    const refold = new Refold(context, partition, log);
    const low = position === 0 ? 0 : await horizonBefore(log, position, context.graph.GRAPH_HORIZON_MS);
    await refold.stage.recover(position === 0 ? undefined : { ...ENTRY, applied: position, low }, { nonce: 'audit' });
    return refold;
  }

  async take(records: readonly LogRecord[], sums: EdgeSums): Promise<void> {
    if (records.length === 0) return;
    this.sums = sums;
    const nextOffset = (records.at(-1) as LogRecord).offset + 1;
    await this.stage.apply(records, { nextOffset, streamTimeMs: 0, caughtUp: false });
    if ((await this.stage.prepare('interval')) !== undefined) await this.stage.committed();
  }
}

async function horizonBefore(log: TimedLog, position: number, horizonMs: number): Promise<number> {
  const { start, end } = await log.bounds();
  if (position >= end) return position;
  const { records } = await log.fetch({ offset: position, maxBytes: 1, maxWaitMs: 0 });
  const [first] = records;
  return first === undefined ? start : Math.min(position, await log.offsetAt(first.timestampMs - horizonMs));
}

const ENTRY = {
  ...{ kind: 'entry' as const, nonce: '', outputPosition: 0, outputEnd: 0, handOff: null },
  ...{ counters: {}, streamTime: 0, state: null },
};
