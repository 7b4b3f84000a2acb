/**
 * What the rest of the code knows of Kafka. Offsets, positions and epoch milliseconds are safe integers (`number`),
 * asserted where they are read from the wire: an offset beyond 2^53 is 285 000 years at a million records per second.
 */

/** A record as read, after the filter of aborted and control records. */
export interface LogRecord {
  readonly offset: number;
  /** Broker append time for LogAppendTime topics, else the producer's time; epoch milliseconds. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Own, plain headers only; a header that came twice keeps its first value. */
  readonly headers: ReadonlyMap<string, Buffer>;
}

export interface FetchedRecords {
  readonly records: readonly LogRecord[];
  /** The offset to fetch next; moves past markers, aborted and compacted records, so it can grow with no records. */
  readonly nextOffset: number;
  /** First offset not yet decided (read committed reads up to here). `nextOffset === lastStableOffset`: caught up. */
  readonly lastStableOffset: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  /** Of the topic that they are of, as `NamedLog` has it; undefined where it was read by name. */
  readonly topicId?: string | undefined;
}

/** One partition, read committed, from any offset. Has no position of its own. */
export interface PartitionLog {
  /**
   * Waits up to `maxWaitMs` for at least one byte at `offset`.
   * @throws SpanloomError KAFKA_OFFSET_GONE (not retryable) when `offset` is below the log's start or above its end:
   *   the message names both; the caller decides whether that is a gap.
   *   KAFKA_TOPIC_RECREATED (retryable), one time, when another topic has taken the place of the one that was read before;
   *   what is fetched then is of that one. Only where brokers have topic ids.
   */
  fetch(request: { offset: number; maxBytes: number; maxWaitMs: number }): Promise<FetchedRecords>;
  /** First retained offset, and the last stable offset (the exact end for a read-committed reader). */
  bounds(): Promise<{ start: number; end: number }>;
}

/** A log that can tell which topic of its name it is. */
export interface NamedLog extends PartitionLog {
  /**
   * Names the topic that is read, and none that is made anew with the same name; undefined where brokers have no topic ids.
   * Its leader vouches for it.
   * @throws as `fetch` does: all that is fetched until KAFKA_TOPIC_RECREATED is of the topic that was named.
   */
  id(): Promise<string | undefined>;
}

export interface OutRecord {
  readonly key: Buffer | string | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer | string>>;
}

/** Sends inside one transaction; `send` answers with the offset of the first record. */
export interface Transaction {
  send(topic: string, partition: number, records: readonly OutRecord[]): Promise<{ baseOffset: number }>;
}

/**
 * One transactional producer for one partition's worker. Opening it fences the predecessor with the same id.
 * After any error the writer is dead: close it and open a new one.
 */
export interface FencedWriter {
  /** All sends of `build` commit together or not at all. Throws what failed; the outcome is then unknown. */
  transaction(build: (txn: Transaction) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** A partition that this member of a group was given. */
export interface AssignedPartition {
  readonly topic: string;
  readonly partition: number;
  /** No other member of the group had it when it was given away: whoever had it before has left, or is dead. */
  readonly orphaned?: boolean;
}

/** Group membership gives the assignment and nothing else: no records, offsets or seeks come through it. */
export interface Membership {
  /** Records how far a partition got, for lag tools only; never read back. */
  reportOffset(partition: AssignedPartition, nextOffset: number): void;
  /**
   * Commits at once, with a text for whoever reads the committed offset next.
   * @throws Kafka's error, e.g. when the group has gone on without this member.
   */
  commit(partition: AssignedPartition, nextOffset: number, note: string): Promise<void>;
  leave(): Promise<void>;
}
