import { readLedgers } from '../../../cli/audit/ledgers.ts';
import { openTopic } from '../../../cli/kafka/open-topic.ts';
import { createKafka } from '../../../lib/kafka/client.ts';
import type { FaultPipeline } from './fault-pipeline.ts';

/** Of each topic of a pipeline that is divided. */
export const PARTITIONS = 2;

/** Next offset of each worker of a ledger topic, by partition of its input. */
export async function positionsOf(pipeline: FaultPipeline, ledgerTopic: string): Promise<number[]> {
  const kafka = createKafka({ brokers: pipeline.stack.addresses.kafka, clientId: 'fault-tests' });
  const ledger = await openTopic(kafka, ledgerTopic);
  try {
    const positions: number[] = [];
    for (const { partition, entry } of await readLedgers(ledger.logs)) positions[partition] = entry.applied;
    return positions;
  } finally {
    await ledger.close();
  }
}

/** The offset behind the last record of each partition. */
export async function endsOf({ admin }: FaultPipeline, topic: string): Promise<number[]> {
  const ends: number[] = [];
  for (const { partition, high } of await admin.fetchTopicOffsets(topic)) ends[partition] = Number(high);
  return ends;
}
