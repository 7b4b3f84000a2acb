import type { Kafka } from 'kafkajs';
import { ConfigError } from '../config/config-error.ts';
import { kafkaError } from '../kafka/errors.ts';
import { ensureTopics, type TopicSpec } from '../kafka/topics.ts';
import { topicSpecs } from './topics.ts';

/** The part of commonSettings that topics are made of. */
export interface TopicSettings {
  readonly SPANLOOM_PREFIX: string;
  readonly PARTITIONS: number;
  readonly TOPICS_CREATE: boolean;
  /** `undefined`: 3, or the number of brokers if lower. */
  readonly TOPIC_REPLICATION: number | undefined;
  readonly SPANS_RETENTION_MS: number;
  readonly TRACES_RETENTION_MS: number;
}

/**
 * Creates the pipeline's topics that are missing (TOPICS_CREATE) and checks all. Every service calls it at its start:
 * any of them may be the first, and none may work on topics that break its promises.
 * @throws ConfigError TOPICS_WRONG with a sentence for each topic that is missing or not as it must be; SpanloomError
 *   when Kafka cannot be asked.
 */
export async function prepareTopics(kafka: Kafka, settings: TopicSettings): Promise<void> {
  const { problems } = await inspectTopics(kafka, settings, { create: settings.TOPICS_CREATE });
  if (problems.length > 0) throw new ConfigError(problems, 'TOPICS_WRONG');
}

/** Names of the topics looked at, and one sentence for each thing that is not as it must be. */
export interface TopicsReport {
  readonly topics: readonly string[];
  readonly problems: readonly string[];
}

/** The same as an answer, for the command line; `besides` are topics that are not ours, e.g. one for ingest. */
export async function inspectTopics(
  kafka: Kafka,
  settings: TopicSettings,
  options: { create: boolean; besides?: readonly TopicSpec[] },
): Promise<TopicsReport> {
  const replication = settings.TOPIC_REPLICATION ?? Math.min(REPLICATION_DEFAULT, await brokerCount(kafka));
  const ours = topicSpecs(settings.SPANLOOM_PREFIX, {
    partitions: settings.PARTITIONS,
    replication,
    spansRetentionMs: settings.SPANS_RETENTION_MS,
    tracesRetentionMs: settings.TRACES_RETENTION_MS,
  });
  const specs = [...(options.besides ?? []), ...ours];
  const problems = await ensureTopics(kafka, specs, { create: options.create, replicationFactor: replication });
  return { topics: specs.map(({ name }) => name), problems };
}

async function brokerCount(kafka: Kafka): Promise<number> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length;
  } catch (error) {
    throw kafkaError(error, 'counting its brokers');
  } finally {
    await admin.disconnect();
  }
}

const REPLICATION_DEFAULT = 3;
