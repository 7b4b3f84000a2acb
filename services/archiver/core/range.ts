import type { LogRecord } from '../../../lib/kafka/types.ts';
import { type ArchivedRecord, readRecord } from './archived-record.ts';

/** Trace records [first, end) of a partition that are gathered for the next entry of its chain. */
export class OpenRange {
  readonly first: number;
  readonly gapBefore: { readonly from: number; readonly to: number } | null;
  /** Offset to read next. */
  end: number;
  /** Bytes of the records' values. */
  bytes = 0;
  readonly records: ArchivedRecord[] = [];
  /** The next record is of one event hour too many. */
  isFullOfHours = false;
  /** Monotonic milliseconds when the first record came; undefined while there is none. */
  openedAtMs: number | undefined;
  private readonly hours = new Set<number>();

  constructor(first: number, gapBefore: OpenRange['gapBefore'] = null) {
    this.first = first;
    this.end = first;
    this.gapBefore = gapBefore;
  }

  /** Takes records up to `nextOffset`, or to the first that is of one event hour too many. */
  add(records: readonly LogRecord[], nextOffset: number, nowMs: number): void {
    for (const record of records) {
      const read = readRecord(record);
      if (read.hourMs !== undefined && !this.hours.has(read.hourMs)) {
        if (this.hours.size === HOURS_MAX) {
          this.isFullOfHours = true;
          this.end = record.offset;
          return;
        }
        this.hours.add(read.hourMs);
      }
      this.openedAtMs ??= nowMs;
      this.records.push(read);
      this.bytes += record.value?.length ?? 0;
    }
    this.end = nextOffset;
  }

  /** The same range, cut at an end that somebody else has decided. */
  upTo(end: number): OpenRange {
    const shorter = new OpenRange(this.first, this.gapBefore);
    const records = this.records.filter(({ record }) => record.offset < end).map(({ record }) => record);
    shorter.add(records, end, this.openedAtMs ?? 0);
    return shorter;
  }
}

export interface RangeLimits {
  /** Raw bytes of one range; what is written is about a tenth of it. */
  readonly bytesMax: number;
  readonly ageMaxMs: number;
}

/** Why a range is to be written now; undefined while it can wait. */
export function isDue(range: OpenRange, limits: RangeLimits, nowMs: number): 'bytes' | 'hours' | 'age' | undefined {
  if (range.records.length === 0) return undefined;
  if (range.isFullOfHours) return 'hours';
  if (range.bytes >= limits.bytesMax) return 'bytes';
  return nowMs - (range.openedAtMs ?? nowMs) >= limits.ageMaxMs ? 'age' : undefined;
}

/** Event hours that a range may touch: each makes two objects. */
export const HOURS_MAX = 24;
