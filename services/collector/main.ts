import kafkajs from 'kafkajs';
import { kafkaSettingsOf } from '../../lib/config/common.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { runService, type ServiceDefinition } from '../../lib/runtime/run-service.ts';
import { kafkaIntake } from './adapters/kafka-intake.ts';
import { openDoors } from './adapters/open-doors.ts';
import { SpanProducer } from './adapters/span-producer.ts';
import { type CollectorSettings, settings } from './config.ts';

export { settings } from './config.ts';

const SERVICE = 'collector';

/** Runs the collector until it is told to stop. */
export async function main(): Promise<void> {
  await runService(collector);
}

export const collector: ServiceDefinition<(typeof settings)['settings']> = {
  name: SERVICE,
  settings,
  async start({ settings: read, logger, metrics, onClose }) {
    const values: CollectorSettings = read;
    const kafka = createKafka(
      kafkaSettingsOf(values, {
        part: SERVICE,
        log: (level, message, fields) => message.includes(KNOWN_WARNING) || logger[level](message, fields),
      }),
    );
    const topic = values.COLLECTOR_TOPIC;
    const producer = new SpanProducer(kafka, topic, COMPRESSIONS[values.COLLECTOR_COMPRESSION]);
    onClose(() => producer.close());
    await producer.open();
    const intake = kafkaIntake({
      send: (records) => producer.send(records),
      recordBytesMax: values.COLLECTOR_RECORD_BYTES_MAX,
      heldBytesMax: values.COLLECTOR_HELD_BYTES_MAX,
      ackTimeoutMs: values.COLLECTOR_ACK_TIMEOUT_MS,
      metrics,
      logger,
    });
    const doors = await openDoors(values, intake, onClose);
    process.stdout.write(`${JSON.stringify({ service: SERVICE, collector: doors.addresses })}\n`);
    logger.info('taking spans in', { ...doors.addresses, topic });
    if (values.COLLECTOR_TOKEN === undefined && !LOOPBACK.test(values.COLLECTOR_HOST)) {
      logger.warn('anybody in the network can send spans; set COLLECTOR_TOKEN', { host: values.COLLECTOR_HOST });
    }
    return {
      ready: () => intake.isTaking || 'Kafka does not take spans',
      async stop() {
        await doors.close();
        await intake.idle();
        await producer.close();
      },
    };
  },
};

/** kafkajs says it of every idempotent producer that gives up some time; ours is replaced when it has. */
const KNOWN_WARNING = 'Limiting retries for the idempotent producer';
const { CompressionTypes } = kafkajs;
const COMPRESSIONS = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  zstd: CompressionTypes.ZSTD,
} as const;
const LOOPBACK = /^(localhost|::1|127\.)/;
