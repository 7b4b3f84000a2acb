import type { LogRecord } from '../kafka/types.ts';

/**
 * The broker's time as one reader of a LogAppendTime partition knows it.
 *
 * Append time of the newest record read; once the reader has caught up with the log, that plus the time that passed
 * since, so that an idle partition still closes its windows. The time that passed is counted to the moment a fetch was
 * asked for, not answered: a process that was stopped for a minute must not close what has arrived meanwhile.
 */
export class StreamTime {
  /** Whole epoch milliseconds of the broker; 0 until a record was read. */
  ms: number;
  /** Of all records ever read, whoever read them; whole epoch milliseconds of the broker. */
  newestMs: number;
  /** Monotonic moment from which time passed counts; undefined while behind. */
  private caughtUpSinceMs: number | undefined;

  constructor(startMs: number) {
    this.ms = startMs;
    this.newestMs = startMs;
  }

  /** @param askedAtMs monotonic moment at which the fetch was sent. */
  read(records: readonly LogRecord[], caughtUp: boolean, askedAtMs: number): void {
    for (const record of records) {
      if (record.timestampMs > this.newestMs) this.newestMs = record.timestampMs;
    }
    if (!caughtUp) this.caughtUpSinceMs = undefined;
    else if (records.length > 0 || this.caughtUpSinceMs === undefined) this.caughtUpSinceMs = askedAtMs;
    const passedMs = this.caughtUpSinceMs === undefined || this.newestMs === 0 ? 0 : askedAtMs - this.caughtUpSinceMs;
    this.ms = Math.max(this.ms, this.newestMs + Math.floor(passedMs));
  }
}
