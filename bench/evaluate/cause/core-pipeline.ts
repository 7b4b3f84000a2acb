import { createHash } from 'node:crypto';
import type { Incident } from '../../../lib/codec/incident-records.ts';
import { deadLetterCodec, type ServiceEdgeDelta } from '../../../lib/codec/records.ts';
import type { FetchedRecords, LogRecord, PartitionLog } from '../../../lib/kafka/types.ts';
import { AlerterCore } from '../../../services/alerter/core/alerter-core.ts';
import { DEFAULT_RULES } from '../../../services/alerter/core/rules.ts';
import { GraphStage } from '../../../services/graph-builder/core/graph-stage.ts';
import { MemoryWindowStore } from '../../../services/trace-assembler/adapters/memory-window-store.ts';
import { AssemblerStage } from '../../../services/trace-assembler/core/assembler-stage.ts';
import { ASSEMBLER_SETTINGS } from '../../assembler-stage.ts';

/**
 * The production cores one behind the other, at their default settings: spans in, incidents out. In place of Kafka
 * stand arrays, in place of the clock the times that the caller gives. A commit every second, as the services do it.
 */
export class CorePipeline {
  private readonly traces = new ArrayLog();
  private readonly assembler: AssemblerStage;
  private readonly graph: GraphStage;
  private readonly alerter = new AlerterCore(DEFAULT_RULES);
  private deltas: readonly ServiceEdgeDelta[] = [];
  private inputs = 0;
  private commits = 0;

  private constructor() {
    this.assembler = new AssemblerStage(ASSEMBLER_SETTINGS, new MemoryWindowStore(REMEMBERED_MAX), NO_LOG, {
      received: nothing,
      emitted: nothing,
      foreignRecord: (_offset, reason) => {
        throw new Error(`the generator's spans were refused: ${reason}`);
      },
      recovered: nothing,
      open: nothing,
    });
    this.graph = new GraphStage(GRAPH_SETTINGS, {
      traces: this.traces,
      sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
      // What becomes of the deltas is taken from `folded`, so their bytes are nobody's.
      encodeDelta: () => NO_BYTES,
      encodeDeadLetter: deadLetterCodec.encode,
      folded: (report) => {
        this.deltas = report.deltas;
      },
    });
  }

  static async start(): Promise<CorePipeline> {
    const pipeline = new CorePipeline();
    await pipeline.assembler.recover(undefined, { nonce: 'evaluate' });
    await pipeline.graph.recover(undefined, { nonce: 'evaluate' });
    return pipeline;
  }

  /** @param otlp what arrived since the last call; @param nowMs epoch milliseconds, a second later each time. */
  async step(otlp: Buffer, nowMs: number): Promise<{ incidents: Incident[]; deltas: readonly ServiceEdgeDelta[] }> {
    const record = { offset: this.inputs, timestampMs: nowMs, key: null, value: otlp, headers: NO_HEADERS };
    const records = otlp.length === 0 ? [] : [record];
    this.inputs += records.length;
    await this.assembler.apply(records, { streamTimeMs: nowMs, caughtUp: true, nextOffset: this.inputs });
    const assembled = await this.commitTraces(nowMs);
    this.deltas = [];
    await this.graph.apply(assembled, { streamTimeMs: nowMs, caughtUp: true, nextOffset: this.traces.end });
    if ((await this.graph.prepare('interval')) !== undefined) await this.graph.committed();
    for (const delta of this.deltas) {
      const outcome = this.alerter.apply(delta, nowMs);
      if (outcome === 'invalid' || outcome === 'subjects_full')
        throw new Error(`the alerter refused a delta: ${outcome}`);
    }
    return { incidents: this.alerter.tick(nowMs), deltas: this.deltas };
  }

  private async commitTraces(nowMs: number): Promise<LogRecord[]> {
    const prepared = await this.assembler.prepare('interval');
    if (prepared === undefined) return [];
    const from = this.traces.end;
    for (const { topic, records } of prepared.outputs) {
      if (topic !== ASSEMBLER_SETTINGS.tracesTopic) continue;
      for (const { key, value } of records) {
        this.traces.append({ key: Buffer.from(key ?? ''), value, timestampMs: nowMs });
      }
    }
    await this.assembler.committed(prepared, () => ++this.commits);
    return this.traces.from(from);
  }
}

/** Defaults of the service; its limits too. */
const GRAPH_SETTINGS = {
  tracesTopic: 'traces',
  edgesTopic: 'edges',
  deadLettersTopic: 'dead-letters',
  partition: 0,
  mode: 'accurate' as const,
  ownerAttribute: 'team',
  names: { services: 2_000, operations: 20_000, operationsPerService: 500 },
  earlier: { horizonMs: 300_000, tracesMax: 200_000 },
  traceBytesMax: 8 << 20,
  rowsMax: 10_000,
};
const REMEMBERED_MAX = 100_000;
const NO_BYTES = Buffer.alloc(0);
const NO_HEADERS: ReadonlyMap<string, Buffer> = new Map();
const NO_LOG: PartitionLog = {
  bounds: async () => ({ start: 0, end: 0 }),
  fetch: async () => {
    throw new Error('nothing to read back');
  },
};

function nothing(): void {}

/** Records kept for as long as they may be read again. */
class ArrayLog implements PartitionLog {
  private readonly records: LogRecord[] = [];

  get end(): number {
    return this.records.length;
  }

  append(record: Pick<LogRecord, 'key' | 'value' | 'timestampMs'>): void {
    this.records.push({ ...record, offset: this.records.length, headers: NO_HEADERS });
  }

  from(offset: number): LogRecord[] {
    return this.records.slice(offset);
  }

  async fetch({ offset }: { offset: number }): Promise<FetchedRecords> {
    const records = this.records.slice(offset, offset + RECORDS_PER_FETCH);
    const { end } = this;
    return {
      records,
      nextOffset: offset + records.length,
      lastStableOffset: end,
      highWatermark: end,
      logStartOffset: 0,
    };
  }

  async bounds(): Promise<{ start: number; end: number }> {
    return { start: 0, end: this.end };
  }
}

const RECORDS_PER_FETCH = 64;
