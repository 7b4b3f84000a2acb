import kafkajs, { type Producer } from 'kafkajs';
import { benchMessages, SPANS_PER_MESSAGE } from '../../../bench/spans.ts';
import { createKafka } from '../../../lib/kafka/client.ts';
import { sleep } from './wait-until.ts';

/** Sends spans of whole traces to an ingest topic and counts those that Kafka has acknowledged. */
export class SpanSource {
  /** Messages of SPANS_PER_MESSAGE spans that were acknowledged so far. */
  messages = 0;
  /** All other records, and the spans in them that are to be taken in. */
  readonly others = { records: 0, spans: 0 };
  private readonly topic: string;
  private readonly generated: Generator<Buffer>;
  private readonly producer: Producer;

  constructor(brokers: readonly string[], topic: string, seed: number) {
    this.topic = topic;
    this.generated = benchMessages(Number.POSITIVE_INFINITY, seed);
    // Idempotent, so that what is sent again after a lost answer is there once; patient, because brokers are restarted.
    this.producer = createKafka({ brokers, clientId: 'fault-tests' }).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 120 },
    });
  }

  connect(): Promise<void> {
    return this.producer.connect();
  }

  close(): Promise<void> {
    return this.producer.disconnect();
  }

  /** Resolves when Kafka has acknowledged all of them; rounded up to whole messages. */
  async send(spans: number): Promise<void> {
    for (let left = Math.ceil(spans / SPANS_PER_MESSAGE); left > 0; left -= MESSAGES_PER_SEND) {
      const count = Math.min(left, MESSAGES_PER_SEND);
      const messages = Array.from({ length: count }, () => ({ value: this.generated.next().value as Buffer }));
      await this.untilAcknowledged(() => this.producer.send({ topic: this.topic, messages }));
      this.messages += count;
    }
  }

  /** kafkajs gives up on a broker that is down for some seconds; what it had sent before may then be there twice. */
  private async untilAcknowledged(send: () => Promise<unknown>): Promise<void> {
    for (const deadline = performance.now() + BROKER_DOWN_MS_MAX; ; await sleep(500)) {
      try {
        await send();
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await this.producer.connect().catch(() => {});
      }
    }
  }

  /**
   * Any other record.
   * @param spans how many of its spans are to be taken in.
   * @returns where it is, as `topic/partition/offset`.
   */
  async sendRaw(value: Buffer | null, spans: number): Promise<string> {
    const [at] = await this.producer.send({ topic: this.topic, messages: [{ value }] });
    this.others.records++;
    this.others.spans += spans;
    return `${this.topic}/${at?.partition}/${at?.baseOffset}`;
  }

  /** A batch of one record of zeros that is small while it is compressed. */
  async sendBomb(bytes: number): Promise<void> {
    const messages = [{ value: Buffer.alloc(bytes) }];
    await this.producer.send({ topic: this.topic, messages, compression: kafkajs.CompressionTypes.GZIP });
    this.others.records++;
  }

  /** A steady stream until `stop`, which resolves when the last of it is acknowledged, or throws what went wrong. */
  stream(spansPerSecond: number): { stop: () => Promise<void> } {
    let stopping = false;
    const perTick = (spansPerSecond * TICK_MS) / 1000;
    let due = 0;
    const running = (async () => {
      while (!stopping) {
        due += perTick;
        const whole = due - (due % SPANS_PER_MESSAGE);
        if (whole > 0) await this.send(whole);
        due -= whole;
        await sleep(TICK_MS);
      }
    })();
    // Told by `stop`.
    running.catch(() => {});
    return {
      stop: () => {
        stopping = true;
        return running;
      },
    };
  }
}

const MESSAGES_PER_SEND = 40;
const TICK_MS = 100;
const BROKER_DOWN_MS_MAX = 120_000;
