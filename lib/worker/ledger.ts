import { type LedgerEntry, ledgerEntryCodec } from '../codec/records.ts';
import { SpanloomError } from '../errors/spanloom-error.ts';
import type { FencedWriter, LogRecord, OutRecord, PartitionLog } from '../kafka/types.ts';
import type { WorkerClock, WorkerSettings } from './types.ts';

/**
 * The ledger of one worker: a key in a partition of a compacted topic, written only inside the worker's transactions.
 *
 * Keys: `<worker>/entry` holds position and state, `<worker>/claim` the nonce of who took over last. A claim that has
 * been read back proves that everything committed before it has been seen; group offsets give no such proof.
 */
export class Ledger {
  private readonly log: PartitionLog;
  private readonly settings: WorkerSettings;
  private readonly clock: WorkerClock;

  constructor(log: PartitionLog, settings: WorkerSettings, clock: WorkerClock) {
    this.log = log;
    this.settings = settings;
    this.clock = clock;
  }

  private get entryKey(): string {
    return `${this.settings.key}/entry`;
  }

  private get claimKey(): string {
    return `${this.settings.key}/claim`;
  }

  /** @param topicId of the input that the entry's offsets are of; it stands in a header, beside what schemas know of. */
  entryRecord(entry: LedgerEntry, topicId: string | undefined): OutRecord {
    const headers: Record<string, string> = topicId === undefined ? {} : { [TOPIC_ID]: topicId };
    return { key: this.entryKey, value: ledgerEntryCodec.encode(entry), headers };
  }

  /**
   * Waits until the predecessor has handed over, but no longer than `handOffWaitMs`: after that it is taken for dead.
   * Returns at once when there never was one, when its last word was a hand-off, or when it was this very worker, which
   * begins again under a new nonce.
   */
  async awaitHandOff(ownNonce: string, isStopping: () => boolean): Promise<void> {
    const deadline = this.clock.monotonicMs() + this.settings.handOffWaitMs;
    let { end } = await this.log.bounds();
    let last = decoded(await this.lastEntryBefore(end)).entry;
    while (last !== undefined && last.handOff === null && last.nonce !== ownNonce) {
      if (this.clock.monotonicMs() >= deadline || isStopping()) return;
      await this.clock.sleep(HAND_OFF_POLL_MS);
      const now = (await this.log.bounds()).end;
      if (now === end) continue;
      const newer = await this.lastEntryBetween(end, now);
      if (newer !== undefined) last = decoded(newer).entry;
      end = now;
    }
  }

  /**
   * Writes a claim, reads it back, and answers the last entry before it: the state that this incarnation starts from.
   * @throws SpanloomError LEDGER_UNREADABLE (retryable) when the claim does not come back.
   */
  async claim(writer: FencedWriter, nonce: string): Promise<LastEntry> {
    let claimOffset = -1;
    await writer.transaction(async (txn) => {
      const value = ledgerEntryCodec.encode({ ...EMPTY_ENTRY, kind: 'claim', nonce });
      const sent = await txn.send(this.settings.ledgerTopic, this.settings.ledgerPartition, [
        { key: this.claimKey, value },
      ]);
      claimOffset = sent.baseOffset;
    });
    await this.readBack(claimOffset, nonce);
    return decoded(await this.lastEntryBefore(claimOffset));
  }

  private async readBack(claimOffset: number, nonce: string): Promise<void> {
    for (let attempt = 0; attempt < READ_BACK_ATTEMPTS; attempt++) {
      const { records } = await this.log.fetch({
        offset: claimOffset,
        maxBytes: LEDGER_FETCH_BYTES,
        maxWaitMs: LEDGER_WAIT_MS,
      });
      const own = records.find((record) => record.offset === claimOffset);
      if (own?.value != null && ledgerEntryCodec.decode(own.value).nonce === nonce) return;
    }
    throw new SpanloomError(
      'LEDGER_UNREADABLE',
      `The claim at offset ${claimOffset} of ${this.settings.ledgerTopic}[${this.settings.ledgerPartition}] did not come back`,
      { retryable: true },
    );
  }

  /** The newest entry below `end`: searched backwards, doubling the step, because it is nearly always close. */
  private async lastEntryBefore(end: number): Promise<LogRecord | undefined> {
    const { start } = await this.log.bounds();
    let to = end;
    let step = FIRST_STEP_RECORDS;
    while (to > start) {
      const from = Math.max(start, to - step);
      const found = await this.lastEntryBetween(from, to);
      if (found !== undefined) return found;
      to = from;
      step *= 2;
    }
    return undefined;
  }

  private async lastEntryBetween(from: number, to: number): Promise<LogRecord | undefined> {
    let last: LogRecord | undefined;
    let offset = from;
    while (offset < to) {
      const fetched = await this.log.fetch({ offset, maxBytes: LEDGER_FETCH_BYTES, maxWaitMs: LEDGER_WAIT_MS });
      for (const record of fetched.records) {
        if (record.offset < to && record.key !== null && record.key.toString() === this.entryKey) last = record;
      }
      if (fetched.nextOffset <= offset) {
        throw new SpanloomError(
          'LEDGER_UNREADABLE',
          `${this.settings.ledgerTopic}[${this.settings.ledgerPartition}] cannot be read past offset ${offset}`,
          { retryable: true },
        );
      }
      offset = fetched.nextOffset;
    }
    return last;
  }
}

/** What the incarnations before have left; no entry when there were none. */
export interface LastEntry {
  readonly entry: LedgerEntry | undefined;
  /** Of the input that the entry's offsets are of; undefined where brokers had none. */
  readonly topicId: string | undefined;
}

/** An entry without a value is how an operator makes a worker begin anew. */
function decoded(record: LogRecord | undefined): LastEntry {
  if (record === undefined || record.value === null) return { entry: undefined, topicId: undefined };
  return { entry: ledgerEntryCodec.decode(record.value), topicId: record.headers.get(TOPIC_ID)?.toString() };
}

/** What a claim carries besides its nonce. */
const EMPTY_ENTRY: Omit<LedgerEntry, 'kind' | 'nonce'> = {
  applied: 0,
  low: 0,
  outputPosition: 0,
  outputEnd: 0,
  handOff: null,
  counters: {},
  streamTime: 0,
  state: null,
};

const TOPIC_ID = 'topic-id';
const HAND_OFF_POLL_MS = 100;
const LEDGER_FETCH_BYTES = 1024 * 1024;
const LEDGER_WAIT_MS = 100;
const READ_BACK_ATTEMPTS = 50;
const FIRST_STEP_RECORDS = 64;
