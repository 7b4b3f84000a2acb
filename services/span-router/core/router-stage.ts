import type { LedgerEntry } from '../../../lib/codec/records.ts';
import type { LogRecord, OutRecord } from '../../../lib/kafka/types.ts';
import type { Bundle } from '../../../lib/trace/otlp-bundle.ts';
import { splitBySize } from '../../../lib/worker/split-by-size.ts';
import type {
  CommitReason,
  EndOfOutput,
  Incarnation,
  LedgerState,
  Stage,
  StageCommit,
  StageOutput,
  Tick,
} from '../../../lib/worker/types.ts';
import type { RoutedReport, RouterPorts } from '../ports.ts';
import { RouteBuilder, type RouteSettings } from './route.ts';

export interface RouterStageSettings extends RouteSettings {
  readonly spansTopic: string;
  readonly deadLettersTopic: string;
  readonly deadLettersPartition: number;
}

/**
 * One ingest partition's worker. Its state is the position alone: each poll becomes one transaction of bundles, dead
 * letters and ledger entry, so what a crash leaves behind is a position from which the same bytes are made again.
 */
export class RouterStage implements Stage {
  private readonly settings: RouterStageSettings;
  private readonly ports: RouterPorts;
  private readonly route: RouteBuilder;
  /** Next offset to read: of what was applied, and of what was committed; -1 before there was a commit. */
  private position = 0;
  private committedPosition = -1;
  private streamTimeMs = 0;
  private nonce = '';
  private counters: Counters = noCounters();
  private pending: Pending = nothingPending();

  constructor(settings: RouterStageSettings, ports: RouterPorts) {
    this.settings = settings;
    this.ports = ports;
    this.route = new RouteBuilder(settings, ports);
  }

  async recover(last: LedgerEntry | undefined, incarnation: Incarnation): Promise<number> {
    this.forgetPending();
    this.nonce = incarnation.nonce;
    this.counters = { ...noCounters(), ...last?.counters };
    this.streamTimeMs = last?.streamTime ?? 0;
    this.committedPosition = last?.applied ?? -1;
    this.position = last?.applied ?? (await this.ports.earliestOffset());
    return this.position;
  }

  async apply(records: readonly LogRecord[], tick: Tick): Promise<void> {
    for (const record of records) {
      this.pending.records++;
      this.pending.bytes += record.value?.length ?? 0;
      this.route.take(record);
    }
    this.position = tick.nextOffset;
    this.streamTimeMs = tick.streamTimeMs;
  }

  onGap(from: number, to: number): void {
    const { topic, partition } = this.settings;
    this.route.deadLetters.loseOffsets(
      { topic, partition, offset: from, timestampMs: this.streamTimeMs, encoding: 'unknown' },
      to,
    );
    this.pending.lost += to - from;
  }

  /** Offsets [from, to) hold a batch that cannot be decompressed or parsed; the reader goes on at `to`. */
  onUndecodable(from: number, to: number, why: string): void {
    const { topic, partition } = this.settings;
    this.route.deadLetters.refuseBatch(
      { topic, partition, offset: from, timestampMs: this.streamTimeMs, encoding: 'unknown' },
      to,
      why,
    );
    this.pending.refusedBatches++;
  }

  /** Any input is committed at once: while a transaction is on its way the next poll grows, so load sets the batch size. */
  get full(): boolean {
    const { records, lost, refusedBatches } = this.pending;
    return records > 0 || lost > 0 || refusedBatches > 0;
  }

  async prepare(reason: CommitReason): Promise<StageCommit | undefined> {
    const isFirst = this.committedPosition < 0;
    const hasMoved = this.position !== this.committedPosition;
    // A drain hands over even when nothing changed, so that the successor need not wait for a dead predecessor.
    if (!this.full && !hasMoved && reason !== 'drain') return undefined;
    if (!this.full && isFirst) return undefined;
    const bundles = this.route.takeBundles();
    const rejected = new Map(this.route.deadLetters.rejected);
    const letters = this.route.deadLetters.take();
    this.countIn(bundles, letters.length, rejected);
    const { spansTopic, deadLettersTopic, deadLettersPartition } = this.settings;
    const outputs = [
      ...bundleOutputs(spansTopic, bundles, `${this.settings.topic}/${this.settings.partition}`),
      ...splitBySize(letters).map((records) => ({
        topic: deadLettersTopic,
        partition: deadLettersPartition,
        records,
      })),
    ];
    const entry = this.ledgerState(reason);
    return { outputs, entry: () => entry };
  }

  async committed(_commit: StageCommit, _end: EndOfOutput): Promise<void> {
    this.committedPosition = this.position;
    if (this.pending.report !== undefined) this.ports.routed(this.pending.report);
    this.forgetPending();
  }

  private countIn(bundles: readonly Bundle[], deadLetters: number, rejected: ReadonlyMap<string, number>): void {
    const { pending, counters } = this;
    let spans = 0;
    let bundleBytes = 0;
    for (const bundle of bundles) {
      spans += bundle.spanCount;
      bundleBytes += bundle.bytes.length;
    }
    counters.records += pending.records;
    counters.bytes += pending.bytes;
    counters.spans += spans;
    counters.deadLetters += deadLetters;
    for (const count of this.route.redacted.values()) counters.redacted += count;
    counters.truncated += this.route.truncated;
    counters.lostOffsets += pending.lost;
    pending.report = {
      records: pending.records,
      bytes: pending.bytes,
      spans,
      bundles: bundles.length,
      bundleBytes,
      deadLetters,
      rejected,
      redacted: this.route.redacted,
      truncated: this.route.truncated,
    };
  }

  private ledgerState(reason: CommitReason): LedgerState {
    return {
      applied: this.position,
      low: this.position,
      outputPosition: 0,
      outputEnd: 0,
      handOff: reason === 'drain' ? { namespace: '', nonce: this.nonce } : null,
      counters: { ...this.counters },
      streamTime: this.streamTimeMs,
      state: null,
    };
  }

  private forgetPending(): void {
    this.route.clear();
    this.pending = nothingPending();
  }
}

/** Running totals of the partition since it was first read; they are part of the ledger entry. */
type Counters = Record<
  'records' | 'bytes' | 'spans' | 'deadLetters' | 'redacted' | 'truncated' | 'lostOffsets',
  number
>;

function noCounters(): Counters {
  return { records: 0, bytes: 0, spans: 0, deadLetters: 0, redacted: 0, truncated: 0, lostOffsets: 0 };
}

/** What was read since the last commit. */
interface Pending {
  records: number;
  bytes: number;
  lost: number;
  refusedBatches: number;
  report: RoutedReport | undefined;
}

function nothingPending(): Pending {
  return { records: 0, bytes: 0, lost: 0, refusedBatches: 0, report: undefined };
}

/** Headers name what a bundle was made of, so that every span can be followed back to its record. */
function bundleOutputs(topic: string, bundles: readonly Bundle[], source: string): StageOutput[] {
  const byPartition = new Map<number, OutRecord[]>();
  for (const { partition, bytes, spanCount, firstOffset, lastOffset } of bundles) {
    const headers = {
      'spanloom-source': `${source}/${firstOffset}-${lastOffset}`,
      'spanloom-spans': String(spanCount),
    };
    const record: OutRecord = { key: null, value: bytes, headers };
    const records = byPartition.get(partition);
    if (records === undefined) byPartition.set(partition, [record]);
    else records.push(record);
  }
  const outputs: StageOutput[] = [];
  for (const [partition, records] of byPartition) {
    for (const part of splitBySize(records)) outputs.push({ topic, partition, records: part });
  }
  return outputs;
}
