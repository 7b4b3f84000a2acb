import type { Admin, Kafka } from 'kafkajs';
import { testStack, uniquePrefix } from '../../../test/support/stack.ts';
import { createKafka, type KafkaSettings } from '../client.ts';
import { createLogs, type PartitionLogOptions, type PartitionLogs } from '../partition-log.ts';
import type { LogRecord, PartitionLog } from '../types.ts';

/** A client of the test run's Kafka with topics of its own; everything it opened is closed by `close`. */
export class KafkaFixture {
  readonly kafka: Kafka;
  readonly prefix: string;
  readonly #admin: Admin;
  readonly #closing: (() => Promise<unknown>)[] = [];
  #topics = 0;

  private constructor(name: string, settings: Partial<KafkaSettings>) {
    this.prefix = uniquePrefix(name);
    this.kafka = createKafka({ brokers: testStack().kafka, clientId: this.prefix, ...settings });
    this.#admin = this.kafka.admin();
  }

  static async open(name: string, settings: Partial<KafkaSettings> = {}): Promise<KafkaFixture> {
    const fixture = new KafkaFixture(name, settings);
    await fixture.#admin.connect();
    return fixture;
  }

  get admin(): Admin {
    return this.#admin;
  }

  async topic(partitions = 1, config: Record<string, string> = {}): Promise<string> {
    const topic = `${this.prefix}.${this.#topics++}`;
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await this.#admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }] });
    return topic;
  }

  logs(options: PartitionLogOptions = {}): PartitionLogs {
    const logs = createLogs(this.kafka, options);
    this.#closing.push(() => logs.close());
    return logs;
  }

  /** Registers something to close with the fixture, and passes it through. */
  closing<T extends { close(): Promise<unknown> }>(thing: T): T {
    this.#closing.push(() => thing.close());
    return thing;
  }

  async close(): Promise<void> {
    await Promise.all(this.#closing.map((close) => close()));
    await this.#admin.disconnect();
  }
}

/**
 * Reads from `from` (default: the log's start) to its end, once no transaction is open. A commit answers before its
 * markers are written, so a committed record can be a few milliseconds away from its readers.
 */
export async function readToEnd(log: PartitionLog, from?: number): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const deadline = performance.now() + SETTLED_MS;
  let offset = from ?? (await log.bounds()).start;
  for (;;) {
    const fetched = await log.fetch({ offset, maxBytes: 64 * 1024, maxWaitMs: 50 });
    records.push(...fetched.records);
    offset = fetched.nextOffset;
    if (offset >= fetched.highWatermark) return records;
    if (performance.now() > deadline) throw new Error(`stuck at ${offset} before ${fetched.highWatermark}`);
  }
}

const SETTLED_MS = 10_000;

export function textOf(records: readonly LogRecord[]): string[] {
  return records.map(({ value }) => value?.toString() ?? '');
}
