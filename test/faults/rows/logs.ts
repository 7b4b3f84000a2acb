import kafkajs from 'kafkajs';
import type { ServiceName } from '../../../cli/services.ts';
import { groupId, MESSAGE_BYTES_MAX } from '../../../lib/topics/topics.ts';
import type { Fault, FaultGroup } from '../fault.ts';
import type { FaultPipeline } from '../rig/fault-pipeline.ts';
import { endsOf, PARTITIONS, positionsOf } from '../rig/positions.ts';
import { sleep, waitUntil } from '../rig/wait-until.ts';

/** Retention overtakes a service that is down: what it can never read is reported with its exact number. */
const overtaken = (
  service: 'span-router' | 'trace-assembler',
  topicOf: (pipeline: FaultPipeline) => string,
  ledgerOf: (pipeline: FaultPipeline) => string,
): Fault => ({
  name: `retention overtakes a stopped ${service}`,
  inject: async (pipeline) => {
    const process = pipeline.process(service);
    // One that has read nothing yet loses nothing: it begins where the log begins.
    await waitUntil('it has read of each partition', async () => {
      const read = await positionsOf(pipeline, ledgerOf(pipeline));
      return read.filter((position) => position > 0).length === PARTITIONS;
    });
    await process.stop();
    const topic = topicOf(pipeline);
    const positions = await positionsOf(pipeline, ledgerOf(pipeline));
    const ends = await waitUntil('something to lose in each partition', async () => {
      const now = await endsOf(pipeline, topic);
      return now.every((end, partition) => end > (positions[partition] ?? 0) + 5) && now;
    });
    const lost = ends.reduce((sum, end, partition) => sum + end - (positions[partition] ?? 0), 0);
    await pipeline.admin.deleteTopicRecords({
      topic,
      partitions: ends.map((end, partition) => ({ partition, offset: String(end) })),
    });
    await process.startAgain();
    await waitUntil(
      `${lost} offsets are reported as lost`,
      async () => (await process.dropped('offsets_lost')) >= lost,
    );
    const reported = await process.dropped('offsets_lost');
    if (reported !== lost) throw new Error(`${lost} offsets were lost, ${reported} were reported`);
  },
});

const resetByAdmin: Fault = {
  name: "an administrator sets the groups' committed offsets back to the start",
  inject: async (pipeline) => {
    const services: readonly ServiceName[] = ['span-router', 'trace-assembler', 'graph-builder'];
    const topics = [pipeline.ingestTopic, pipeline.topics.spans, pipeline.topics.traces];
    await sleep(3_000);
    await Promise.all(services.map((service) => pipeline.process(service).stop()));
    for (const [i, service] of services.entries()) {
      const group = groupId(pipeline.prefix, service);
      await waitUntil(`the group of ${service} is empty`, async () => {
        const { groups } = await pipeline.admin.describeGroups([group]);
        return groups[0]?.state === 'Empty' || groups[0]?.state === 'Dead';
      });
      await pipeline.admin.resetOffsets({ groupId: group, topic: topics[i] as string, earliest: true });
    }
    await Promise.all(services.map((service) => pipeline.process(service).startAgain()));
  },
};

const unwritableLetters: Fault = {
  name: 'the dead-letter topic takes no writes for a while: the router halts and drops nothing',
  inject: async (pipeline) => {
    const router = pipeline.process('span-router');
    const writableAgain = await refuseLetters(pipeline);
    await pipeline.source.sendRaw(Buffer.from('no span'), 0);
    await waitUntil('the router is refused', async () => (await router.errors('KAFKA_REQUEST_FAILED')) > 0);
    const before = await positionsOf(pipeline, pipeline.topics.routerLedger);
    await sleep(5_000);
    const after = await positionsOf(pipeline, pipeline.topics.routerLedger);
    await writableAgain();
    if (after.every((position, partition) => position !== before[partition]))
      throw new Error('the router went past a record whose dead letter could not be written');
  },
};

/**
 * Makes the broker refuse letters for their size, and takes the markers that end transactions: without these Kafka could
 * not even abort. @returns what ends that.
 */
async function refuseLetters({ admin, topics }: FaultPipeline): Promise<() => Promise<void>> {
  const topic = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topics.deadLetters };
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [topic] });
  const asTheyWere = (resources[0]?.configEntries ?? [])
    .filter(({ isDefault, configName }) => !isDefault && configName !== 'max.message.bytes')
    .map(({ configName: name, configValue: value }) => ({ name, value }));
  const largest = (bytes: number) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...topic, configEntries: [...asTheyWere, { name: 'max.message.bytes', value: String(bytes) }] }],
    });
  await largest(128);
  return async () => {
    await largest(MESSAGE_BYTES_MAX);
  };
}

export const RETENTION_INGEST: FaultGroup = {
  pipeline: { name: 'retention-ingest', seed: 7 },
  faults: [
    {
      ...overtaken(
        'span-router',
        ({ ingestTopic }) => ingestTopic,
        ({ topics }) => topics.routerLedger,
      ),
      fast: true,
    },
    resetByAdmin,
    unwritableLetters,
  ],
};

export const RETENTION_SPANS: FaultGroup = {
  pipeline: { name: 'retention-spans', seed: 8 },
  faults: [
    {
      ...overtaken(
        'trace-assembler',
        ({ topics }) => topics.spans,
        ({ topics }) => topics.assemblerLedger,
      ),
      spans: 'any',
    },
  ],
};
