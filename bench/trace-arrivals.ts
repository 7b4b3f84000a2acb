import type { Kafka } from 'kafkajs';
import { tailTopic } from '../cli/kafka/tail-topic.ts';
import { createLogs, type PartitionLogs } from '../lib/kafka/partition-log.ts';

/** When a read-committed reader got the records of each partition, from now on. Milliseconds of `performance.now()`. */
export class TraceArrivals {
  readonly counts: number[];
  readonly firstAtMs: number[];
  private readonly lastAtMs: number[];
  private pauseMs = 0;
  private readonly abort = new AbortController();
  private readonly logs: PartitionLogs;
  private tail: Promise<void> = Promise.resolve();

  private constructor(kafka: Kafka, partitions: number) {
    this.logs = createLogs(kafka);
    this.counts = new Array(partitions).fill(0);
    this.firstAtMs = new Array(partitions).fill(Number.NaN);
    this.lastAtMs = new Array(partitions).fill(Number.NaN);
  }

  static async begin(kafka: Kafka, topic: string, partitions: number): Promise<TraceArrivals> {
    const arrivals = new TraceArrivals(kafka, partitions);
    await new Promise<void>((resolve) => {
      arrivals.tail = tailTopic({
        logs: Array.from({ length: partitions }, (_, partition) => arrivals.logs.open(topic, partition)),
        from: 'end',
        untilEnd: false,
        signal: arrivals.abort.signal,
        onRecord: (_record, partition) => arrivals.note(partition, performance.now()),
        onPositioned: resolve,
      });
    });
    return arrivals;
  }

  /** Between two records of one partition, the longest of all partitions. */
  longestPauseMs(): number {
    return this.pauseMs;
  }

  /** What has come so far counts no more; the time to the next record does. */
  forget(): void {
    this.pauseMs = 0;
  }

  async end(): Promise<void> {
    this.abort.abort();
    await this.tail;
    await this.logs.close();
  }

  private note(partition: number, nowMs: number): void {
    if (this.counts[partition] === 0) this.firstAtMs[partition] = nowMs;
    else this.pauseMs = Math.max(this.pauseMs, nowMs - (this.lastAtMs[partition] as number));
    this.counts[partition] = (this.counts[partition] as number) + 1;
    this.lastAtMs[partition] = nowMs;
  }
}
