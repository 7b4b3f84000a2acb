import { createHash } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { deadLetterCodec } from '../../lib/codec/records.ts';
import { kafkaSettingsOf } from '../../lib/config/common.ts';
import { AddressGuard } from '../../lib/http/address-guard.ts';
import { createHttpPoster } from '../../lib/http/http-post.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { committedOffset } from '../../lib/kafka/committed-offset.ts';
import { openFencedWriter } from '../../lib/kafka/fenced-writer.ts';
import { joinGroup } from '../../lib/kafka/membership.ts';
import { createLogs, type PartitionLogs } from '../../lib/kafka/partition-log.ts';
import { systemRandom } from '../../lib/runtime/clock.ts';
import { runService, type ServiceContext, type ServiceDefinition } from '../../lib/runtime/run-service.ts';
import { prepareTopics } from '../../lib/topics/prepare-topics.ts';
import { groupId, topicNames, transactionalId } from '../../lib/topics/topics.ts';
import { PartitionGroup } from '../../lib/worker/partition-group.ts';
import { createSinkEvents } from './adapters/sink-events.ts';
import { SinkWorker } from './adapters/sink-worker.ts';
import { type NotifierSettings, settings, sinksOf } from './config.ts';
import { OrderedOutbox } from './core/ordered-outbox.ts';
import type { Sink } from './core/sinks.ts';
import { StateOutbox } from './core/state-outbox.ts';
import type { SinkEvents } from './ports.ts';

export { settings } from './config.ts';

const SERVICE = 'notifier';
/** At most so much is told twice after a crash. */
const OFFSET_COMMIT_MS = 1_000;

/** Runs the notifier until it is told to stop. */
export async function main(): Promise<void> {
  await runService(notifier);
}

export const notifier: ServiceDefinition<(typeof settings)['settings']> = {
  name: SERVICE,
  settings,
  async start({ settings: read, logger, metrics, clock, onClose }) {
    const values: NotifierSettings = read;
    const kafka = createKafka(
      kafkaSettingsOf(values, { part: SERVICE, log: (level, message, fields) => logger[level](message, fields) }),
    );
    await prepareTopics(kafka, values);
    const logs = createLogs(kafka);
    onClose(() => logs.close());
    const eventsOf = createSinkEvents(metrics, logger, topicNames(values.SPANLOOM_PREFIX).incidents);
    const groups = sinksOf(values.NOTIFY_SINKS).sinks.map((sink) =>
      sinkGroup(sink, { values, kafka, logs, clock, events: eventsOf(sink.name), onClose }),
    );
    const joined = Promise.all(groups.map((group) => group.start()));
    onClose(() => Promise.all(groups.map((group) => group.stop())));
    await joined;
    return { ready: () => true, stop: async () => void (await Promise.all(groups.map((group) => group.stop()))) };
  },
};

interface SinkContext extends Pick<ServiceContext<(typeof settings)['settings']>, 'clock' | 'onClose'> {
  readonly values: NotifierSettings;
  readonly kafka: Kafka;
  readonly logs: PartitionLogs;
  readonly events: SinkEvents;
}

/** Each sink is a consumer group of its own: who of its members has the topic's only partition tells it. */
function sinkGroup(sink: Sink, { values, kafka, logs, clock, events, onClose }: SinkContext): PartitionGroup {
  const prefix = values.SPANLOOM_PREFIX;
  const { incidents: topic, deadLetters } = topicNames(prefix);
  const group = groupId(prefix, `${SERVICE}-${sink.name}`);
  const guard = new AddressGuard(values.NOTIFY_ALLOW_ADDRESSES);
  const poster = createHttpPoster({ guard, timeoutMs: values.NOTIFY_TIMEOUT_MS });
  onClose(() => poster.close());
  const login: Record<string, string> = sink.authorization === '' ? {} : { authorization: sink.authorization };
  const link = values.NOTIFY_LINK;
  const members: PartitionGroup = new PartitionGroup({
    join: (onAssignment) =>
      joinGroup(kafka, { groupId: group, topics: [topic], onAssignment, offsetCommitMs: OFFSET_COMMIT_MS }),
    createWorker: (partition) =>
      new SinkWorker(
        {
          sink: sink.name,
          incidentsTopic: topic,
          retryMs: values.NOTIFY_RETRY_MS,
          retryMaxMs: values.NOTIFY_RETRY_MAX_MS,
        },
        {
          incidents: logs.open(topic, 0),
          committedOffset: () => committedOffset(kafka, group, partition),
          reportOffset: (nextOffset) => members.reportOffset(partition, nextOffset),
          post: ({ path, headers, body }, signal) =>
            poster.post({ url: addressOf(sink.url, path), headers: { ...headers, ...login }, body }, signal),
          async deadLetter(letter) {
            const key = `${letter.topic}/${letter.partition}/${letter.offset}/${sink.name}`;
            const writer = await openFencedWriter(kafka, {
              transactionalId: transactionalId(prefix, `${SERVICE}-${sink.name}`, 0),
            });
            try {
              const record = { key, value: deadLetterCodec.encode(letter) };
              await writer.transaction(async (txn) => void (await txn.send(deadLetters, 0, [record])));
            } finally {
              await writer.close();
            }
          },
          sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
          clock,
          random: systemRandom,
          events,
        },
        () =>
          sink.kind === 'alertmanager'
            ? new StateOutbox(sink, { resendMs: values.NOTIFY_RESEND_MS, link })
            : new OrderedOutbox(sink, { ageMaxMs: values.NOTIFY_AGE_MAX_MS, link }),
      ),
  });
  return members;
}

function addressOf(url: URL, path: string): URL {
  if (path === '') return url;
  const address = new URL(url);
  address.pathname = address.pathname.replace(/\/$/, '') + path;
  return address;
}
