import { createKafka } from '../../lib/kafka/client.ts';
import { createLogs } from '../../lib/kafka/partition-log.ts';
import type { LogRecord } from '../../lib/kafka/types.ts';
import { testStack } from './stack.ts';

/** Everything on a topic so far, read committed, partition after partition. */
export async function readTopic(
  topic: string,
  partitions: number,
  brokers: readonly string[] = testStack().kafka,
): Promise<LogRecord[]> {
  const logs = createLogs(createKafka({ brokers, clientId: 'test-reader' }));
  try {
    const records: LogRecord[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      const log = logs.open(topic, partition);
      const { start, end } = await log.bounds();
      let offset = start;
      while (offset < end) {
        const fetched = await log.fetch({ offset, maxBytes: 8 * 1024 * 1024, maxWaitMs: 100 });
        records.push(...fetched.records);
        offset = fetched.nextOffset;
      }
    }
    return records;
  } finally {
    await logs.close();
  }
}

/** Reads the topic until `isEnough` says so. Fails with what there was when that takes longer than `withinMs`. */
export async function waitForRecords<T>(
  read: () => Promise<T>,
  isEnough: (value: T) => boolean,
  withinMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await read();
    if (isEnough(value)) return value;
    if (performance.now() > deadline) throw new Error(`not enough after ${withinMs} ms: ${describe(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function describe(value: unknown): string {
  const text = JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? String(item) : item)) ?? String(value);
  return text.length > 2_000 ? `${text.slice(0, 2_000)}…` : text;
}
