import type { LedgerEntry } from '../codec/records.ts';
import { hasCode, isRetryable, type SpanloomError } from '../errors/spanloom-error.ts';
import { UndecodableBatchError } from '../kafka/errors.ts';
import type { FencedWriter, FetchedRecords, Transaction } from '../kafka/types.ts';
import { Ledger } from './ledger.ts';
import { anotherLog, refuseAnotherLog } from './same-log.ts';
import { StreamTime } from './stream-time.ts';
import {
  type CommitReason,
  EARLIEST,
  type Stage,
  type StageCommit,
  type WorkerPorts,
  type WorkerSettings,
} from './types.ts';

/**
 * The worker of one partition: fence, claim, recover, run, commit, drain, strictly one after another.
 *
 * Output, position and state are written in one transaction of a producer that only the newest incarnation can use, so
 * each input record takes effect exactly once from committed position to committed position. Any error throws away the
 * writer and the stage's state and begins again; nothing is repaired in place.
 */
export class PartitionWorker {
  readonly settings: WorkerSettings;
  private readonly stage: Stage;
  private readonly ports: WorkerPorts;
  private readonly ledger: Ledger;
  private stopping = false;
  private position = 0;
  private lastNonce = '';
  /** Of the input that `position` is of; undefined where brokers have never named one. */
  private topicId: string | undefined;

  constructor(settings: WorkerSettings, stage: Stage, ports: WorkerPorts) {
    this.settings = settings;
    this.stage = stage;
    this.ports = ports;
    this.ledger = new Ledger(ports.ledger, settings, ports.clock);
  }

  /** Asks the worker to drain; `run` resolves when it has. */
  stop(): void {
    this.stopping = true;
  }

  /** Works until `stop` is called. Never rejects: errors are reported and the worker begins again. */
  async run(): Promise<void> {
    let retryMs = this.settings.retryMs;
    let drainError: unknown;
    while (!this.stopping) {
      const before = this.position;
      try {
        await this.incarnation();
        this.ports.events.stopped(this.settings.key, true);
        return;
      } catch (error) {
        if (this.stopping) {
          drainError = error;
          break;
        }
        retryMs = this.position > before ? this.settings.retryMs : Math.min(retryMs * 2, this.settings.retryMaxMs);
        this.ports.events.failed(this.settings.key, error, retryMs);
        await this.ports.clock.sleep(isRetryable(error) ? retryMs : Math.max(retryMs, this.settings.retryMs * 4));
      }
    }
    this.ports.events.stopped(this.settings.key, false, drainError);
  }

  private async incarnation(): Promise<void> {
    const { crashPoint } = this.ports;
    // Later incarnations wait in any case: somebody may have taken over meanwhile.
    if (this.lastNonce !== '' || !this.settings.orphaned)
      await this.ledger.awaitHandOff(this.lastNonce, () => this.stopping);
    if (this.stopping) return;
    crashPoint('before-fence');
    const writer = await this.ports.openWriter();
    try {
      crashPoint('after-fence');
      const nonce = this.ports.randomHex(8);
      this.lastNonce = nonce;
      const last = await this.ledger.claim(writer, nonce);
      crashPoint('after-claim');
      const lookedAtMs = this.ports.clock.monotonicMs();
      const { entry, topicId } = last;
      this.topicId = (await this.ports.input.id()) ?? topicId;
      await this.refuseAnotherLog(entry?.applied ?? 0, entry?.streamTime ?? 0, topicId);
      if (entry !== undefined && topicId !== this.topicId) await this.writeEntry(writer, entry);
      const from = await this.stage.recover(entry, { nonce });
      this.position = from === EARLIEST ? (await this.ports.input.bounds()).start : from;
      crashPoint('after-recover');
      this.ports.events.started(this.settings.key, this.position);
      await this.work(writer, nonce, new StreamTime(entry?.streamTime ?? 0), lookedAtMs);
    } finally {
      await writer.close().catch(() => {});
    }
  }

  private async work(writer: FencedWriter, nonce: string, streamTime: StreamTime, lookedAtMs: number): Promise<void> {
    const { clock, crashPoint } = this.ports;
    let committedAtMs = clock.monotonicMs();
    let awakeAtMs = lookedAtMs;
    while (!this.stopping) {
      const askedAtMs = clock.monotonicMs();
      const fetched = await this.fetch();
      await this.lookAgain(awakeAtMs, streamTime);
      this.mustBeOfTopic(fetched.topicId);
      awakeAtMs = clock.monotonicMs();
      crashPoint('after-fetch');
      const caughtUp = fetched.nextOffset >= fetched.highWatermark;
      streamTime.read(fetched.records, caughtUp, askedAtMs);
      await this.stage.apply(fetched.records, {
        streamTimeMs: streamTime.ms,
        caughtUp,
        nextOffset: fetched.nextOffset,
      });
      this.position = fetched.nextOffset;
      crashPoint('after-apply');
      if (this.stage.full || clock.monotonicMs() - committedAtMs >= this.settings.commitIntervalMs) {
        await this.commit(writer, nonce, streamTime, 'interval');
        committedAtMs = clock.monotonicMs();
        this.ports.events.committed(
          this.settings.key,
          this.position,
          fetched.highWatermark - this.position,
          streamTime.ms,
        );
      }
    }
    while (this.stage.full) await this.commit(writer, nonce, streamTime, 'interval');
    await this.commit(writer, nonce, streamTime, 'drain');
  }

