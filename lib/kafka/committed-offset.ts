import type { Kafka } from 'kafkajs';
import { kafkaError } from './errors.ts';
import type { AssignedPartition } from './types.ts';

export interface CommittedPosition {
  readonly offset: number;
  /** The text that was committed with it; empty when none was. */
  readonly note: string;
}

/** Where a group got to in a partition; undefined when it has committed nothing there. */
export async function committedOffset(
  kafka: Kafka,
  groupId: string,
  partition: AssignedPartition,
): Promise<number | undefined> {
  return (await committedPosition(kafka, groupId, partition))?.offset;
}

/** The same, with what stands beside it. */
export async function committedPosition(
  kafka: Kafka,
  groupId: string,
  { topic, partition }: AssignedPartition,
): Promise<CommittedPosition | undefined> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const committed = found?.partitions.find((each) => each.partition === partition);
    const offset = Number(committed?.offset ?? -1);
    return offset >= 0 ? { offset, note: committed?.metadata ?? '' } : undefined;
  } catch (error) {
    throw kafkaError(error, `reading the offsets of group ${groupId}`);
  } finally {
    await admin.disconnect();
  }
}
