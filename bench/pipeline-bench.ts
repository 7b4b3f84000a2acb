import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Kafka } from 'kafkajs';
import { tailTopic } from '../cli/kafka/tail-topic.ts';
import { servicesToRun } from '../cli/pipeline/scale.ts';
import { MessageSender } from '../cli/produce/message-sender.ts';
import { Supervisor } from '../cli/supervisor/supervisor.ts';
import { assembledTraceCodec } from '../lib/codec/records.ts';
import { createKafka } from '../lib/kafka/client.ts';
import { createLogs } from '../lib/kafka/partition-log.ts';
import { type Stack, stackEnvironment, startStack } from '../lib/testkit/stack/stack.ts';
import { topicNames } from '../lib/topics/topics.ts';
import { archivedSpanRows } from './archived-rows.ts';
import { measureLatency } from './latency.ts';
import { messagesOf } from './messages.ts';
import { type ProcessUsage, processUsage } from './process-usage.ts';
import { type BenchResult, figures, percentile } from './report.ts';
import { SpanLedger } from './span-ledger.ts';

export interface BenchOptions {
  readonly spans: number;
  readonly seed: number;
  readonly input: string | undefined;
  readonly partitions: number;
  readonly idleTimeoutMs: number;
  readonly windowStore: string;
  readonly logFolder: string | undefined;
  readonly progress: (line: string) => void;
}

/**
 * One run: the span set is put on the ingest topic first, then the services start and work it off, and every span is
 * looked for in the traces and counted in the archive. CPU is what the processes used from their first instruction to the
 * moment when everything was through; a second, slow stretch of traffic measures latency.
 */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const { progress } = options;
  const stack = await startStack({ onProgress: progress });
  const logFolder = options.logFolder ?? mkdtempSync(path.join(tmpdir(), 'spanloom-bench-'));
  const kafka = createKafka({ brokers: stack.addresses.kafka, clientId: 'spanloom-bench' });
  let supervisor: Supervisor | undefined;
  try {
    const ledger = await fill(kafka, options);
    const env = environment(stack, options);
    const scale = servicesToRun(undefined, []);
    // The spans are on the topic already.
    scale.delete('collector');
    supervisor = new Supervisor({ scale, env, logFolder, onEvent: (event) => progress(`${event.name} ${event.kind}`) });
    const redisBefore = redisUsage(stack);
    const starting = supervisor.start();
    const usage = await throughAll(kafka, stack, options, ledger, supervisor, starting);
    const redis = redisUsage(stack);
    const redisUsed = { cpuSeconds: redis.cpuSeconds - redisBefore.cpuSeconds, rssPeakMb: redis.rssPeakMb };
    const latencies = await measureLatency(kafka, { prefix: PREFIX, ingestTopic: INGEST, ...options });
    const bytes = await recordBytes(kafka, options.partitions, ledger.sent);
    return result(ledger, usage, redisUsed, latencies, bytes);
  } finally {
    await supervisor?.stop();
    await stack.stop();
    if (options.logFolder === undefined) rmSync(logFolder, { recursive: true, force: true });
  }
}

const PREFIX = 'bench';
const INGEST = 'otlp_spans';
const STALLED_MS = 60_000;
/** What `total` counts: the job of the peer that it is compared with, so without the alerter. */
const IN_TOTAL: readonly string[] = ['span-router', 'trace-assembler', 'graph-builder', 'archiver'];

function environment(stack: Stack, options: BenchOptions): Record<string, string | undefined> {
  return {
    ...process.env,
    ...stackEnvironment(stack.addresses),
    SPANLOOM_PREFIX: PREFIX,
    PARTITIONS: String(options.partitions),
    INGEST_TOPICS: INGEST,
    WINDOW_STORE: options.windowStore,
    TRACE_IDLE_TIMEOUT_MS: String(options.idleTimeoutMs),
    TRACE_ROOTLESS_IDLE_TIMEOUT_MS: String(options.idleTimeoutMs * 2),
    ARCHIVE_RANGE_AGE_MAX_MS: '5000',
    LOG_FORMAT: 'json',
  };
}