  private async refuseAnotherLog(position: number, newestMs: number, topicId: string | undefined): Promise<void> {
    await refuseAnotherLog(this.ports.input, { worker: this.settings.key, position, newestMs, topicId });
  }

  /** Who stood still, and was not replaced meanwhile, may have slept through the topic being made anew. */
  private async lookAgain(awakeAtMs: number, { newestMs }: StreamTime): Promise<void> {
    if (this.ports.clock.monotonicMs() - awakeAtMs < STILL_MS) return;
    await this.refuseAnotherLog(this.position, newestMs, this.topicId);
  }

  /** @param topicId of what was fetched; undefined where it was read by name. */
  private mustBeOfTopic(topicId: string | undefined): void {
    // Read by name before, and made anew then: the log has nothing to compare with, the ledger has.
    const isAnother = topicId !== undefined && this.topicId !== undefined && topicId !== this.topicId;
    if (isAnother) throw anotherLog({ worker: this.settings.key, position: this.position }, topicId);
    this.topicId = topicId ?? this.topicId;
  }

  /** The next records. Offsets that are gone, or a batch that nobody can read, are reported and passed, never silently. */
  private async fetch(): Promise<FetchedRecords> {
    const request = { maxBytes: this.settings.fetchBytesMax, maxWaitMs: this.settings.fetchWaitMs };
    for (;;) {
      try {
        return await this.ports.input.fetch({ ...request, offset: this.position });
      } catch (error) {
        if (error instanceof UndecodableBatchError) this.passUndecodable(error);
        else if (hasCode(error, 'KAFKA_OFFSET_GONE')) await this.passGap(error);
        else throw error;
      }
    }
  }

  private async passGap(cause: SpanloomError): Promise<void> {
    const { start, end } = await this.ports.input.bounds();
    if (this.position > end)
      throw anotherLog({ worker: this.settings.key, position: this.position }, `it ends at ${end}`, cause);
    if (this.position >= start) return;
    this.ports.events.gap(this.settings.key, this.position, start);
    this.stage.onGap?.(this.position, start);
    this.position = start;
  }

  private passUndecodable(error: UndecodableBatchError): void {
    if (this.stage.onUndecodable === undefined) throw error;
    this.stage.onUndecodable(this.position, error.nextOffset, error.message);
    this.position = error.nextOffset;
  }

  private async commit(writer: FencedWriter, nonce: string, time: StreamTime, reason: CommitReason): Promise<void> {
    const { crashPoint } = this.ports;
    const commit = await this.stage.prepare(reason);
    if (commit === undefined) return;
    crashPoint('before-transaction');
    const ends = new Map<string, number>();
    await writer.transaction(async (txn) => {
      for (const { topic, partition, records } of commit.outputs) {
        if (records.length === 0) continue;
        const { baseOffset } = await txn.send(topic, partition, records);
        ends.set(`${topic}/${partition}`, baseOffset + records.length);
      }
      const entry = commit.entry((topic, partition) => ends.get(`${topic}/${partition}`));
      // At least that of every record ever read, whatever a stage that was rebuilt from a part of them knows.
      const streamTime = Math.max(entry.streamTime, time.ms);
      await this.sendEntry(txn, { ...entry, streamTime, kind: 'entry', nonce });
      crashPoint('before-commit');
    });
    crashPoint('after-commit');
    await this.finish(commit, ends);
  }

  /** An entry of a time when brokers had no ids, as it is: from now on it is known which topic it is of. */
  private async writeEntry(writer: FencedWriter, entry: LedgerEntry): Promise<void> {
    await writer.transaction((txn) => this.sendEntry(txn, entry));
  }

  private async sendEntry(txn: Transaction, entry: LedgerEntry): Promise<void> {
    const record = this.ledger.entryRecord(entry, this.topicId);
    await txn.send(this.settings.ledgerTopic, this.settings.ledgerPartition, [record]);
  }

  private finish(commit: StageCommit, ends: ReadonlyMap<string, number>): Promise<void> {
    return this.stage.committed(commit, (topic, partition) => ends.get(`${topic}/${partition}`));
  }
}

/** Longer than a round of reading and committing usually takes, and no longer than it takes to delete and make a topic. */
const STILL_MS = 1_000;
