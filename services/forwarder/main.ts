import { createHash } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { deadLetterCodec } from '../../lib/codec/records.ts';
import { kafkaSettingsOf } from '../../lib/config/common.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { committedPosition } from '../../lib/kafka/committed-offset.ts';
import { openFencedWriter } from '../../lib/kafka/fenced-writer.ts';
import { joinGroup } from '../../lib/kafka/membership.ts';
import { createLogs, type PartitionLogs } from '../../lib/kafka/partition-log.ts';
import type { AssignedPartition, PartitionLog } from '../../lib/kafka/types.ts';
import { Backoff } from '../../lib/runtime/backoff.ts';
import { runService, type ServiceContext, type ServiceDefinition } from '../../lib/runtime/run-service.ts';
import { prepareTopics } from '../../lib/topics/prepare-topics.ts';
import { groupId, topicNames, transactionalId } from '../../lib/topics/topics.ts';
import { PartitionGroup } from '../../lib/worker/partition-group.ts';
import { createSender } from './adapters/create-sender.ts';
import { Delivery } from './adapters/delivery.ts';
import { createDestinationEvents } from './adapters/destination-events.ts';
import { DestinationWorker } from './adapters/destination-worker.ts';
import { IncidentWatch } from './adapters/incident-watch.ts';
import { readDestinationsFile } from './adapters/read-destinations-file.ts';
import { type ForwarderSettings, settings } from './config.ts';
import { Circuit } from './core/circuit.ts';
import type { Destination } from './core/destination.ts';
import { Intake } from './core/intake.ts';
import { type OpenIncidents, Sampler } from './core/sampling/sampler.ts';
import type { DestinationEvents, WorkerPorts } from './ports.ts';

export { settings } from './config.ts';

const SERVICE = 'forwarder';
/** At most so much is sent twice after a crash. */
const OFFSET_COMMIT_MS = 1_000;
/** A destination that fails so often in a row is down. */
const CIRCUIT_FAILURES_MAX = 5;

/** Runs the forwarder until it is told to stop. */
export async function main(): Promise<void> {
  await runService(forwarder);
}

export const forwarder: ServiceDefinition<(typeof settings)['settings']> = {
  name: SERVICE,
  settings,
  async start({ settings: read, logger, metrics, clock, onClose }) {
    const values: ForwarderSettings = read;
    const destinations = readDestinationsFile(values.FORWARD_DESTINATIONS_PATH, {
      ownTopics: values.SPANLOOM_PREFIX,
      env: process.env,
    });
    const log: NonNullable<Parameters<typeof kafkaSettingsOf>[1]>['log'] = (level, message, fields) =>
      logger[level](message, fields);
    const kafka = createKafka(kafkaSettingsOf(values, { part: SERVICE, log }));
    await prepareTopics(kafka, values);
    const logs = createLogs(kafka);
    onClose(() => logs.close());
    const topics = topicNames(values.SPANLOOM_PREFIX);
    const eventsOf = createDestinationEvents(metrics, logger);
    const incidents = await incidentWatch(destinations, () => logs.open(topics.incidents, 0), {
      clock,
      logger,
      onClose,
    });
    const groups = destinations.map((destination) =>
      destinationGroup(destination, {
        values,
        kafka,
        logs,
        clock,
        log,
        incidents,
        events: eventsOf(destination.name),
        onClose,
      }),
    );
    // In order of closing: the workers, then what they send through.
    onClose(() => Promise.all(groups.map((group) => group.stop())));
    await Promise.all(groups.map((group) => group.start()));
    return { ready: () => true, stop: async () => void (await Promise.all(groups.map((group) => group.stop()))) };
  },
};

interface GroupContext extends Pick<ServiceContext<(typeof settings)['settings']>, 'clock' | 'onClose'> {
  readonly values: ForwarderSettings;
  readonly kafka: Kafka;
  readonly logs: PartitionLogs;
  readonly log: Parameters<typeof createSender>[1]['log'];
  readonly incidents: OpenIncidents;
  readonly events: DestinationEvents;
}

