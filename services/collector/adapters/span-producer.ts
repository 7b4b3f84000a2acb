import type { CompressionTypes, Kafka, Producer } from 'kafkajs';
import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import { kafkaError, kafkaErrorType } from '../../../lib/kafka/errors.ts';

/**
 * Writes records to the ingest topic, on all in-sync replicas, one send at a time. Each send goes to one partition and
 * the next one to the next: batches stay large. The producer is idempotent, so that its own retries write nothing twice.
 */
export class SpanProducer {
  private readonly kafka: Kafka;
  private readonly topic: string;
  private readonly compression: CompressionTypes;
  private producer: Promise<Producer> | undefined;
  private turn = 0;

  constructor(kafka: Kafka, topic: string, compression: CompressionTypes) {
    this.kafka = kafka;
    this.topic = topic;
    this.compression = compression;
  }

  /** Connects, and sees that the topic is there. @throws SpanloomError, retryable when waiting may help. */
  async open(): Promise<void> {
    const admin = this.kafka.admin();
    try {
      await admin.connect();
      await admin.fetchTopicMetadata({ topics: [this.topic] });
      await this.connected();
    } catch (cause) {
      throw kafkaError(cause, `opening topic ${this.topic}`);
    } finally {
      await admin.disconnect();
    }
  }

  /** @throws SpanloomError PRODUCE_FAILED, retryable; what was sent may still have been written. */
  async send(records: readonly Buffer[]): Promise<void> {
    this.turn++;
    try {
      const producer = await this.connected();
      await producer.send({
        topic: this.topic,
        acks: ALL_IN_SYNC_REPLICAS,
        compression: this.compression,
        messages: records.map((value) => ({ value })),
      });
    } catch (cause) {
      // After an error an idempotent producer may be out of sequence for good: a new one begins anew.
      await this.close();
      throw new SpanloomError('PRODUCE_FAILED', this.sentenceFor(cause, records.length), { cause, retryable: true });
    }
  }

  async close(): Promise<void> {
    const { producer } = this;
    this.producer = undefined;
    await producer?.then((connected) => connected.disconnect()).catch(() => {});
  }

  private connected(): Promise<Producer> {
    this.producer ??= this.connect();
    return this.producer;
  }

  private async connect(): Promise<Producer> {
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ partitionMetadata }) =>
          this.turn % partitionMetadata.length,
    });
    await producer.connect();
    return producer;
  }

  private sentenceFor(cause: unknown, count: number): string {
    switch (kafkaErrorType(cause)) {
      case 'UNKNOWN_TOPIC_OR_PARTITION':
        return `Topic ${this.topic} does not exist`;
      case 'MESSAGE_TOO_LARGE':
        return `Topic ${this.topic} takes no record of this size; lower COLLECTOR_RECORD_BYTES_MAX below its max.message.bytes`;
      default:
        return `Kafka did not take ${count} records for ${this.topic}`;
    }
  }
}

const ALL_IN_SYNC_REPLICAS = -1;
