import type { Kafka } from 'kafkajs';
import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import { acquireLinks } from '../../lib/kafka/broker-links.ts';
import { kafkaError } from '../../lib/kafka/errors.ts';
import { createLogs, type TimedLog } from '../../lib/kafka/partition-log.ts';

export interface OpenTopic {
  /** One per partition, in order. */
  readonly logs: readonly TimedLog[];
  close(): Promise<void>;
}

/** @throws SpanloomError TOPIC_MISSING, or what Kafka says when it cannot be reached. */
export async function openTopic(kafka: Kafka, topic: string): Promise<OpenTopic> {
  const links = acquireLinks(kafka);
  try {
    const partitions = (await links.partitionCounts([topic])).get(topic);
    if (partitions === undefined) {
      throw new SpanloomError('TOPIC_MISSING', `Topic ${topic} does not exist; 'spanloom topics create' makes ours`);
    }
    const logs = createLogs(kafka);
    return {
      logs: Array.from({ length: partitions }, (_, partition) => logs.open(topic, partition)),
      close: () => logs.close(),
    };
  } catch (error) {
    throw kafkaError(error, `looking for ${topic}`);
  } finally {
    await links.release();
  }
}
