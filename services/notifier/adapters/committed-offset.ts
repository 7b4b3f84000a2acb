import type { Kafka } from 'kafkajs';
import { kafkaError } from '../../../lib/kafka/errors.ts';

/** Where a group got to in the only partition of a topic; undefined when it has committed nothing. */
export async function committedOffset(kafka: Kafka, groupId: string, topic: string): Promise<number | undefined> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const offset = Number(found?.partitions.find(({ partition }) => partition === 0)?.offset ?? -1);
    return offset >= 0 ? offset : undefined;
  } catch (error) {
    throw kafkaError(error, `reading the offset of group ${groupId}`);
  } finally {
    await admin.disconnect();
  }
}
