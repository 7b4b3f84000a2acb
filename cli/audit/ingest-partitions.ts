import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import type { TimedLog } from '../../lib/kafka/partition-log.ts';
import { matchTopics } from '../../lib/kafka/topic-patterns.ts';
import type { StageContext } from './context.ts';
import { readLedgers } from './ledgers.ts';

export interface IngestPartition {
  readonly topic: string;
  readonly partition: number;
  /** `topic/partition`. */
  readonly place: string;
  readonly log: TimedLog;
  readonly start: number;
  readonly end: number;
  /** What the router has committed; 0 for a partition that it has not begun with. */
  readonly applied: number;
}

/**
 * Every partition that spans come in on: those that a router's ledger knows, and those that have come into being since,
 * whose records are all open.
 */
export async function ingestPartitions(context: StageContext): Promise<IngestPartition[]> {
  const ledgers = await context.open(context.topics.routerLedger);
  const workers = await readLedgers(ledgers);
  const applied = new Map(workers.map(({ topic, partition, entry }) => [`${topic}/${partition}`, entry.applied]));
  const topics = new Set(workers.map(({ topic }) => topic));
  for (const topic of await existing(context)) topics.add(topic);
  const found: IngestPartition[] = [];
  for (const topic of topics) {
    // Opened after the ledger was read, so no partition that it names is missing.
    for (const [partition, log] of (await context.open(topic)).entries()) {
      const place = `${topic}/${partition}`;
      found.push({ topic, partition, place, log, ...(await log.bounds()), applied: applied.get(place) ?? 0 });
    }
  }
  await checkPinned(context, ledgers.length);
  return found;
}

async function existing({ kafka, ingestTopics }: StageContext): Promise<string[]> {
  if (ingestTopics.length === 0) return [];
  const admin = kafka.admin();
  await admin.connect();
  try {
    const names = await admin.listTopics();
    return matchTopics(ingestTopics, names).filter((topic) => names.includes(topic));
  } finally {
    await admin.disconnect();
  }
}

/** The count of partitions is part of where a trace belongs; our topics keep the one that they were made with. */
async function checkPinned({ topics, open }: StageContext, partitions: number): Promise<void> {
  const { length } = await open(topics.spans);
  if (length === partitions) return;
  throw new SpanloomError(
    'AUDIT_PARTITIONS',
    `${topics.spans} has ${length} partitions, ${topics.routerLedger} ${partitions}: one of them was enlarged, and traces no longer stand where they are looked for`,
  );
}
