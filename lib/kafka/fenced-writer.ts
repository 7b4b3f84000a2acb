import type { Kafka } from 'kafkajs';
import { SpanloomError } from '../errors/spanloom-error.ts';
import { acquireLinks, type BrokerLinks, isCoordinatorChange, isLeaderChange, retryBriefly } from './broker-links.ts';
import type { WriteCompression } from './compression.ts';
import { kafkaErrorType } from './errors.ts';
import { protocolRequest } from './kafkajs-internals.ts';
import { type ProduceResponse, produceRequest } from './produce-protocol.ts';
import { type ProducerIdentity, recordBytesOf, writeBatch } from './record-batch.ts';
import { advanceSequence } from './sequence.ts';
import type { FencedWriter, OutRecord, Transaction } from './types.ts';

export interface FencedWriterOptions {
  /** One per partition of a service; who opens it last owns it. */
  readonly transactionalId: string;
  /** The broker aborts a transaction that is open for longer, so a dead writer holds readers up no longer than this. */
  readonly transactionTimeoutMs?: number;
  /** Default zstd. */
  readonly compression?: WriteCompression;
}

/** Most bytes of records in one batch before compression; a `send` of more becomes several batches. */
export const SEND_BYTES_MAX = 2 * 1024 * 1024;
/** Most bytes of one record, which then has a batch to itself: below the topics' max.message.bytes of 4 MiB. */
export const RECORD_BYTES_MAX = 4 * 1024 * 1024 - 1024;

/**
 * Opens the transactional writer of this id: the broker ends what the predecessor left open (aborting it unless its commit
 * had begun) and refuses everything that the predecessor sends from now on. That has happened when this returns.
 *
 * Requests go through kafkajs's connections, but not through its producer: that one initialises at the first transaction
 * only, is stuck after a failed commit, wraps its sequence numbers wrongly, and waits 300 ms where 10 do.
 *
 * @throws SpanloomError KAFKA_UNREACHABLE, KAFKA_NOT_ALLOWED, KAFKA_REQUEST_FAILED.
 */
export async function openFencedWriter(kafka: Kafka, options: FencedWriterOptions): Promise<FencedWriter> {
  const links = acquireLinks(kafka);
  try {
    const coordinator = new TransactionCoordinator(
      links,
      options.transactionalId,
      options.transactionTimeoutMs ?? TIMEOUT_MS,
    );
    await coordinator.initialise();
    return new TransactionalWriter(links, coordinator, options.compression ?? 'zstd');
  } catch (error) {
    await links.release();
    throw error;
  }
}

const TIMEOUT_MS = 10_000;

class TransactionalWriter implements FencedWriter {
  readonly #links: BrokerLinks;
  readonly #coordinator: TransactionCoordinator;
  readonly #compression: WriteCompression;
  /** Next sequence number by `topic/partition`; the broker refuses gaps and recognises repeats. */
  readonly #sequences = new Map<string, number>();
  #state: 'ready' | 'busy' | 'dead' = 'ready';

  constructor(links: BrokerLinks, coordinator: TransactionCoordinator, compression: WriteCompression) {
    this.#links = links;
    this.#coordinator = coordinator;
    this.#compression = compression;
  }

  async transaction(build: (txn: Transaction) => Promise<void>): Promise<void> {
    if (this.#state === 'busy') throw new Error('a FencedWriter runs one transaction at a time');
    if (this.#state === 'dead') throw this.#deadError();
    this.#state = 'busy';
    const sends = new SendQueue();
    let open = true;
    let committing = false;
    try {
      await build({
        send: async (topic, partition, records) => {
          if (!open) throw new Error('this transaction has ended');
          return sends.add(() => this.#send(topic, partition, records));
        },
      });
      open = false;
      await sends.finish();
      committing = true;
      await this.#coordinator.commit();
      this.#state = 'ready';
    } catch (error) {
      open = false;
      this.#state = 'dead';
      await sends.finish().catch(() => undefined);
      // Readers wait behind an open transaction; after an unclear commit only the successor's fence may end it.
      if (!committing) await this.#coordinator.abort().catch(() => undefined);
      throw this.#explain(error);
    }
  }

  async close(): Promise<void> {
    this.#state = 'dead';
    await this.#links.release();
  }

  async #send(topic: string, partition: number, records: readonly OutRecord[]): Promise<{ baseOffset: number }> {
    const batches = splitIntoBatches(topic, records);
    if (batches.length === 0) throw new Error(`send to ${topic}[${partition}] without records`);
    await this.#coordinator.addPartition(topic, partition);
    let baseOffset: number | undefined;
    for (const batch of batches) {
      const offset = await this.#produce(topic, partition, batch);
      baseOffset ??= offset;
    }
    if (baseOffset === undefined) throw new Error('unreachable: there was at least one batch');
    return { baseOffset };
  }

  /** Sends one batch until it is in the log of all in-sync replicas; the sequence number makes sending again harmless. */
  async #produce(topic: string, partition: number, records: readonly OutRecord[]): Promise<number> {
    const key = `${topic}/${partition}`;
    const baseSequence = this.#sequences.get(key) ?? 0;
    const { identity, transactionalId, timeoutMs } = this.#coordinator;
    const batch = writeBatch(records, {
      ...identity,
      baseSequence,
      timestampMs: Date.now(),
      compression: this.#compression,
    });
    const request = produceRequest({ transactionalId, topic, partition, batch, timeoutMs });
    const response = await retryBriefly(
      async () => {
        const { nodeId } = await this.#links.leaderOf(topic, partition);
        return this.#links.send<ProduceResponse>(nodeId, request);
      },
      {
        doing: `writing to ${topic}[${partition}]`,
        until: performance.now() + timeoutMs,
        isWorthRetry: (error) => {
          if (kafkaErrorType(error) === 'CONCURRENT_TRANSACTIONS') return true;
          if (NOT_ENOUGH_REPLICAS.has(kafkaErrorType(error) ?? '')) return true;
          if (!isLeaderChange(error)) return false;
          this.#links.forgetLeaders(topic);
          return true;
        },
      },
    );
    this.#sequences.set(key, advanceSequence(baseSequence, records.length));
    const baseOffset = Number(response.topics[0]?.partitions[0]?.baseOffset);
    if (!Number.isSafeInteger(baseOffset) || baseOffset < 0)
      throw new Error(`${key} answered a write without its offset`);
    return baseOffset;
  }

  #explain(error: unknown): unknown {
    if (error instanceof SpanloomError && FENCED_TYPES.has(kafkaErrorType(error.cause) ?? '')) {
      return new SpanloomError(
        'KAFKA_FENCED',
        `Writer ${this.#coordinator.transactionalId} was fenced: a newer one was opened, or its transaction timed out`,
        { cause: error },
      );
    }
    return error;
  }

