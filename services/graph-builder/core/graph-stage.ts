import { type AssembledTrace, assembledTraceCodec, type LedgerEntry } from '../../../lib/codec/records.ts';
import { describeError } from '../../../lib/errors/spanloom-error.ts';
import type { LogRecord, OutRecord } from '../../../lib/kafka/types.ts';
import { splitBySize } from '../../../lib/worker/split-by-size.ts';
import {
  type CommitReason,
  EARLIEST,
  type Incarnation,
  type LedgerState,
  type Stage,
  type StageCommit,
  type Tick,
} from '../../../lib/worker/types.ts';
import type { FoldReport, GraphPorts } from '../ports.ts';
import { DeltaTable } from './delta-table.ts';
import { type EarlierLimits, EarlierRevisions, type Revision } from './earlier-revisions.ts';
import { type NameLimits, NameTable } from './name-table.ts';
import { ReadAgain } from './read-again.ts';
import { SpanCounts } from './span-counts.ts';
import { type GraphMode, TraceFold } from './trace-fold.ts';

export interface GraphSettings {
  readonly tracesTopic: string;
  readonly edgesTopic: string;
  readonly deadLettersTopic: string;
  readonly partition: number;
  readonly mode: GraphMode;
  readonly ownerAttribute: string;
  readonly names: NameLimits;
  readonly earlier: EarlierLimits;
  /** OTLP bytes of all revisions of a trace together; beyond it a revision is folded by itself. */
  readonly traceBytesMax: number;
  /** Rows waiting beyond this ask for a commit at once. */
  readonly rowsMax: number;
}

/**
 * The graph-builder of one partition. Each record of the traces topic is folded once; a later revision of a trace takes
 * back what its earlier ones said and folds all of them together, so that a call whose two ends came apart is one call.
 * The sum of all deltas up to a position is a function of the log alone: docs/design/graph-builder-corrections.md.
 */
export class GraphStage implements Stage {
  private readonly settings: GraphSettings;
  private readonly ports: GraphPorts;
  private readonly names: NameTable;
  private readonly deltas: DeltaTable;
  private readonly spanCounts = new SpanCounts();
  private readonly fold: TraceFold;
  private readonly earlier: EarlierRevisions;
  private readonly again: ReadAgain;
  private deadLetters: OutRecord[] = [];
  private position = EARLIEST;
  private committedPosition = EARLIEST;
  private streamTimeMs = 0;
  private nonce = '';
  private totals = noCounts();
  private pending = noCounts();
  private report: FoldReport | undefined;

  constructor(settings: GraphSettings, ports: GraphPorts) {
    this.settings = settings;
    this.ports = ports;
    this.names = new NameTable(settings.names, { lowerCaseServices: settings.mode === 'zipkin' });
    this.deltas = new DeltaTable(this.names);
    this.fold = new TraceFold(this.names, this.deltas, this.spanCounts, settings);
    this.earlier = new EarlierRevisions(settings.earlier);
    this.again = new ReadAgain(ports.traces);
  }

  async recover(last: LedgerEntry | undefined, incarnation: Incarnation): Promise<number> {
    this.forgetPending();
    this.forgetNames();
    this.earlier.clear();
    this.nonce = incarnation.nonce;
    this.totals = { ...noCounts(), ...last?.counters };
    this.streamTimeMs = last?.streamTime ?? 0;
    this.position = last?.applied ?? EARLIEST;
    this.committedPosition = this.position;
    if (last !== undefined) {
      await this.again.forEach(last.low, last.applied, (record) => this.earlier.add(revisionOf(record)));
    }
    return this.position;
  }

  async apply(records: readonly LogRecord[], tick: Tick): Promise<void> {
    const earlier = records.map((record) => this.earlier.add(revisionOf(record)));
    await this.again.prepare(records, earlier);
    for (const [i, record] of records.entries()) this.take(record, earlier[i] as readonly Revision[]);
    this.again.release();
    this.position = tick.nextOffset;
    this.streamTimeMs = tick.streamTimeMs;
  }

  get full(): boolean {
    return this.deltas.rowCount + this.deltas.failureCount > this.settings.rowsMax;
  }

  async prepare(reason: CommitReason): Promise<StageCommit | undefined> {
    const hasMoved = this.position !== this.committedPosition;
    if (!hasMoved && (reason !== 'drain' || this.position === EARLIEST)) return undefined;
    const { edgesTopic, deadLettersTopic, partition } = this.settings;
    const deltas = this.deltas.records();
    const headers = { 'spanloom-source': this.source() };
    const records = deltas.map((delta): OutRecord => {
      return { key: `${delta.client}|${delta.server}`, value: this.ports.encodeDelta(delta), headers };
    });
    for (const name of COUNTS) this.totals[name] += this.pending[name];
    this.report = {
      ...this.pending,
      namesOverflowed: this.names.overflowed,
      deltas,
      spanCounts: this.spanCounts,
      names: this.names,
    };
    const outputs = [
      ...splitBySize(records).map((part) => ({ topic: edgesTopic, partition, records: part })),
      ...splitBySize(this.deadLetters).map((part) => ({ topic: deadLettersTopic, partition: 0, records: part })),
    ];
    const entry = this.ledgerState(reason);
    return { outputs, entry: () => entry };
  }

