import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Bucket } from '../s3/bucket.ts';
import { compactHour, type HourResult } from './compact-hour.ts';
import { GROUP_LIMITS, type GroupLimits } from './group-sources.ts';
import { IdIndexWriter } from './id-index-writer.ts';
import { listCompacted, listWritten, type OnProblem } from './list-objects.ts';
import { DATASETS, HOUR_MS, type TimeRange } from './object-keys.ts';
import { PROMOTED_DEFAULT, type PromotedList } from './promoted-setting.ts';
import { WholeReader } from './read-whole.ts';

export interface CompactOptions {
  readonly bucket: Bucket;
  /** SPANLOOM_PREFIX. */
  readonly prefix: string;
  /** Name and version of this program. */
  readonly writer: string;
  /** Attributes that have columns of what was archived as OTLP; the default without. */
  readonly promoted?: PromotedList;
  /** Hours that lie in it as a whole are compacted, the oldest first. */
  readonly range: TimeRange;
  /** Says what would be done, and does nothing. */
  readonly dryRun: boolean;
  readonly limits?: GroupLimits;
  readonly onProblem: OnProblem;
  onHour(result: HourResult, done: number, all: number): void;
  /** Where a test may kill the process. */
  crashPoint(name: string): void;
}

/** Compacts hour after hour. May be killed, and run by several at once. */
export async function compactArchive(options: CompactOptions): Promise<void> {
  const hours = await hoursOf(options);
  const folder = await mkdtemp(path.join(tmpdir(), 'spanloom-compact-'));
  const reader = await WholeReader.open();
  const index = new IdIndexWriter(options.bucket, options.prefix);
  try {
    for (const [i, hourMs] of hours.entries()) {
      const context = {
        promoted: PROMOTED_DEFAULT,
        ...options,
        limits: options.limits ?? GROUP_LIMITS,
        folder,
        reader,
        index,
      };
      options.onHour(await compactHour(context, hourMs, options.dryRun), i + 1, hours.length);
    }
  } finally {
    reader.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Hours that have objects and lie in the range as a whole; names that are nobody's are told here, once. */
async function hoursOf({ bucket, prefix, range, onProblem }: CompactOptions): Promise<number[]> {
  const sinceMs = Math.ceil(range.sinceMs / HOUR_MS) * HOUR_MS;
  const untilMs = Math.floor(range.untilMs / HOUR_MS) * HOUR_MS;
  if (sinceMs >= untilMs) return [];
  const hours = new Set<number>();
  for (const dataset of DATASETS) {
    for (const list of [listWritten, listCompacted]) {
      for (const { hourMs } of await list(bucket, prefix, dataset, { sinceMs, untilMs }, onProblem)) hours.add(hourMs);
    }
  }
  return [...hours].sort((a, b) => a - b);
}
