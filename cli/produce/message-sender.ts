import type { Kafka, Producer } from 'kafkajs';
import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import { kafkaError, kafkaErrorType } from '../../lib/kafka/errors.ts';
import { byteSize, plural } from '../format.ts';

/**
 * Sends messages in batches, each on all in-sync replicas before the next begins; the producer is idempotent, so a
 * retry after a lost answer writes nothing twice.
 */
export class MessageSender {
  /** Taken so far, whether sent yet or not. */
  messages = 0;
  bytes = 0;
  private readonly producer: Producer;
  private readonly topic: string;
  private batch: Buffer[] = [];
  private batchBytes = 0;

  private constructor(producer: Producer, topic: string) {
    this.producer = producer;
    this.topic = topic;
  }

  static async connect(kafka: Kafka, topic: string): Promise<MessageSender> {
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    try {
      await producer.connect();
    } catch (error) {
      throw kafkaError(error, 'connecting');
    }
    return new MessageSender(producer, topic);
  }

  async add(message: Buffer): Promise<void> {
    if (this.batchBytes + message.length > BATCH_BYTES_MAX || this.batch.length === BATCH_MESSAGES_MAX) {
      await this.flush();
    }
    this.batch.push(message);
    this.batchBytes += message.length;
    this.messages++;
    this.bytes += message.length;
  }

  async flush(): Promise<void> {
    if (this.batch.length === 0) return;
    const { batch, batchBytes } = this;
    this.batch = [];
    this.batchBytes = 0;
    try {
      await this.producer.send({
        topic: this.topic,
        acks: ALL_IN_SYNC_REPLICAS,
        messages: batch.map((value) => ({ value })),
      });
    } catch (cause) {
      throw new SpanloomError('PRODUCE_FAILED', sentence(cause, this.topic, batch.length, batchBytes), { cause });
    }
  }

  async close(): Promise<void> {
    await this.producer.disconnect();
  }
}

function sentence(cause: unknown, topic: string, messages: number, bytes: number): string {
  const type = kafkaErrorType(cause) ?? kafkaErrorType((cause as Error).cause);
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return `Topic ${topic} does not exist`;
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') {
    return `Topic ${topic} takes no record as large as one of these (raise its max.message.bytes)`;
  }
  return `Kafka did not take ${plural(messages, 'message')} (${byteSize(bytes)}) for ${topic}`;
}

const ALL_IN_SYNC_REPLICAS = -1;
/** Below the 1 MiB that topics take by default, since kafkajs makes one record batch of what goes to one partition. */
const BATCH_BYTES_MAX = 900 * 1024;
const BATCH_MESSAGES_MAX = 1_000;
