import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { Supervisor } from '../cli/supervisor/supervisor.ts';
import { createKafka } from '../lib/kafka/client.ts';
import { startStack } from '../lib/testkit/stack/stack.ts';
import type { StackAddresses } from '../lib/testkit/stack/types.ts';
import { type ArchiverBenchOptions, fillTraces } from './archiver-bench.ts';
import { type ProcessUsage, processUsage } from './process-usage.ts';
import { serviceEnvironment } from './service-environment.ts';

export interface ForwarderBenchOptions extends Omit<ArchiverBenchOptions, 'formats'> {
  /** Receivers, and so consumer groups, in one process; measured one after the other. */
  readonly destinations: readonly number[];
}

export interface ForwarderFigures {
  readonly destinations: number;
  /** Spans delivered, to all destinations, for each second of the process's CPU from its first instruction on. */
  readonly spansPerCpuSecond: number;
  readonly cpuSeconds: number;
  readonly rssPeakMb: number;
  /** As they go over the wire. */
  readonly bytesPerSpan: number;
  readonly lost: number;
}

/**
 * The forwarder's own process between a full traces topic on a real Kafka and OTLP/HTTP receivers on this machine, with
 * the settings that go without saying: protobuf, gzip, no sampling.
 */
export async function runForwarderBench(options: ForwarderBenchOptions): Promise<ForwarderFigures[]> {
  const stack = await startStack({ onProgress: options.progress, services: ['kafka'] });
  const folder = options.logFolder ?? mkdtempSync(path.join(tmpdir(), 'spanloom-bench-'));
  try {
    const kafka = createKafka({ brokers: stack.addresses.kafka, clientId: 'spanloom-bench' });
    const spans = await fillTraces(kafka, stack, PREFIX, options);
    const figures: ForwarderFigures[] = [];
    for (const count of options.destinations) {
      figures.push(await forward(count, spans, stack.addresses, path.join(folder, `${count}`), options));
    }
    return figures;
  } finally {
    await stack.stop();
    if (options.logFolder === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

export function forwarderTable(figures: readonly ForwarderFigures[]): string {
  const heads = ['destinations', 'spans/CPU-s', 'CPU-s', 'peak RSS MB', 'bytes/span', 'lost'];
  const rows = figures.map((one) =>
    [one.destinations, one.spansPerCpuSecond, one.cpuSeconds, one.rssPeakMb, one.bytesPerSpan, one.lost].map((cell) =>
      cell.toLocaleString('en'),
    ),
  );
  return [heads, ...rows].map((cells) => cells.map((cell) => cell.padStart(14)).join('')).join('\n');
}

async function forward(
  count: number,
  spans: number,
  addresses: StackAddresses,
  folder: string,
  options: ForwarderBenchOptions,
): Promise<ForwarderFigures> {
  const taken = new Float64Array(new SharedArrayBuffer(8 * count));
  const { urls, close } = await receivers(taken);
  const file = path.join(tmpdir(), `spanloom-bench-${process.pid}-${count}.yaml`);
  const destinations = urls.map((url, i) => ({ name: `to-${count}-${i}`, kind: 'otlp_http', url, startAt: 'start' }));
  writeFileSync(file, JSON.stringify({ destinations }));
  const supervisor = new Supervisor({
    scale: new Map([['forwarder', 1]]),
    env: { ...serviceEnvironment(PREFIX, addresses, options), FORWARD_DESTINATIONS_PATH: file, METRICS_PORT: '0' },
    logFolder: folder,
    onEvent: ({ name, kind }) => options.progress(`${name} to ${count} ${kind}`),
  });
  try {
    await supervisor.start();
    const { delivered, usage } = await untilDelivered(spans * count, supervisor, options.progress);
    return {
      destinations: count,
      spansPerCpuSecond: Math.round(delivered / usage.cpuSeconds),
      cpuSeconds: Number(usage.cpuSeconds.toFixed(2)),
      rssPeakMb: Math.round(usage.rssPeakMb),
      bytesPerSpan: Number((taken.reduce((sum, bytes) => sum + bytes, 0) / delivered).toFixed(1)),
      lost: spans * count - delivered,
    };
  } finally {
    await supervisor.stop();
    await close();
    rmSync(file);
  }
}

async function receivers(taken: Float64Array): Promise<{ urls: string[]; close(): Promise<unknown> }> {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL('./forwarder-receivers.ts', import.meta.url), {
    workerData: { taken, ports: port2 },
    transferList: [port2],
  });
  const urls = await new Promise<string[]>((resolve, reject) => {
    port1.once('message', resolve);
    worker.once('error', reject);
  });
  port1.close();
  return { urls, close: () => worker.terminate() };
}

async function untilDelivered(
  spans: number,
  supervisor: Supervisor,
  progress: (line: string) => void,
): Promise<{ delivered: number; usage: ProcessUsage }> {
  let last = -1;
  let movedAtMs = performance.now();
  for (;;) {
    const pid = supervisor.pids()['forwarder'];
    const usage = (pid === undefined ? undefined : processUsage(pid)) ?? { cpuSeconds: Number.NaN, rssPeakMb: 0 };
    const delivered = await sentSpans(supervisor.metrics()['forwarder'] ?? '');
    if (delivered !== last) {
      progress(`${delivered} of ${spans} spans delivered`);
      movedAtMs = performance.now();
      last = delivered;
    }
    if (delivered >= spans || performance.now() - movedAtMs > STALLED_MS) return { delivered, usage };
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Spans that destinations have acknowledged, by the service's own counter. */
async function sentSpans(url: string): Promise<number> {
  const text = await (await fetch(url)).text();
  const samples = text.matchAll(/^spanloom_forwarder_sent_total\{[^}]*\} (\d+)/gm);
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
}

const PREFIX = 'bench';
const POLL_MS = 500;
const STALLED_MS = 60_000;