  async committed(): Promise<void> {
    this.committedPosition = this.position;
    if (this.report !== undefined) this.ports.folded(this.report);
    this.forgetPending();
    // Rows refer to names by number, so names can only be forgotten while there are no rows.
    if (this.names.overflowed > 0) this.forgetNames();
  }

  /** What the deltas of this commit are of: `topic/partition/first-last`, offsets that were passed over among them. */
  private source(): string {
    const { tracesTopic, partition } = this.settings;
    return `${tracesTopic}/${partition}/${Math.max(0, this.committedPosition)}-${this.position - 1}`;
  }

  private take(record: LogRecord, earlier: readonly Revision[]): void {
    this.pending.records++;
    const trace = decode(record);
    if (typeof trace === 'string') return this.refuse(record, 'undecodable', trace);
    if (trace.spanCount === 0) return;
    const before = this.bytesBefore(earlier, trace.otlp.length);
    const together = before === undefined ? trace.otlp : Buffer.concat([before, trace.otlp]);
    const spans = this.fold.fold(together, trace.traceId, 1);
    if (typeof spans !== 'number') return this.refuse(record, 'invalid_otlp', `${spans.reason} at byte ${spans.at}`);
    this.pending.spans += trace.spanCount;
    if (before === undefined) return;
    this.fold.fold(before, trace.traceId, -1);
    this.pending.corrected++;
  }

  /** The spans of the revisions before, oldest first; undefined when there are none that count. */
  private bytesBefore(earlier: readonly Revision[], ownBytes: number): Buffer | undefined {
    if (earlier.length === 0) return undefined;
    const parts: Buffer[] = [];
    let bytes = ownBytes;
    for (const { offset } of earlier) {
      const record = this.again.at(offset);
      const trace = record === undefined ? 'gone' : decode(record);
      if (typeof trace === 'string') {
        if (trace === 'gone') this.pending.uncorrected++;
        continue;
      }
      bytes += trace.otlp.length;
      if (trace.otlp.length > 0) parts.push(trace.otlp);
    }
    if (parts.length === 0) return undefined;
    if (bytes <= this.settings.traceBytesMax) return Buffer.concat(parts);
    this.pending.uncorrected++;
    return undefined;
  }

  private refuse(record: LogRecord, reason: string, why: string): void {
    const { tracesTopic: topic, partition } = this.settings;
    const place = `${topic}/${partition}/${record.offset}`;
    const value = record.value ?? Buffer.alloc(0);
    this.pending.refused++;
    this.deadLetters.push({
      key: place,
      value: this.ports.encodeDeadLetter({
        topic,
        partition,
        offset: record.offset,
        index: null,
        reason,
        code: 'TRACES_FOREIGN_RECORD',
        detail: `${place} was not written by a trace-assembler: ${why}`,
        size: value.length,
        sha256: this.ports.sha256(value),
        encoding: 'avro',
        service: 'graph-builder',
        time: record.timestampMs,
        payload: null,
      }),
    });
  }

  private ledgerState(reason: CommitReason): LedgerState {
    return {
      applied: this.position,
      low: this.earlier.lowest ?? this.position,
      outputPosition: 0,
      outputEnd: 0,
      handOff: reason === 'drain' ? { namespace: '', nonce: this.nonce } : null,
      counters: { ...this.totals },
      streamTime: this.streamTimeMs,
      state: null,
    };
  }

  private forgetNames(): void {
    this.names.clear();
    this.deltas.facts.clear();
  }

  private forgetPending(): void {
    this.deltas.clear();
    this.spanCounts.clear();
    this.deadLetters = [];
    this.pending = noCounts();
    this.report = undefined;
  }
}

const COUNTS = ['records', 'spans', 'corrected', 'uncorrected', 'refused'] as const;

function noCounts(): Record<(typeof COUNTS)[number], number> {
  return { records: 0, spans: 0, corrected: 0, uncorrected: 0, refused: 0 };
}

/** The key says which trace it is, so that a record need not be decoded to be known of. */
function revisionOf(record: LogRecord): Revision {
  return { traceId: record.key?.latin1Slice() ?? '', offset: record.offset, appendMs: record.timestampMs };
}

function decode(record: LogRecord): AssembledTrace | string {
  if (record.value === null) return 'it has no value';
  try {
    return assembledTraceCodec.decode(record.value);
  } catch (error) {
    return describeError(error);
  }
}