/** Puts the whole set on the ingest topic. */
async function fill(kafka: Kafka, options: BenchOptions): Promise<SpanLedger> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: true,
    topics: [{ topic: INGEST, numPartitions: options.partitions, replicationFactor: 1 }],
  });
  await admin.disconnect();
  const ledger = new SpanLedger();
  const sender = await MessageSender.connect(kafka, INGEST);
  for await (const message of messagesOf(options)) {
    const before = ledger.sent;
    ledger.addSent(message);
    await sender.add(message);
    if (Math.floor(ledger.sent / 200_000) > Math.floor(before / 200_000))
      options.progress(`${ledger.sent} spans produced`);
  }
  await sender.flush();
  await sender.close();
  const { bytes } = sender;
  options.progress(
    `${ledger.sent} spans in ${(bytes / 2 ** 20).toFixed(0)} MiB are on ${INGEST}, ${(bytes / ledger.sent).toFixed(0)} bytes each`,
  );
  return ledger;
}

/** Reads traces until every span is out and archived; answers what each process used up to then. */
async function throughAll(
  kafka: Kafka,
  stack: Stack,
  options: BenchOptions,
  ledger: SpanLedger,
  supervisor: Supervisor,
  starting: Promise<void>,
): Promise<Record<string, ProcessUsage>> {
  await starting;
  const logs = createLogs(kafka);
  const abort = new AbortController();
  const { traces } = topicNames(PREFIX);
  const tail = tailTopic({
    logs: Array.from({ length: options.partitions }, (_, partition) => logs.open(traces, partition)),
    from: 'start',
    untilEnd: false,
    signal: abort.signal,
    onRecord: (record) => {
      if (record.value !== null) ledger.addReceived(assembledTraceCodec.decode(record.value).otlp);
    },
  });
  let last = '';
  let movedAtMs = performance.now();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const archived = await archivedSpanRows(stack.addresses, PREFIX);
    const state = `${ledger.received} spans in traces, ${archived} in the archive, of ${ledger.sent}`;
    if (state !== last) {
      options.progress(state);
      movedAtMs = performance.now();
      last = state;
    }
    if (ledger.received >= ledger.sent && archived >= ledger.sent) break;
    if (performance.now() - movedAtMs > STALLED_MS) {
      options.progress(`nothing moves any more: ${state}`);
      break;
    }
  }
  const usage = usageOf(supervisor);
  abort.abort();
  await tail;
  await logs.close();
  return usage;
}

function usageOf(supervisor: Supervisor): Record<string, ProcessUsage> {
  const entries = Object.entries(supervisor.pids()).map(([name, pid]) => [name, processUsage(pid)] as const);
  return Object.fromEntries(entries.flatMap(([name, usage]) => (usage === undefined ? [] : [[name, usage]])));
}

/** Redis' own process when this run started it; else nothing is known of its CPU. */
function redisUsage(stack: Stack): ProcessUsage {
  const pid = stack.pids['redis'];
  return (pid === undefined ? undefined : processUsage(pid)) ?? { cpuSeconds: 0, rssPeakMb: 0 };
}

/** Bytes of keys and values on each topic, for each span; as the services hand them to Kafka, before compression. */
async function recordBytes(kafka: Kafka, partitions: number, spans: number): Promise<Record<string, number>> {
  const logs = createLogs(kafka);
  const names = topicNames(PREFIX);
  const topics = { ingest: INGEST, spans: names.spans, traces: names.traces, 'service-edges': names.serviceEdges };
  const perSpan: Record<string, number> = {};
  for (const [label, topic] of Object.entries(topics)) {
    let bytes = 0;
    await tailTopic({
      logs: Array.from({ length: partitions }, (_, partition) => logs.open(topic, partition)),
      from: 'start',
      untilEnd: true,
      signal: new AbortController().signal,
      onRecord: ({ key, value }) => {
        bytes += (key?.length ?? 0) + (value?.length ?? 0);
      },
    });
    perSpan[label] = Math.round((bytes / spans) * 10) / 10;
  }
  await logs.close();
  return perSpan;
}

function result(
  ledger: SpanLedger,
  usage: Record<string, ProcessUsage>,
  redisUsed: ProcessUsage,
  latencies: readonly number[],
  kafkaBytesPerSpan: Record<string, number>,
): BenchResult {
  const services = Object.fromEntries(Object.entries(usage).map(([name, used]) => [name, figures(ledger.sent, used)]));
  const counted = IN_TOTAL.map((name) => usage[name]?.cpuSeconds ?? 0);
  const cpuSeconds = counted.reduce((sum, seconds) => sum + seconds, redisUsed.cpuSeconds);
  return {
    spans: ledger.sent,
    services,
    redis: figures(ledger.sent, redisUsed),
    total: { spansPerCpuSecond: Math.round(ledger.sent / cpuSeconds) },
    latencyMs: { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) },
    kafkaBytesPerSpan,
    ...ledger.result(),
  };
}
