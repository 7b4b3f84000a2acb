import { createHash, randomBytes } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { encodeParquet } from '../../lib/archive/encode-parquet.ts';
import { encodeOtlpObject } from '../../lib/archive/otlp-object.ts';
import { canonicalList } from '../../lib/archive/promoted-setting.ts';
import { kafkaSettingsOf } from '../../lib/config/common.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { kafkaError } from '../../lib/kafka/errors.ts';
import { joinGroup } from '../../lib/kafka/membership.ts';
import { createLogs } from '../../lib/kafka/partition-log.ts';
import { crashPoint } from '../../lib/runtime/crash-point.ts';
import { runService, type ServiceDefinition } from '../../lib/runtime/run-service.ts';
import { openBucket } from '../../lib/s3/bucket.ts';
import { requireConditionalPut } from '../../lib/s3/conditional-put.ts';
import { prepareTopics } from '../../lib/topics/prepare-topics.ts';
import { groupId, topicNames } from '../../lib/topics/topics.ts';
import { PartitionGroup } from '../../lib/worker/partition-group.ts';
import { archiverEvents } from './adapters/archiver-events.ts';
import { PartitionArchiver } from './adapters/partition-archiver.ts';
import { type ArchiverSettings, settings } from './config.ts';
import { BytesBudget } from './core/bytes-budget.ts';
import type { ArchiverPorts } from './ports.ts';

export { settings } from './config.ts';

const SERVICE = 'archiver';
/** Stands in every entry: a later version that writes other rows has another name. */
const WRITER = 'spanloom 0.1.0';

/** Runs the archiver until it is told to stop. */
export async function main(): Promise<void> {
  await runService(archiver);
}

export const archiver: ServiceDefinition<(typeof settings)['settings']> = {
  name: SERVICE,
  settings,
  async start({ settings: read, logger, metrics, clock, onClose }) {
    const values: ArchiverSettings = read;
    const prefix = values.SPANLOOM_PREFIX;
    const { traces: topic } = topicNames(prefix);
    const bucket = openBucket(values, { onClose });
    const probe = `${prefix}/_probe/${randomBytes(8).toString('hex')}`;
    await requireConditionalPut(bucket, probe, values.S3_CONDITIONAL_PUT);
    const kafka = createKafka(
      kafkaSettingsOf(values, { part: SERVICE, log: (level, message, fields) => logger[level](message, fields) }),
    );
    await prepareTopics(kafka, values);
    const clusterId = await clusterIdOf(kafka);
    const logs = createLogs(kafka);
    const budget = new BytesBudget(values.ARCHIVE_BUFFER_BYTES_MAX);
    const ports: Omit<ArchiverPorts, 'traces'> = {
      bucket,
      clock,
      crashPoint,
      encodeParquet,
      encodeOtlp: encodeOtlpObject,
      digest,
      exclusively: oneAtATime(),
      events: archiverEvents(metrics, logger, topic, clock),
    };
    let joined = false;
    const group: PartitionGroup = new PartitionGroup({
      join: (onAssignment) =>
        joinGroup(kafka, {
          groupId: groupId(prefix, SERVICE),
          topics: [topic],
          onAssignment: (assigned) => {
            joined = true;
            onAssignment(assigned);
          },
        }),
      createWorker: ({ partition }) =>
        new PartitionArchiver(
          {
            prefix,
            clusterId,
            topic,
            partition,
            partitions: values.PARTITIONS,
            writer: WRITER,
            format: values.ARCHIVE_FORMAT,
            promoted: canonicalList(values.ARCHIVE_PROMOTED_ATTRIBUTES),
            limits: { bytesMax: values.ARCHIVE_RANGE_BYTES_MAX, ageMaxMs: values.ARCHIVE_RANGE_AGE_MAX_MS },
            fetchBytesMax: values.FETCH_BYTES_MAX,
          },
          { ...ports, traces: logs.open(topic, partition) },
          budget,
          (next) => group.reportOffset({ topic, partition }, next),
        ),
    });
    await group.start();
    return {
      ready: () => joined || 'waiting for the consumer group to assign partitions',
      stop: async () => {
        await group.stop();
        await logs.close();
      },
    };
  },
};

async function clusterIdOf(kafka: Kafka): Promise<string> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).clusterId;
  } catch (error) {
    throw kafkaError(error, 'asking for its cluster id');
  } finally {
    await admin.disconnect();
  }
}

function digest(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function oneAtATime(): ArchiverPorts['exclusively'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
}
