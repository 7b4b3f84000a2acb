import type { Kafka } from 'kafkajs';
import { kafkaError } from './errors.ts';
import type { AssignedPartition } from './types.ts';

/** Where a group got to in a partition; undefined when it has committed nothing there. */
export async function committedOffset(
  kafka: Kafka,
  groupId: string,
  { topic, partition }: AssignedPartition,
): Promise<number | undefined> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const offset = Number(found?.partitions.find((each) => each.partition === partition)?.offset ?? -1);
    return offset >= 0 ? offset : undefined;
  } catch (error) {
    throw kafkaError(error, `reading the offsets of group ${groupId}`);
  } finally {
    await admin.disconnect();
  }
}
