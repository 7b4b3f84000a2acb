import kafkajs, { type Kafka, type Message, type Producer } from 'kafkajs';
import { otlpToJson } from '../../../lib/codec/otlp-json.ts';
import { describeError } from '../../../lib/errors/spanloom-error.ts';
import { kafkaErrorType } from '../../../lib/kafka/errors.ts';
import type { ForwardedTrace } from '../core/batch.ts';
import type { KafkaDestination } from '../core/destination.ts';
import type { Verdict } from '../core/verdict.ts';
import type { Sender } from '../ports.ts';

/** Writes one record for each trace, its key the trace id, and waits until all in-sync replicas have the batch. */
export function createKafkaSender(kafka: Kafka, destination: KafkaDestination): Sender {
  const { topic, encoding } = destination;
  const compression = COMPRESSION[destination.compression];
  let connected: Promise<Producer> | undefined;
  const connect = async (): Promise<Producer> => {
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { retries: 2 },
    });
    await producer.connect();
    return producer;
  };
  const disconnect = async (): Promise<void> => {
    const producer = await connected?.catch(() => undefined);
    connected = undefined;
    await producer?.disconnect().catch(() => undefined);
  };
  return {
    async send(batch) {
      let messages: Message[];
      try {
        messages = batch.map((each) => messageOf(each, encoding));
      } catch (error) {
        return { kind: 'refused', why: describeError(error) };
      }
      try {
        connected ??= connect();
        const producer = await connected;
        await producer.send({ topic, acks: ALL, compression, messages });
        return { kind: 'delivered' };
      } catch (error) {
        const verdict = judgeKafka(error);
        // An idempotent producer is of no use after an error: its sequence numbers are in doubt.
        await disconnect();
        return verdict;
      }
    },
    close: disconnect,
  };
}

function messageOf({ trace }: ForwardedTrace, encoding: KafkaDestination['encoding']): Message {
  const value = encoding === 'otlp_proto' ? trace.otlp : Buffer.from(JSON.stringify(otlpToJson(trace.otlp)));
  return { key: trace.traceId, value };
}

function judgeKafka(error: unknown): Verdict {
  const types = causesOf(error).map(kafkaErrorType);
  const why = describeError(error);
  if (types.some((type) => type !== undefined && TOO_LARGE.has(type))) return { kind: 'too_large', why };
  return { kind: 'retry', why };
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let cause = error; cause instanceof Error && causes.length < CAUSES_MAX; cause = cause.cause) causes.push(cause);
  return causes;
}

const ALL = -1;
const CAUSES_MAX = 5;
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const COMPRESSION = {
  zstd: kafkajs.CompressionTypes.ZSTD,
  gzip: kafkajs.CompressionTypes.GZIP,
  none: kafkajs.CompressionTypes.None,
};
