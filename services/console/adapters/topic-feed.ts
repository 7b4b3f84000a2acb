import { describeError, isRetryable } from '../../../lib/errors/spanloom-error.ts';
import { lossBehind } from '../../../lib/kafka/behind-loss.ts';
import type { FetchedRecords, LogRecord, PartitionLog } from '../../../lib/kafka/types.ts';
import { allDone } from '../../../lib/runtime/all-done.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';

/** Where the records of a topic go. The sink keeps positions and records together. */
export interface FeedSink {
  /** Where to go on; undefined: at the start of the log. */
  position(partition: number): number | undefined;
  /** Takes records in; nothing needs to be stored yet. */
  apply(partition: number, records: readonly LogRecord[]): void;
  /**
   * Called after every fetch. Stores what was taken in, and that everything below `positions` is, in one transaction.
   * @param due enough time has passed since the last time that something was stored.
   * @returns whether it stored.
   */
  commit(positions: ReadonlyMap<number, number>, due: boolean): boolean;
  /** Stores whatever is held. */
  close(positions: ReadonlyMap<number, number>): void;
}

export interface FeedEvents {
  lag(partition: number, records: number): void;
  gap(partition: number, from: number, to: number): void;
  /** Kafka does not answer; undefined: it does again. */
  failed(error: unknown | undefined): void;
  /** The sink failed: what it holds is not known any more, so the process must begin anew. */
  broken(error: unknown): void;
}

export interface TopicFeedOptions {
  readonly logs: readonly PartitionLog[];
  readonly sink: FeedSink;
  readonly events: FeedEvents;
  readonly clock: Clock;
  readonly fetchBytesMax: number;
  readonly commitIntervalMs: number;
}

/**
 * Reads all partitions of a topic into a sink. It is in no consumer group: every console reads everything, and knows
 * itself where it was.
 */
export class TopicFeed {
  private readonly options: TopicFeedOptions;
  private readonly next = new Map<number, number>();
  private readonly behind = new Map<number, number>();
  private stopping = false;
  private running: Promise<void> | undefined;

  constructor(options: TopicFeedOptions) {
    this.options = options;
  }

  start(): void {
    this.running = this.run();
  }

  /** Ends after the fetch that is under way, and stores what was taken in. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    if (this.next.size > 0) this.options.sink.close(this.next);
  }

  /** Records that are not read yet, as of the last fetches; undefined until every partition was read once. */
  get lagRecords(): number | undefined {
    if (this.behind.size < this.options.logs.length) return undefined;
    return [...this.behind.values()].reduce((sum, records) => sum + records, 0);
  }

  private async run(): Promise<void> {
    const { events, clock } = this.options;
    let retryMs = RETRY_MS;
    while (!this.stopping) {
      try {
        await this.findPositions();
        await this.work(() => {
          retryMs = RETRY_MS;
          events.failed(undefined);
        });
      } catch (error) {
        if (error instanceof SinkError) {
          events.broken(error.cause);
          return;
        }
        events.failed(error);
        retryMs = Math.min(retryMs * 2, isRetryable(error) ? RETRY_MAX_MS / 2 : RETRY_MAX_MS);
        for (let waited = 0; waited < retryMs && !this.stopping; waited += RETRY_MS) await clock.sleep(RETRY_MS);
      }
    }
  }

  private async findPositions(): Promise<void> {
    const { logs, sink } = this.options;
    for (const [partition, log] of logs.entries()) {
      // What was taken in since the last commit is still in the sink.
      if (this.next.has(partition)) continue;
      this.next.set(partition, sink.position(partition) ?? (await log.bounds()).start);
    }
  }

  private async work(onFetched: () => void): Promise<void> {
    const { logs, sink, events, clock, commitIntervalMs } = this.options;
    let committedAtMs = clock.monotonicMs();
    while (!this.stopping) {
      const fetched = await allDone(logs.map((_, partition) => this.fetch(partition)));
      onFetched();
      for (const [partition, { records, nextOffset, lastStableOffset }] of fetched.entries()) {
        // Requests are answered in between.
        for (let at = 0; at < records.length; at += RECORDS_AT_A_TIME) {
          guarded(() => sink.apply(partition, records.slice(at, at + RECORDS_AT_A_TIME)));
          await new Promise(setImmediate);
        }
        this.next.set(partition, nextOffset);
        this.behind.set(partition, Math.max(0, lastStableOffset - nextOffset));
        events.lag(partition, Math.max(0, lastStableOffset - nextOffset));
      }
      const due = clock.monotonicMs() - committedAtMs >= commitIntervalMs;
      if (guarded(() => sink.commit(this.next, due)) || due) committedAtMs = clock.monotonicMs();
    }
  }

  private async fetch(partition: number): Promise<FetchedRecords> {
    const { logs, events, fetchBytesMax } = this.options;
    const log = logs[partition] as PartitionLog;
    const offset = this.next.get(partition) as number;
    const request = { maxBytes: fetchBytesMax, maxWaitMs: FETCH_WAIT_MS };
    try {
      return await log.fetch({ ...request, offset });
    } catch (error) {
      const { from, start } = await lossBehind(error, log, offset);
      if (from < start) events.gap(partition, from, start);
      this.next.set(partition, start);
      return log.fetch({ ...request, offset: start });
    }
  }
}

class SinkError extends Error {}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new SinkError('the sink failed', { cause });
  }
}

/** For sinks that say why they are behind. */
export function feedError(error: unknown): string {
  return `Kafka cannot be read: ${describeError(error)}`;
}

const FETCH_WAIT_MS = 500;
const RECORDS_AT_A_TIME = 50;
const RETRY_MS = 250;
const RETRY_MAX_MS = 10_000;
