import { kafkaSettingsOf } from '../../lib/config/common.ts';
import type { SettingsOf } from '../../lib/config/settings.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { connectRedis } from '../../lib/redis/connect.ts';
import { systemRandom } from '../../lib/runtime/clock.ts';
import { runService, type ServiceContext, type ServiceDefinition } from '../../lib/runtime/run-service.ts';
import { prepareTopics } from '../../lib/topics/prepare-topics.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { startPartitionService } from '../../lib/worker/partition-service.ts';
import { assemblerEvents } from './adapters/assembler-events.ts';
import { MemoryWindowStore } from './adapters/memory-window-store.ts';
import { RedisWindowStore } from './adapters/redis-window-store.ts';
import { settings } from './config.ts';
import { AssemblerStage } from './core/assembler-stage.ts';
import type { WindowStore } from './ports.ts';

export { settings } from './config.ts';

const SERVICE = 'trace-assembler';

/** Runs the trace-assembler until it is told to stop. */
export async function main(): Promise<void> {
  await runService(traceAssembler);
}

export const traceAssembler: ServiceDefinition<(typeof settings)['settings']> = {
  name: SERVICE,
  settings,
  async start(context) {
    const { logger, metrics, clock } = context;
    const values: SettingsOf<typeof settings> = context.settings;
    const prefix = values.SPANLOOM_PREFIX;
    const topics = topicNames(prefix);
    const kafka = createKafka(
      kafkaSettingsOf(values, { part: SERVICE, log: (level, message, fields) => logger[level](message, fields) }),
    );
    await prepareTopics(kafka, values);
    const storeOf = await windowStores(values, context);
    const events = assemblerEvents(metrics, logger);
    return startPartitionService({
      kafka,
      prefix,
      service: SERVICE,
      inputTopics: [topics.spans],
      ledgerTopic: topics.assemblerLedger,
      partitions: values.PARTITIONS,
      oneToOne: true,
      createStage: ({ partition }, logs) =>
        new AssemblerStage(
          {
            spansTopic: topics.spans,
            tracesTopic: topics.traces,
            deadLettersTopic: topics.deadLetters,
            partition,
            idleTimeoutMs: values.TRACE_IDLE_TIMEOUT_MS,
            rootlessIdleTimeoutMs: values.TRACE_ROOTLESS_IDLE_TIMEOUT_MS,
            ageMaxMs: values.TRACE_AGE_MAX_MS,
            windowBytesMax: values.TRACE_BYTES_MAX,
            spansPerTraceMax: values.TRACE_SPANS_MAX,
            horizonMs: values.TRACE_HORIZON_MS,
            contextsMax: values.CONTEXTS_MAX,
            outboxBytesMax: OUTBOX_BYTES_MAX,
            transactionBytesMax: TRANSACTION_BYTES_MAX,
          },
          storeOf(partition),
          logs.open(topics.traces, partition),
          events.ofPartition(partition),
        ),
      logger,
      metrics,
      clock,
      random: systemRandom,
      commitIntervalMs: values.COMMIT_INTERVAL_MS,
      fetchBytesMax: values.FETCH_BYTES_MAX,
    });
  },
};

/** Waiting traces beyond this are committed at once; half of what one send may carry. */
const OUTBOX_BYTES_MAX = 1024 * 1024;
/** A second or two of writing; the broker aborts a transaction after ten. */
const TRANSACTION_BYTES_MAX = 8 * 1024 * 1024;
/** Closed traces that the memory store remembers for each partition, about 100 bytes each. */
const REMEMBERED_MAX = 200_000;

async function windowStores(
  values: SettingsOf<typeof settings>,
  context: ServiceContext<(typeof settings)['settings']>,
): Promise<(partition: number) => WindowStore> {
  if (values.WINDOW_STORE === 'memory') return () => new MemoryWindowStore(REMEMBERED_MAX);
  const redis = await connectRedis(values, context);
  return (partition) =>
    new RedisWindowStore(redis, {
      prefix: values.SPANLOOM_PREFIX,
      partition,
      windowTtlMs: 2 * values.TRACE_AGE_MAX_MS,
      closedTtlMs: 2 * Math.max(values.TRACE_HORIZON_MS, values.TRACE_AGE_MAX_MS),
    });
}