/** Each destination is a consumer group of its own; its partitions in this process share connections and a circuit. */
function destinationGroup(destination: Destination, context: GroupContext): PartitionGroup {
  const { values, kafka, logs, clock, log, incidents, events, onClose } = context;
  const prefix = values.SPANLOOM_PREFIX;
  const { traces: topic } = topicNames(prefix);
  const group = groupId(prefix, `${SERVICE}-${destination.name}`);
  const clientId = `${values.KAFKA_CLIENT_ID}-${SERVICE}`;
  const sender = createSender(destination, { own: kafka, clientId, clock, log });
  onClose(() => sender.close());
  const circuitPauses = new Backoff(destination.retry);
  const circuit = new Circuit({
    failuresMax: CIRCUIT_FAILURES_MAX,
    nextPauseMs: () => circuitPauses.nextMs(),
    onSuccess: () => circuitPauses.reset(),
  });
  const members: PartitionGroup = new PartitionGroup({
    join: (onAssignment) =>
      joinGroup(kafka, { groupId: group, topics: [topic], onAssignment, offsetCommitMs: OFFSET_COMMIT_MS, log }),
    createWorker: (assigned) => {
      const { partition } = assigned;
      const ports: WorkerPorts = {
        traces: logs.open(topic, partition),
        sender,
        committed: () => committedPosition(kafka, group, assigned),
        commit: (nextOffset, note) => members.commit(assigned, nextOffset, note),
        reportOffset: (nextOffset) => members.reportOffset(assigned, nextOffset),
        deadLetters: deadLetterWriter(kafka, prefix, destination.name, assigned),
        sha256: (value) => createHash('sha256').update(value).digest('hex'),
        clock,
        events,
      };
      return new DestinationWorker(
        { destination, partition, fetchBytesMax: values.FETCH_BYTES_MAX },
        ports,
        new Delivery({ destination, topic, partition }, ports, circuit, new Backoff(destination.retry)),
        () => createIntake(destination, values.PARTITIONS, incidents),
        new Backoff(RESTARTS),
      );
    },
  });
  return members;
}

function createIntake({ sampling }: Destination, partitions: number, incidents: OpenIncidents): Intake {
  const options = { partitions, incidents, tracesRememberedMax: TRACES_REMEMBERED_MAX };
  return new Intake(sampling, sampling === undefined ? undefined : new Sampler(sampling, options));
}

/** Incidents are followed only for destinations that ask for them. */
async function incidentWatch(
  destinations: readonly Destination[],
  openLog: () => PartitionLog,
  { clock, logger, onClose }: Pick<ServiceContext<(typeof settings)['settings']>, 'clock' | 'logger' | 'onClose'>,
): Promise<OpenIncidents> {
  const conditions = destinations.flatMap(({ sampling }) => sampling?.rules.flatMap((rule) => rule.conditions) ?? []);
  if (!conditions.some(({ kind }) => kind === 'incident')) return { concerns: () => false };
  const watch = new IncidentWatch(openLog(), clock, logger);
  onClose(() => watch.stop());
  await watch.start();
  return watch.book;
}

function deadLetterWriter(
  kafka: Kafka,
  prefix: string,
  destination: string,
  { partition }: AssignedPartition,
): WorkerPorts['deadLetters'] {
  const topic = topicNames(prefix).deadLetters;
  const id = transactionalId(prefix, `${SERVICE}-${destination}`, partition);
  return async (letters) => {
    if (letters.length === 0) return;
    const writer = await openFencedWriter(kafka, { transactionalId: id });
    try {
      const records = letters.map((letter) => ({
        key: `${letter.topic}/${letter.partition}/${letter.offset}/${destination}`,
        value: deadLetterCodec.encode(letter),
      }));
      await writer.transaction(async (txn) => void (await txn.send(topic, 0, records)));
    } finally {
      await writer.close();
    }
  };
}

/** For each partition of a destination that samples, so that late spans follow their trace: some 10 MB. */
const TRACES_REMEMBERED_MAX = 100_000;
const RESTARTS = { firstMs: 500, maxMs: 30_000 };
