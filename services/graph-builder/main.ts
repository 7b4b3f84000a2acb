import { createHash } from 'node:crypto';
import { deadLetterCodec, serviceEdgeDeltaCodec } from '../../lib/codec/records.ts';
import { kafkaSettingsOf } from '../../lib/config/common.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { systemRandom } from '../../lib/runtime/clock.ts';
import { runService, type ServiceDefinition } from '../../lib/runtime/run-service.ts';
import { prepareTopics } from '../../lib/topics/prepare-topics.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { startPartitionService } from '../../lib/worker/partition-service.ts';
import { graphMetrics } from './adapters/graph-metrics.ts';
import { type GraphServiceSettings, settings } from './config.ts';
import { GraphStage } from './core/graph-stage.ts';

export { settings } from './config.ts';

const SERVICE = 'graph-builder';

/** Runs the graph-builder until it is told to stop. */
export async function main(): Promise<void> {
  await runService(graphBuilder);
}

export const graphBuilder: ServiceDefinition<(typeof settings)['settings']> = {
  name: SERVICE,
  settings,
  async start({ settings: read, logger, metrics, clock }) {
    const values: GraphServiceSettings = read;
    const prefix = values.SPANLOOM_PREFIX;
    const topics = topicNames(prefix);
    const kafka = createKafka(
      kafkaSettingsOf(values, { part: SERVICE, log: (level, message, fields) => logger[level](message, fields) }),
    );
    await prepareTopics(kafka, values);
    const folded = graphMetrics(metrics, {
      seriesMax: values.GRAPH_METRIC_SERIES_MAX,
      staleMs: values.GRAPH_METRIC_STALE_MS,
      clock,
    });
    return startPartitionService({
      kafka,
      prefix,
      service: SERVICE,
      inputTopics: [topics.traces],
      ledgerTopic: topics.graphLedger,
      partitions: values.PARTITIONS,
      oneToOne: true,
      createStage: ({ topic, partition }, logs) =>
        new GraphStage(
          {
            tracesTopic: topic,
            edgesTopic: topics.serviceEdges,
            deadLettersTopic: topics.deadLetters,
            partition,
            mode: values.GRAPH_MODE,
            ownerAttribute: values.GRAPH_OWNER_ATTRIBUTE,
            names: {
              services: values.GRAPH_SERVICES_MAX,
              operations: values.GRAPH_OPERATIONS_MAX,
              operationsPerService: values.GRAPH_OPERATIONS_PER_SERVICE_MAX,
            },
            earlier: { horizonMs: values.GRAPH_HORIZON_MS, tracesMax: values.GRAPH_TRACES_MAX },
            traceBytesMax: values.GRAPH_TRACE_BYTES_MAX,
            rowsMax: ROWS_MAX,
          },
          {
            traces: logs.open(topic, partition),
            sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
            encodeDelta: serviceEdgeDeltaCodec.encode,
            encodeDeadLetter: deadLetterCodec.encode,
            folded,
          },
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

/** Rows and failures that wait for a commit; a row is at most 3 KB. */
const ROWS_MAX = 10_000;
