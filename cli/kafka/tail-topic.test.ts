import { describe, expect, it } from '@jest/globals';
import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import type { LogRecord, PartitionLog } from '../../lib/kafka/types.ts';
import { type TailOptions, tailTopic } from './tail-topic.ts';

describe('tailTopic', () => {
  it('reads from the start to what was the end, and no further', async () => {
    const log = new ListLog(0, 5);
    const seen = await tail([log], { from: 'start', untilEnd: true }, () => log.append());
    expect(seen).toEqual(['0@0', '0@1', '0@2', '0@3', '0@4']);
  });

  it('ends at once when it begins at the end and should stop there', async () => {
    expect(await tail([new ListLog(0, 5)], { from: 'end', untilEnd: true })).toEqual([]);
  });

  it('follows all partitions until it is told to stop', async () => {
    const logs = [new ListLog(0, 2), new ListLog(0, 0)];
    const stop = new AbortController();
    const seen = await tail(
      logs,
      { from: 'end', untilEnd: false, signal: stop.signal },
      (_record, partition) => {
        if (partition === 1) stop.abort();
        else logs[1]?.append();
      },
      () => logs[0]?.append(),
    );
    expect(seen).toEqual(['0@2', '1@0']);
  });

  it('reports records that were deleted before they were read, and goes on behind them', async () => {
    const log = new ListLog(0, 6);
    const gaps: string[] = [];
    const seen = await tail(
      [log],
      {
        from: 'start',
        untilEnd: true,
        onGap: (partition, from, to) => gaps.push(`${partition}: ${from}-${to}`),
      },
      (record) => {
        if (record.offset === 1) log.deleteBelow(4);
      },
    );
    expect(seen).toEqual(['0@0', '0@1', '0@4', '0@5']);
    expect(gaps).toEqual(['0: 2-4']);
  });
});

async function tail(
  logs: PartitionLog[],
  options: Pick<TailOptions, 'from' | 'untilEnd' | 'onGap'> & { signal?: AbortSignal },
  onRecord: (record: LogRecord, partition: number) => void = () => {},
  onPositioned: () => void = () => {},
): Promise<string[]> {
  const seen: string[] = [];
  await tailTopic({
    signal: new AbortController().signal,
    ...options,
    logs,
    onPositioned,
    onRecord: (record, partition) => {
      seen.push(`${partition}@${record.offset}`);
      onRecord(record, partition);
    },
  });
  return seen;
}

/** A log of empty records that answers two at a time. */
class ListLog implements PartitionLog {
  private start: number;
  private end: number;

  constructor(start: number, end: number) {
    this.start = start;
    this.end = end;
  }

  append(): void {
    this.end++;
  }

  deleteBelow(offset: number): void {
    this.start = offset;
  }

  async bounds(): Promise<{ start: number; end: number }> {
    return { start: this.start, end: this.end };
  }

  async fetch({ offset }: { offset: number }): ReturnType<PartitionLog['fetch']> {
    if (offset < this.start) throw new SpanloomError('KAFKA_OFFSET_GONE', 'gone');
    await new Promise((resolve) => setTimeout(resolve, 1));
    const records: LogRecord[] = [];
    for (let at = offset; at < Math.min(offset + 2, this.end); at++) {
      records.push({ offset: at, timestampMs: 0, key: null, value: null, headers: new Map() });
    }
    const nextOffset = offset + records.length;
    return { records, nextOffset, lastStableOffset: this.end, highWatermark: this.end, logStartOffset: this.start };
  }
}
