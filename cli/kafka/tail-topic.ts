import { hasCode } from '../../lib/errors/spanloom-error.ts';
import { lossBehind } from '../../lib/kafka/behind-loss.ts';
import type { LogRecord, PartitionLog } from '../../lib/kafka/types.ts';

export interface TailOptions {
  /** One per partition, in order. */
  readonly logs: readonly PartitionLog[];
  readonly from: 'start' | 'end';
  /** Stop at what was the end of each partition when the tail began; else go on until the signal. */
  readonly untilEnd: boolean;
  readonly signal: AbortSignal;
  /** Called in order within a partition, one at a time there; a slow one slows its partition down. */
  readonly onRecord: (record: LogRecord, partition: number) => void | Promise<void>;
  /** Records [from, to) were deleted before they were read. */
  readonly onGap?: (partition: number, from: number, to: number) => void;
  /** Called once when every partition has a position: what is written from now on will be seen. */
  readonly onPositioned?: () => void;
}

/** Reads all partitions of a topic at once, read committed, without a consumer group: nobody else is disturbed. */
export async function tailTopic(options: TailOptions): Promise<void> {
  const starts = await Promise.all(options.logs.map((log) => log.bounds()));
  options.onPositioned?.();
  await Promise.all(
    options.logs.map((log, partition) => {
      const { start, end } = starts[partition] as { start: number; end: number };
      return tailPartition(log, partition, options.from === 'start' ? start : end, end, options);
    }),
  );
}

async function tailPartition(
  log: PartitionLog,
  partition: number,
  start: number,
  endAtFirst: number,
  { untilEnd, signal, onRecord, onGap }: TailOptions,
): Promise<void> {
  let offset = start;
  let end = endAtFirst;
  while (!signal.aborted && !(untilEnd && offset >= end)) {
    let fetched: Awaited<ReturnType<PartitionLog['fetch']>>;
    try {
      fetched = await log.fetch({ offset, maxBytes: FETCH_BYTES_MAX, maxWaitMs: FETCH_WAIT_MS });
    } catch (error) {
      const { from, start: after } = await lossBehind(error, log, offset);
      // Of another topic, the end that was to be read to is not this one's.
      const isAnother = hasCode(error, 'KAFKA_TOPIC_RECREATED') || from < offset;
      if (isAnother) end = (await log.bounds()).end;
      onGap?.(partition, from, after);
      offset = after;
      continue;
    }
    for (const record of fetched.records) {
      if (signal.aborted || (untilEnd && record.offset >= end)) return;
      await onRecord(record, partition);
    }
    offset = fetched.nextOffset;
  }
}

const FETCH_BYTES_MAX = 1024 * 1024;
const FETCH_WAIT_MS = 500;
