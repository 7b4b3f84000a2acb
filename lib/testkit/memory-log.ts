import { SpanloomError } from '../errors/spanloom-error.ts';
import type { FetchedRecords, LogRecord, PartitionLog } from '../kafka/types.ts';

/** A partition in memory, for tests of what reads one. Offsets may have holes. */
export class MemoryLog implements PartitionLog {
  readonly records: LogRecord[] = [];
  start = 0;
  end = 0;
  private readonly recordsPerFetch: number;

  constructor(recordsPerFetch = 3) {
    this.recordsPerFetch = recordsPerFetch;
  }

  append(record: LogRecord): void {
    this.records.push(record);
    this.end = record.offset + 1;
  }

  async fetch({ offset }: { offset: number }): Promise<FetchedRecords> {
    if (offset < this.start || offset > this.end) {
      throw new SpanloomError('KAFKA_OFFSET_GONE', `offset ${offset} is not in [${this.start}, ${this.end}]`);
    }
    const records = this.records.filter((record) => record.offset >= offset).slice(0, this.recordsPerFetch);
    const last = records.at(-1);
    return {
      records,
      nextOffset: last === undefined ? this.end : last.offset + 1,
      lastStableOffset: this.end,
      highWatermark: this.end,
      logStartOffset: this.start,
    };
  }

  async bounds(): Promise<{ start: number; end: number }> {
    return { start: this.start, end: this.end };
  }
}
