import type { Kafka } from 'kafkajs';
import { SpanloomError } from '../errors/spanloom-error.ts';
import { acquireLinks, type BrokerLinks, isLeaderChange, type PartitionLeader, retryBriefly } from './broker-links.ts';
import { DECOMPRESSED_BYTES_MAX } from './client.ts';
import { UndecodableBatchError } from './errors.ts';
import { FETCH_API_KEY, FETCH_BY_ID, type FetchedPartition, fetchRequest } from './fetch-protocol.ts';
import { errorOfCode, protocolRequest, READ_COMMITTED } from './kafkajs-internals.ts';
import { readBatches } from './record-batch.ts';
import type { FetchedRecords, NamedLog } from './types.ts';

/** The partition logs of one process. They share connections; closing gives those back, and the logs end with it. */
export interface PartitionLogs {
  open(topic: string, partition: number): TimedLog;
  close(): Promise<void>;
}

export interface TimedLog extends NamedLog {
  /**
   * The first offset whose record is of that time or later; the end when there is none.
   * @param timeMs epoch milliseconds: append time for LogAppendTime topics, else as producers wrote it.
   */
  offsetAt(timeMs: number): Promise<number>;
}

export interface PartitionLogOptions {
  /** Most bytes that one batch may grow to when decompressed; default 64 MiB. A larger one is an UndecodableBatchError. */
  readonly decompressedBytesMax?: number;
  /** How long a fetch keeps trying while the partition has no leader or cannot be reached; default 10 000 ms. */
  readonly retryMs?: number;
}

/**
 * Reads partitions at any offset, read committed, through Fetch requests of our own (no consumer, no group, no position).
 *
 * Memory per fetch: `maxBytes` as sent, or one batch when that is larger, and decompressed up to eight times `maxBytes` plus
 * one batch (at most `decompressedBytesMax`).
 */
export function createLogs(kafka: Kafka, options: PartitionLogOptions = {}): PartitionLogs {
  const links = acquireLinks(kafka);
  return {
    open: (topic, partition) => new FetchingLog(links, topic, partition, options),
    close: () => links.release(),
  };
}

class FetchingLog implements TimedLog {
  readonly #links: BrokerLinks;
  readonly #topic: string;
  readonly #partition: number;
  readonly #decompressedBytesMax: number;
  readonly #retryMs: number;
  /** Of the topic that was read last; undefined before the first fetch, and where brokers have no ids. */
  #topicId: string | undefined;
  #isAsked = false;

  constructor(links: BrokerLinks, topic: string, partition: number, options: PartitionLogOptions) {
    this.#links = links;
    this.#topic = topic;
    this.#partition = partition;
    this.#decompressedBytesMax = options.decompressedBytesMax ?? DECOMPRESSED_BYTES_MAX;
    this.#retryMs = options.retryMs ?? RETRY_MS;
  }

