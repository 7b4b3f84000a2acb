import { hasCode, SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { LogRecord, PartitionLog } from '../../../lib/kafka/types.ts';
import type { Revision } from './earlier-revisions.ts';

/** Reads stretches and single records of the input again. */
export class ReadAgain {
  private readonly log: PartitionLog;
  private readonly known = new Map<number, LogRecord>();

  constructor(log: PartitionLog) {
    this.log = log;
  }

  /** All records of offsets [from, to) that are still there, in order. */
  async forEach(from: number, to: number, visit: (record: LogRecord) => void): Promise<void> {
    const { start } = await this.log.bounds();
    let offset = Math.max(from, start);
    while (offset < to) {
      const fetched = await this.log.fetch({ offset, maxBytes: STRETCH_BYTES, maxWaitMs: WAIT_MS });
      for (const record of fetched.records) if (record.offset < to) visit(record);
      if (fetched.nextOffset <= offset) throw stuck(offset);
      offset = fetched.nextOffset;
    }
  }

  /**
   * Fetches what `records` need of earlier offsets, each stretch of the log once, for `at`.
   * @param earlier per record, what is known of its trace.
   */
  async prepare(records: readonly LogRecord[], earlier: readonly (readonly Revision[])[]): Promise<void> {
    const wanted = new Map(earlier.flatMap((revisions) => revisions.map((revision) => [revision.offset, revision])));
    if (wanted.size === 0) return;
    for (const record of records) if (wanted.delete(record.offset)) this.known.set(record.offset, record);
    for (const offset of [...wanted.keys()].sort((a, b) => a - b)) {
      if (!this.known.has(offset)) await this.fetchAround(offset, wanted);
    }
  }

  /** The record of that offset; undefined when the log has let go of it. */
  at(offset: number): LogRecord | undefined {
    return this.known.get(offset);
  }

  release(): void {
    this.known.clear();
  }

  /**
   * A fetch answers with whole batches, so it often brings others that are wanted too.
   * @throws SpanloomError TRACES_UNREADABLE, retryable, when the topic was made anew since the records were read.
   */
  private async fetchAround(offset: number, wanted: ReadonlyMap<number, Revision>): Promise<void> {
    try {
      const fetched = await this.log.fetch({ offset, maxBytes: RECORD_BYTES, maxWaitMs: WAIT_MS });
      // It was read once, so a leader that has nothing there lags behind; only one that has more can say it is gone.
      if (fetched.nextOffset <= offset) throw stuck(offset);
      if (fetched.records[0]?.offset !== offset) throw another(offset);
      for (const record of fetched.records) {
        const revision = wanted.get(record.offset);
        if (revision === undefined) continue;
        if (!isRecordOf(record, revision)) throw another(record.offset);
        this.known.set(record.offset, record);
      }
    } catch (error) {
      if (!hasCode(error, 'KAFKA_OFFSET_GONE')) throw error;
      // Above the end of a log in which it stood before.
      if (offset >= (await this.log.bounds()).start) throw another(offset);
    }
  }
}

function isRecordOf({ key, timestampMs }: LogRecord, { traceId, appendMs }: Revision): boolean {
  return (key?.latin1Slice() ?? '') === traceId && timestampMs === appendMs;
}

const STRETCH_BYTES = 4 * 1024 * 1024;
/** At least one whole batch comes, however large. */
const RECORD_BYTES = 64 * 1024;
const WAIT_MS = 100;

function stuck(offset: number): SpanloomError {
  return new SpanloomError('TRACES_UNREADABLE', `The traces topic cannot be read past offset ${offset}`, {
    retryable: true,
  });
}

function another(offset: number): SpanloomError {
  const sentence = `Offset ${offset} of the traces topic no longer holds the record that was read there`;
  return new SpanloomError('TRACES_UNREADABLE', sentence, { retryable: true });
}
