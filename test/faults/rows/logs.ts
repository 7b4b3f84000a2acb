import type { ServiceName } from '../../../cli/services.ts';
import { groupId } from '../../../lib/topics/topics.ts';
import type { Fault, FaultGroup } from '../fault.ts';
import type { FaultPipeline } from '../rig/fault-pipeline.ts';
import { endsOf, positionsOf } from '../rig/positions.ts';
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
