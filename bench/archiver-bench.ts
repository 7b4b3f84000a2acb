import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Kafka } from 'kafkajs';
import { Supervisor } from '../cli/supervisor/supervisor.ts';
import type { ArchiveFormat } from '../lib/archive/object-keys.ts';
import { commonSettings } from '../lib/config/common.ts';
import { defineSettings, readSettings } from '../lib/config/settings.ts';
import { createKafka } from '../lib/kafka/client.ts';
import { openFencedWriter } from '../lib/kafka/fenced-writer.ts';
import { ensureBucket } from '../lib/testkit/stack/s3-bucket.ts';
import { type Stack, stackEnvironment, startStack } from '../lib/testkit/stack/stack.ts';
import type { StackAddresses } from '../lib/testkit/stack/types.ts';
import { prepareTopics } from '../lib/topics/prepare-topics.ts';
import { topicNames } from '../lib/topics/topics.ts';
import { archivedSpanRows, storedBytes } from './archived-rows.ts';
import { messagesOf } from './messages.ts';
import { type ProcessUsage, processUsage } from './process-usage.ts';
import { serviceEnvironment } from './service-environment.ts';
import { SPANS_PER_MESSAGE } from './spans.ts';
import { traceRecords } from './trace-records.ts';

export interface ArchiverBenchOptions {
  readonly spans: number;
  readonly seed: number;
  readonly input: string | undefined;
  readonly partitions: number;
  readonly formats: readonly ArchiveFormat[];
  readonly logFolder: string | undefined;
  /** Where the archiver leaves a CPU profile, if anywhere. */
  readonly profileFolder: string | undefined;
  readonly progress: (line: string) => void;
}

export interface ArchiverFigures {
  /** From the process's first instruction to the last object. */
  readonly spansPerCpuSecond: number;
  readonly cpuSeconds: number;
  readonly rssPeakMb: number;
  /** Of all objects, the traces index included. */
  readonly bytesPerSpan: number;
  readonly objects: number;
  readonly lost: number;
}

/**
 * The archiver alone: trace records are put on the topic first, then the service's own process works them off into
 * objects, once for each format, each time into an empty bucket.
 */
export async function runArchiverBench(options: ArchiverBenchOptions): Promise<Record<string, ArchiverFigures>> {
  const stack = await startStack({ onProgress: options.progress, services: ['kafka', 's3'] });
  const folder = options.logFolder ?? mkdtempSync(path.join(tmpdir(), 'spanloom-bench-'));
  try {
    const kafka = createKafka({ brokers: stack.addresses.kafka, clientId: 'spanloom-bench' });
    const spans = await fillTraces(kafka, stack, PREFIX, options);
    const figures: Record<string, ArchiverFigures> = {};
    for (const format of options.formats) figures[format] = await archive(format, spans, stack, folder, options);
    return figures;
  } finally {
    await stack.stop();
    if (options.logFolder === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

export function archiverTable(figures: Record<string, ArchiverFigures>): string {
  const columns: (keyof ArchiverFigures)[] = [
    'spansPerCpuSecond',
    'cpuSeconds',
    'rssPeakMb',
    'bytesPerSpan',
    'objects',
  ];
  const heads = ['spans/CPU-s', 'CPU-s', 'peak RSS MB', 'bytes/span', 'objects'];
  const line = (name: string, cells: readonly string[]) =>
    name.padEnd(10) + cells.map((cell) => cell.padStart(14)).join('');
  const rows = Object.entries(figures).map(([format, one]) =>
    line(
      format,
      columns.map((column) => one[column].toLocaleString('en')),
    ),
  );
  return [line('format', heads), ...rows].join('\n');
}

/** Puts trace records on the traces topic. @returns how many spans are on it. */
export async function fillTraces(
  kafka: Kafka,
  stack: Stack,
  prefix: string,
  options: Pick<ArchiverBenchOptions, 'spans' | 'seed' | 'input' | 'partitions' | 'progress'>,
): Promise<number> {
  const { partitions, progress } = options;
  await prepareTopics(
    kafka,
    readSettings(defineSettings(commonSettings), {
      ...stackEnvironment(stack.addresses),
      SPANLOOM_PREFIX: prefix,
      PARTITIONS: String(partitions),
    }),
  );
  const { traces: topic } = topicNames(prefix);
  const writer = await openFencedWriter(kafka, { transactionalId: 'bench' });
  let sent = 0;
  let batch = 0;
  let bytes = 0;
  for await (const { records, spans } of traceRecords(messagesOf(options), SPANS_PER_MESSAGE)) {
    await writer.transaction(async (txn) => void (await txn.send(topic, batch++ % partitions, records)));
    if (Math.floor((sent + spans) / 200_000) > Math.floor(sent / 200_000)) progress(`${sent + spans} spans produced`);
    sent += spans;
    for (const { value } of records) bytes += value?.length ?? 0;
  }
  await writer.close();
  progress(`${sent} spans are on ${topic}, ${(bytes / sent).toFixed(0)} bytes each`);
  return sent;
}

async function archive(
  format: ArchiveFormat,
  spans: number,
  stack: Stack,
  folder: string,
  options: ArchiverBenchOptions,
): Promise<ArchiverFigures> {
  const s3 = { ...stack.addresses.s3, bucket: `${stack.addresses.s3.bucket}-${format}-${process.pid}` };
  const addresses: StackAddresses = { ...stack.addresses, s3 };
  await ensureBucket(s3, { timeoutMs: BUCKET_TIMEOUT_MS });
  const supervisor = new Supervisor({
    scale: new Map([['archiver', 1]]),
    env: {
      ...serviceEnvironment(PREFIX, addresses, options),
      ARCHIVE_FORMAT: format,
      ARCHIVE_RANGE_AGE_MAX_MS: '5000',
    },
    logFolder: path.join(folder, format),
    onEvent: ({ name, kind }) => options.progress(`${name} (${format}) ${kind}`),
  });
  try {
    await supervisor.start();
    const usage = await untilArchived(spans, addresses, supervisor, options.progress);
    const stored = await storedBytes(addresses, PREFIX);
    return {
      spansPerCpuSecond: Math.round(spans / usage.cpuSeconds),
      cpuSeconds: Number(usage.cpuSeconds.toFixed(2)),
      rssPeakMb: Math.round(usage.rssPeakMb),
      bytesPerSpan: Number((stored.bytes / spans).toFixed(1)),
      objects: stored.objects,
      lost: spans - (await archivedSpanRows(addresses, PREFIX)),
    };
  } finally {
    await supervisor.stop();
  }
}

async function untilArchived(
  spans: number,
  addresses: StackAddresses,
  supervisor: Supervisor,
  progress: (line: string) => void,
): Promise<ProcessUsage> {
  let last = -1;
  let movedAtMs = performance.now();
  for (;;) {
    const usage = usageOf(supervisor);
    const archived = await archivedSpanRows(addresses, PREFIX);
    if (archived !== last) {
      progress(`${archived} of ${spans} spans archived`);
      movedAtMs = performance.now();
      last = archived;
    }
    if (archived >= spans || performance.now() - movedAtMs > STALLED_MS) return usage;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function usageOf(supervisor: Supervisor): ProcessUsage {
  const pid = supervisor.pids()['archiver'];
  return (pid === undefined ? undefined : processUsage(pid)) ?? { cpuSeconds: Number.NaN, rssPeakMb: 0 };
}

const PREFIX = 'bench';
const POLL_MS = 500;
const STALLED_MS = 60_000;
const BUCKET_TIMEOUT_MS = 10_000;
