import type { Producer } from 'kafkajs';
import kafkajs from 'kafkajs';
import { DATABASE } from '../../lib/testkit/traffic/system.ts';
import { fourNodeTraffic, type Traffic } from '../../lib/testkit/traffic/traffic.ts';
import { connectKafka } from '../kafka/connect.ts';
import type { Pipeline } from '../pipeline/start-pipeline.ts';
import { ArchiveScan } from './archive-scan.ts';
import { differences } from './check-run.ts';
import { Observed, spanKey } from './observed.ts';
import { sendTraffic } from './send-traffic.ts';
import type { Timeline } from './timeline.ts';
import { type TopicsWatch, watchTopics } from './watch-topics.ts';

export interface DemoOptions {
  readonly pipeline: Pipeline;
  readonly timeline: Timeline;
  readonly seed: number;
  /** The data folder is kept, so topics and bucket may hold what earlier runs sent. */
  readonly dataKept: boolean;
  readonly signal: AbortSignal;
}

/** Begins to watch, then to send. */
export async function startDemoRun(options: DemoOptions): Promise<DemoRun> {
  const observed = new Observed(isBounded(options.timeline));
  const stop = new AbortController();
  options.signal.addEventListener('abort', () => stop.abort());
  if (options.signal.aborted) stop.abort();
  const { kafka, topics } = connectKafka(options.pipeline.env, undefined);
  const watch = await watchTopics(kafka, topics, observed, options.dataKept ? 'end' : 'start', stop.signal);
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
  await producer.connect();
  return new DemoRun(options, observed, watch, producer, stop);
}

/** A demo under way: what is sent, and what the pipeline says of it. */
export class DemoRun {
  readonly observed: Observed;
  readonly archive: ArchiveScan;
  readonly timeline: Timeline;
  /** Spans that Kafka has. */
  spansSent = 0;
  private readonly options: DemoOptions;
  private readonly watch: TopicsWatch;
  private readonly producer: Producer;
  private readonly stop: AbortController;
  private readonly traffic: Traffic;
  private readonly startedAtMs = performance.now();
  private readonly sent = new Set<string>();
  private trafficDone = false;
  private readonly work: Promise<unknown>[];
  private failure: { readonly error: unknown } | undefined;

  constructor(options: DemoOptions, observed: Observed, watch: TopicsWatch, producer: Producer, stop: AbortController) {
    const { pipeline, timeline, seed } = options;
    this.options = options;
    this.observed = observed;
    this.watch = watch;
    this.producer = producer;
    this.stop = stop;
    this.timeline = timeline;
    this.archive = new ArchiveScan(pipeline.addresses.s3, `${pipeline.prefix}/`);
    this.traffic = fourNodeTraffic({
      seed,
      startUnixMs: Date.now(),
      durationMs: timeline.trafficMs,
      requestsPerSecond: timeline.requestsPerSecond,
      outages: timeline.outages,
    });
    this.work = [this.noteFailure(this.watch.ended), this.noteFailure(this.send())];
  }

  get elapsedMs(): number {
    return performance.now() - this.startedAtMs;
  }

  get requestCount(): number {
    return this.traffic.truth.requestCount;
  }

  /** @throws what sending or watching failed with, so that whoever waits learns of it. */
  throwIfFailed(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** How the output differs from what was done, as far as it has come. The archive is read when the traces are there. */
  async differences(): Promise<string[]> {
    const { observed, archive } = this;
    if (!this.trafficDone) return ['Not everything has been sent.'];
    if (observed.spanCounts.size >= this.sent.size) await archive.scan();
    return differences({
      sent: this.sent,
      edges: this.traffic.truth.edges(),
      observed,
      archived: archive.spanCounts,
      cause: DATABASE,
      dataKept: this.options.dataKept,
    });
  }

  async close(): Promise<void> {
    this.stop.abort();
    await Promise.allSettled(this.work);
    await Promise.allSettled([this.producer.disconnect(), this.watch.close()]);
    this.archive.close();
  }

  private async send(): Promise<void> {
    const topic = this.options.pipeline.ingestTopic;
    await sendTraffic({
      records: this.traffic.records,
      send: async (messages) => {
        await this.producer.send({ topic, messages, acks: -1, compression: kafkajs.CompressionTypes.GZIP });
      },
      elapsedMs: () => this.elapsedMs,
      signal: this.stop.signal,
      onSent: (records) => {
        for (const { spans } of records) {
          this.spansSent += spans.length;
          if (!isBounded(this.timeline)) continue;
          for (const { traceId, spanId } of spans) this.sent.add(spanKey(hex(traceId), hex(spanId)));
        }
      },
    });
    this.trafficDone = !this.stop.signal.aborted;
  }

  private async noteFailure(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!this.stop.signal.aborted) this.failure ??= { error };
    }
  }
}

function isBounded(timeline: Timeline): boolean {
  return timeline.trafficMs !== Infinity;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
