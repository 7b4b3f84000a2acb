import { createHash } from 'node:crypto';
import { kafkaSettingsOf } from '../../lib/config/common.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { openFencedWriter } from '../../lib/kafka/fenced-writer.ts';
import { joinGroup } from '../../lib/kafka/membership.ts';
import { createLogs } from '../../lib/kafka/partition-log.ts';
import { ownersOf } from '../../lib/owners/owner-settings.ts';
import { Ownership } from '../../lib/owners/ownership.ts';
import { systemRandom } from '../../lib/runtime/clock.ts';
import { crashPoint } from '../../lib/runtime/crash-point.ts';
import { runService, type ServiceDefinition } from '../../lib/runtime/run-service.ts';
import { prepareTopics } from '../../lib/topics/prepare-topics.ts';
import { groupId, topicNames, transactionalId } from '../../lib/topics/topics.ts';
import { PartitionGroup } from '../../lib/worker/partition-group.ts';
import { ActiveAlerter } from './adapters/active-alerter.ts';
import { alerterEvents } from './adapters/alerter-events.ts';
import { type AlerterSettings, rulesOf, settings } from './config.ts';

export { settings } from './config.ts';

const SERVICE = 'alerter';

/** Runs the alerter until it is told to stop. */
export async function main(): Promise<void> {
  await runService(alerter);
}

export const alerter: ServiceDefinition<(typeof settings)['settings']> = {
  name: SERVICE,
  settings,
  async start({ settings: read, logger, metrics, clock }) {
    const values: AlerterSettings = read;
    const prefix = values.SPANLOOM_PREFIX;
    const topics = topicNames(prefix);
    const kafka = createKafka(
      kafkaSettingsOf(values, { part: SERVICE, log: (level, message, fields) => logger[level](message, fields) }),
    );
    await prepareTopics(kafka, values);
    const logs = createLogs(kafka);
    const events = alerterEvents(metrics, logger, topics.serviceEdges);
    let joined = false;
    const group = new PartitionGroup({
      // Whoever has the incidents topic's only partition is at work, the others stand by.
      join: (onAssignment) =>
        joinGroup(kafka, {
          groupId: groupId(prefix, SERVICE),
          topics: [topics.incidents],
          onAssignment: (assigned) => {
            joined = true;
            onAssignment(assigned);
          },
        }),
      createWorker: () =>
        new ActiveAlerter(
          {
            rules: rulesOf(values),
            ownership: new Ownership(ownersOf(values.SERVICE_OWNERS).teams),
            edgesTopic: topics.serviceEdges,
            incidentsTopic: topics.incidents,
            stateTopic: topics.alerterState,
            deadLettersTopic: topics.deadLetters,
            commitIntervalMs: values.COMMIT_INTERVAL_MS,
            fetchBytesMax: values.FETCH_BYTES_MAX,
          },
          {
            edges: Array.from({ length: values.PARTITIONS }, (_, p) => logs.open(topics.serviceEdges, p)),
            state: logs.open(topics.alerterState, 0),
            openWriter: () => openFencedWriter(kafka, { transactionalId: transactionalId(prefix, SERVICE, 0) }),
            clock,
            randomHex: systemRandom.hex,
            sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
            crashPoint,
            events,
          },
        ),
    });
    await group.start();
    return {
      ready: () => joined || 'waiting for the consumer group',
      stop: async () => {
        await group.stop();
        await logs.close();
      },
    };
  },
};
