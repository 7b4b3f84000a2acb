import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Kafka } from 'kafkajs';
import { Supervisor } from '../cli/supervisor/supervisor.ts';
import { createKafka } from '../lib/kafka/client.ts';
import { createLogs } from '../lib/kafka/partition-log.ts';
import { stackEnvironment, startStack } from '../lib/testkit/stack/stack.ts';
import { SpanTable } from '../lib/trace/span-table.ts';
import { countRequestSpans, type Sent, SPANS_PER_REQUEST } from './collector-senders.ts';
import { processUsage } from './process-usage.ts';

export interface CollectorBenchOptions {
  readonly senders: number;
  readonly seconds: number;
  readonly partitions: number;
  readonly progress: (line: string) => void;
}

export interface CollectorFigures {
  readonly senders: number;
  readonly requests: number;
  readonly answers: Readonly<Record<number, number>>;
  readonly acknowledgedSpans: number;
  /** Of the collector's process alone, while the senders send. */
  readonly spansPerCpuSecond: number;
  readonly cpuSeconds: number;
  /** Spans per second of the clock, with senders, collector and broker on the same machine. */
  readonly spansPerSecond: number;
  /** Resident memory: medians of the second and of the last quarter of the time, and the peak. */
  readonly rssMb: { readonly early: number; readonly late: number; readonly peak: number };
  /** Acknowledged requests of which Kafka has not every span. */
  readonly lost: number;
  /** Acknowledged requests of which Kafka has spans more than once; senders try again after 503. */
  readonly repeated: number;
}

/** The collector's own process between many senders and a real Kafka; then the topic is read and counted by request. */
export async function runCollectorBench(options: CollectorBenchOptions): Promise<CollectorFigures> {
  const stack = await startStack({ onProgress: options.progress, services: ['kafka'] });
  const logFolder = mkdtempSync(path.join(tmpdir(), 'spanloom-bench-'));
  let supervisor: Supervisor | undefined;
  try {
    const kafka = createKafka({ brokers: stack.addresses.kafka, clientId: 'spanloom-bench' });
    await createTopic(kafka, options.partitions);
    const env = { ...process.env, ...stackEnvironment(stack.addresses), ...COLLECTOR_ENV };
    supervisor = new Supervisor({ scale: new Map([['collector', 1]]), env, logFolder, onEvent: () => {} });
    await supervisor.start();
    const pid = supervisor.pids()['collector'] as number;
    const url = `${supervisor.collector?.['otlp']}/v1/traces`;
    const memory: number[] = [];
    const sampling = setInterval(() => memory.push(residentMb(pid)), SAMPLE_MS);
    const before = processUsage(pid)?.cpuSeconds ?? 0;
    const startedMs = performance.now();
    options.progress(`${options.senders} senders post to ${url} for ${options.seconds} s`);
    const sent = await sendersInAThread({ url, senders: options.senders, seconds: options.seconds });
    const seconds = (performance.now() - startedMs) / 1000;
    const usage = processUsage(pid);
    clearInterval(sampling);
    options.progress('counting what is on the topic');
    const counts = await countTopic(kafka, options.partitions);
    const spans = sent.acknowledged.length * SPANS_PER_REQUEST;
    const cpuSeconds = (usage?.cpuSeconds ?? 0) - before;
    return {
      senders: options.senders,
      requests: Object.values(sent.answers).reduce((sum, count) => sum + count, 0),
      answers: sent.answers,
      acknowledgedSpans: spans,
      spansPerCpuSecond: Math.round(spans / cpuSeconds),
      cpuSeconds: Number(cpuSeconds.toFixed(2)),
      spansPerSecond: Math.round(spans / seconds),
      rssMb: { early: quarter(memory, 1), late: quarter(memory, 3), peak: Math.round(usage?.rssPeakMb ?? 0) },
      lost: sent.acknowledged.filter((number) => (counts.get(number) ?? 0) < SPANS_PER_REQUEST).length,
      repeated: sent.acknowledged.filter((number) => (counts.get(number) ?? 0) > SPANS_PER_REQUEST).length,
    };
  } finally {
    await supervisor?.stop();
    await stack.stop();
    rmSync(logFolder, { recursive: true, force: true });
  }
}

export function collectorTable(figures: CollectorFigures): string {
  const { rssMb, answers } = figures;
  const told = Object.entries(answers).map(([status, count]) => `${count.toLocaleString('en')} × ${status}`);
  return [
    `senders ${figures.senders}, answers ${told.join(', ')}`,
    `spans/CPU-s ${figures.spansPerCpuSecond.toLocaleString('en')}  (${figures.cpuSeconds} CPU-s for ${figures.acknowledgedSpans.toLocaleString('en')} spans; ${figures.spansPerSecond.toLocaleString('en')}/s by the clock)`,
    `RSS ${rssMb.early} MB early, ${rssMb.late} MB late, peak ${rssMb.peak} MB`,
    `acknowledged requests lost ${figures.lost}, repeated ${figures.repeated}`,
  ].join('\n');
}

/** Beside this thread, which samples; senders must not wait for it. */
function sendersInAThread(options: { url: string; senders: number; seconds: number }): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./collector-senders-thread.ts', import.meta.url), { workerData: options });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function createTopic(kafka: Kafka, partitions: number): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const topics = [{ topic: TOPIC, numPartitions: partitions, replicationFactor: 1 }];
  await admin.createTopics({ waitForLeaders: true, topics });
  await admin.disconnect();
}

async function countTopic(kafka: Kafka, partitions: number): Promise<Map<number, number>> {
  const logs = createLogs(kafka);
  const table = new SpanTable();
  const counts = new Map<number, number>();
  for (let partition = 0; partition < partitions; partition++) {
    const log = logs.open(TOPIC, partition);
    const { start, end } = await log.bounds();
    for (let offset = start; offset < end; ) {
      const { records, nextOffset } = await log.fetch({ offset, maxBytes: FETCH_BYTES, maxWaitMs: 100 });
      for (const { value } of records) if (value !== null) countRequestSpans(value, table, counts);
      offset = nextOffset;
    }
  }
  await logs.close();
  return counts;
}

function residentMb(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kilobytes ?? 0) / 1024;
}

function quarter(samples: readonly number[], index: number): number {
  const size = Math.floor(samples.length / 4);
  const sorted = samples.slice(index * size, (index + 1) * size).sort((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
}

const TOPIC = 'otlp_spans';
const COLLECTOR_ENV = {
  COLLECTOR_TOPIC: TOPIC,
  COLLECTOR_HTTP_PORT: '0',
  COLLECTOR_GRPC_PORT: '0',
  COLLECTOR_ZIPKIN_PORT: '0',
  COLLECTOR_JAEGER_PORT: '0',
  METRICS_PORT: '0',
  LOG_FORMAT: 'json',
};
const SAMPLE_MS = 500;
const FETCH_BYTES = 8 * 1024 * 1024;
