import { DECODERS } from '../../lib/codec/ingest/decoders.ts';
import { deadLetterCodec } from '../../lib/codec/records.ts';
import { kafkaSettingsOf } from '../../lib/config/common.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { partitionOfTraceId } from '../../lib/kafka/murmur2.ts';
import { systemRandom } from '../../lib/runtime/clock.ts';
import { runService, type ServiceDefinition } from '../../lib/runtime/run-service.ts';
import { prepareTopics } from '../../lib/topics/prepare-topics.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { startPartitionService } from '../../lib/worker/partition-service.ts';
import { keyedHash, sha256 } from './adapters/hashes.ts';
import { routerMetrics } from './adapters/router-metrics.ts';
import { patternsOf, type RouterSettings, redactionOf, settings } from './config.ts';
import { RedactionRules } from './core/redaction-rules.ts';
import { RouterStage } from './core/router-stage.ts';
import { encodingOf, ingestTopics } from './ingest-topics.ts';

export { settings } from './config.ts';

const SERVICE = 'span-router';

/** Runs the span-router until it is told to stop. */
export async function main(): Promise<void> {
  await runService(spanRouter);
}

export const spanRouter: ServiceDefinition<(typeof settings)['settings']> = {
  name: SERVICE,
  settings,
  async start({ settings: read, logger, metrics, clock }) {
    const values: RouterSettings = read;
    const prefix = values.SPANLOOM_PREFIX;
    const topics = topicNames(prefix);
    const kafka = createKafka(
      kafkaSettingsOf(values, { part: SERVICE, log: (level, message, fields) => logger[level](message, fields) }),
    );
    await prepareTopics(kafka, values);
    const rules = new RedactionRules(redactionOf(values), patternsOf(values));
    const routed = routerMetrics(metrics);
    return startPartitionService({
      kafka,
      prefix,
      service: SERVICE,
      inputTopics: ingestTopics(values.INGEST_TOPICS),
      ledgerTopic: topics.routerLedger,
      partitions: values.PARTITIONS,
      oneToOne: false,
      createStage: ({ topic, partition }, logs) => {
        const input = logs.open(topic, partition);
        return new RouterStage(
          {
            topic,
            partition,
            encoding: encodingOf(topic, values.INGEST_TOPICS, values.INGEST_ENCODING),
            partitions: values.PARTITIONS,
            spanBytesMax: values.SPAN_BYTES_MAX,
            rules,
            deadLetterPayload: values.DEAD_LETTER_PAYLOAD === 'full',
            spansTopic: topics.spans,
            deadLettersTopic: topics.deadLetters,
            deadLettersPartition: 0,
          },
          {
            decoders: DECODERS,
            partitionOfTrace: (bytes, offset) => partitionOfTraceId(bytes, offset, values.PARTITIONS),
            hashValue: keyedHash(values.REDACT_HASH_KEY ?? ''),
            sha256,
            encodeDeadLetter: deadLetterCodec.encode,
            earliestOffset: async () => (await input.bounds()).start,
            routed,
          },
        );
      },
      logger,
      metrics,
      clock,
      random: systemRandom,
      commitIntervalMs: values.COMMIT_INTERVAL_MS,
      fetchBytesMax: values.FETCH_BYTES_MAX,
    });
  },
};