  #deadError(): SpanloomError {
    return new SpanloomError(
      'KAFKA_WRITER_DEAD',
      `Writer ${this.#coordinator.transactionalId} failed before; open a new one`,
    );
  }
}

/** The requests that begin, extend and end transactions, all to one broker. */
class TransactionCoordinator {
  readonly transactionalId: string;
  readonly timeoutMs: number;
  readonly #links: BrokerLinks;
  readonly #added = new Set<string>();
  #nodeId: number | undefined;
  #identity: ProducerIdentity | undefined;

  constructor(links: BrokerLinks, transactionalId: string, timeoutMs: number) {
    this.#links = links;
    this.transactionalId = transactionalId;
    this.timeoutMs = timeoutMs;
  }

  get identity(): ProducerIdentity {
    if (this.#identity === undefined) throw new Error('the transaction coordinator is not initialised');
    return this.#identity;
  }

  /** Fences the predecessor. Takes as long as the end of the predecessor's open transaction needs. */
  async initialise(): Promise<void> {
    const { producerId, producerEpoch } = await this.#request<{ producerId: string; producerEpoch: number }>(
      `opening writer ${this.transactionalId}`,
      'InitProducerId',
      { transactionTimeout: this.timeoutMs },
    );
    this.#identity = { producerId: BigInt(producerId), producerEpoch };
  }

  async addPartition(topic: string, partition: number): Promise<void> {
    const key = `${topic}/${partition}`;
    if (this.#added.has(key)) return;
    const topics = [{ topic, partitions: [partition] }];
    await this.#request(`adding ${topic}[${partition}] to a transaction`, 'AddPartitionsToTxn', {
      ...this.identity,
      topics,
    });
    this.#added.add(key);
  }

  async commit(): Promise<void> {
    await this.#end('committing', true);
  }

  async abort(): Promise<void> {
    await this.#end('aborting', false);
  }

  async #end(verb: string, transactionResult: boolean): Promise<void> {
    if (this.#added.size === 0) return;
    this.#added.clear();
    await this.#request(`${verb} a transaction of ${this.transactionalId}`, 'EndTxn', {
      ...this.identity,
      transactionResult,
    });
  }

  /** Each of these requests may be sent again: the coordinator answers a repeat as it answered the first. */
  #request<T>(doing: string, api: string, fields: object): Promise<T> {
    const request = protocolRequest<T>(api, 1, { transactionalId: this.transactionalId, ...fields });
    return retryBriefly(
      async () => {
        this.#nodeId ??= await this.#links.coordinatorOf('transaction', this.transactionalId);
        return this.#links.send(this.#nodeId, request);
      },
      {
        doing,
        until: performance.now() + this.timeoutMs,
        isWorthRetry: (error) => {
          const type = kafkaErrorType(error);
          // The markers of the transaction before are still being written.
          if (type === 'CONCURRENT_TRANSACTIONS' || type === 'UNKNOWN_TOPIC_OR_PARTITION') return true;
          if (!isCoordinatorChange(error)) return false;
          this.#nodeId = undefined;
          return true;
        },
      },
    );
  }
}

/** Runs sends one after the other, also when the caller starts several at once; stops at the first that fails. */
class SendQueue {
  #tail: Promise<unknown> = Promise.resolve();

  add<T>(send: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(send);
    this.#tail = result;
    // The caller gets the failure from `result` or from `finish`.
    result.catch(() => undefined);
    return result;
  }

  async finish(): Promise<void> {
    await this.#tail;
  }
}

/** @throws SpanloomError KAFKA_RECORD_TOO_LARGE before anything is sent. */
function splitIntoBatches(topic: string, records: readonly OutRecord[]): OutRecord[][] {
  const batches: OutRecord[][] = [];
  let batchBytes = Number.POSITIVE_INFINITY;
  for (const record of records) {
    const bytes = recordBytesOf(record);
    if (bytes > RECORD_BYTES_MAX) {
      throw new SpanloomError(
        'KAFKA_RECORD_TOO_LARGE',
        `A record of ${bytes} bytes for ${topic} is over the limit of ${RECORD_BYTES_MAX}`,
      );
    }
    if (batchBytes + bytes > SEND_BYTES_MAX) {
      batches.push([]);
      batchBytes = 0;
    }
    batches.at(-1)?.push(record);
    batchBytes += bytes;
  }
  return batches;
}

const NOT_ENOUGH_REPLICAS = new Set(['NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND']);

const FENCED_TYPES = new Set(['INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING', 'PRODUCER_FENCED']);