  async fetch(request: { offset: number; maxBytes: number; maxWaitMs: number }): Promise<FetchedRecords> {
    const { offset, maxBytes } = request;
    if (!Number.isSafeInteger(offset) || offset < 0) throw new Error(`offset ${offset} is not a position in a log`);
    const doing = `reading ${this.#name()}`;
    const { fetched, topicId } = await this.#untilLed(doing, (leader) => this.#fetchFrom(leader, request));
    if (fetched === undefined) return this.#nothing(offset);
    if (fetched.errorCode === OFFSET_OUT_OF_RANGE) throw await this.#offsetGone(offset);
    const read = readBatches(fetched.batches, {
      fromOffset: offset,
      aborted: fetched.aborted,
      batchBytesMax: this.#decompressedBytesMax,
      bytesMax: maxBytes * DECOMPRESSION_RATIO,
    });
    if (read.undecodable !== undefined && read.nextOffset === offset) {
      const { nextOffset, reason } = read.undecodable;
      throw new UndecodableBatchError(
        { topic: this.#topic, partition: this.#partition, firstOffset: offset, nextOffset },
        reason,
      );
    }
    const { records, nextOffset } = read;
    const { highWatermark, lastStableOffset, logStartOffset } = fetched;
    return { records, nextOffset, lastStableOffset, highWatermark, logStartOffset, topicId };
  }

  async id(): Promise<string | undefined> {
    // Whose offset is beyond any log's end gets an answer without records.
    const probe = { offset: Number.MAX_SAFE_INTEGER, maxBytes: 1, maxWaitMs: 0 };
    return this.#untilLed(`asking for the id of ${this.#topic}`, async (leader) => {
      const { fetched, topicId } = await this.#fetchFrom(leader, probe);
      // Throttled: the broker has not looked.
      if (fetched === undefined) throw errorOfCode(REQUEST_TIMED_OUT);
      return topicId;
    });
  }

  async bounds(): Promise<{ start: number; end: number }> {
    const [start, end] = await Promise.all([this.#listOffset(EARLIEST), this.#listOffset(LATEST)]);
    return { start, end };
  }

  async offsetAt(timeMs: number): Promise<number> {
    const offset = await this.#listOffset(timeMs);
    return offset >= 0 ? offset : this.#listOffset(LATEST);
  }

  async #fetchFrom(
    { nodeId, topicId: named }: PartitionLeader,
    request: { offset: number; maxBytes: number; maxWaitMs: number },
  ): Promise<{ fetched: FetchedPartition | undefined; topicId: string | undefined }> {
    let topicId: string | undefined;
    const fetched = await this.#links.send(nodeId, (offers) => {
      topicId = offers(FETCH_API_KEY, FETCH_BY_ID) ? named : undefined;
      // The first that is asked for is the one that the caller's offset is of.
      this.#topicId ??= topicId;
      return fetchRequest({ topic: this.#topic, topicId, partition: this.#partition, ...request });
    });
    if (fetched !== undefined && fetched.errorCode !== 0 && fetched.errorCode !== OFFSET_OUT_OF_RANGE) {
      // The topic is gone, or its leader does not know it yet: what the cluster says now decides which.
      throw errorOfCode(UNKNOWN_TOPIC_IDS.has(fetched.errorCode) ? UNKNOWN_TOPIC_OR_PARTITION : fetched.errorCode);
    }
    if (fetched !== undefined && topicId !== undefined) this.#mustBeTopic(topicId);
    return { fetched, topicId };
  }

  /**
   * Called when the partition's leader has answered to the id, not before: the broker that names topics may not have heard
   * yet that one was made anew.
   * @throws SpanloomError KAFKA_TOPIC_RECREATED, once, when it is not the topic that was read so far.
   */
  #mustBeTopic(topicId: string): void {
    const before = this.#topicId;
    if (before === topicId) return;
    this.#topicId = topicId;
    throw new SpanloomError(
      'KAFKA_TOPIC_RECREATED',
      `Topic ${this.#topic} was deleted and made anew: it had the id ${before} and has ${topicId} now`,
      { retryable: true },
    );
  }

  /** The broker throttled us: no records, and bounds by another way, because callers compare with them. */
  async #nothing(offset: number): Promise<FetchedRecords> {
    const { start, end } = await this.bounds();
    return { records: [], nextOffset: offset, lastStableOffset: end, highWatermark: end, logStartOffset: start };
  }

  async #offsetGone(offset: number): Promise<SpanloomError> {
    const { start, end } = await this.bounds();
    return new SpanloomError(
      'KAFKA_OFFSET_GONE',
      `Offset ${offset} of ${this.#name()} is outside the log, which reaches from ${start} to ${end}`,
    );
  }

  #listOffset(timestamp: number): Promise<number> {
    return this.#untilLed(`asking for the bounds of ${this.#name()}`, async ({ nodeId }) => {
      const { responses } = await this.#links.send(
        nodeId,
        protocolRequest<ListOffsetsResponse>('ListOffsets', 3, {
          replicaId: -1,
          isolationLevel: READ_COMMITTED,
          topics: [{ topic: this.#topic, partitions: [{ partition: this.#partition, timestamp }] }],
        }),
      );
      const offset = Number(responses[0]?.partitions[0]?.offset);
      if (!Number.isSafeInteger(offset)) throw new Error(`${this.#name()} answered without a bound`);
      return offset;
    });
  }

  /** Runs against the partition's leader, and again with fresh metadata while leadership moves. */
  #untilLed<T>(doing: string, run: (leader: PartitionLeader) => Promise<T>): Promise<T> {
    // What others of this process learnt of the topic may be of one before, and nothing that this log knows would tell.
    if (!this.#isAsked) this.#links.forgetLeaders(this.#topic);
    this.#isAsked = true;
    return retryBriefly(async () => run(await this.#links.leaderOf(this.#topic, this.#partition)), {
      doing,
      until: performance.now() + this.#retryMs,
      isWorthRetry: (error) => {
        if (!isLeaderChange(error)) return false;
        this.#links.forgetLeaders(this.#topic);
        return true;
      },
    });
  }

  #name(): string {
    return `${this.#topic}[${this.#partition}]`;
  }
}

const RETRY_MS = 10_000;
const OFFSET_OUT_OF_RANGE = 1;
const UNKNOWN_TOPIC_OR_PARTITION = 3;
const REQUEST_TIMED_OUT = 7;
/** UNKNOWN_TOPIC_ID, and INCONSISTENT_TOPIC_ID of a replica that still holds the old topic. */
const UNKNOWN_TOPIC_IDS = new Set([100, 103]);
const EARLIEST = -2;
const LATEST = -1;
const DECOMPRESSION_RATIO = 8;

interface ListOffsetsResponse {
  readonly responses: readonly { readonly partitions: readonly { readonly offset: string }[] }[];
}
