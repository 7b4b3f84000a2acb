import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Supervisor } from '../cli/supervisor/supervisor.ts';
import { createKafka } from '../lib/kafka/client.ts';
import { freePort } from '../lib/testkit/stack/native/ports.ts';
import { stackEnvironment, startStack } from '../lib/testkit/stack/stack.ts';
import type { Health, TraceSummary } from '../services/console/core/api-types.ts';
import { type ArchiverBenchOptions, fillTraces } from './archiver-bench.ts';
import { processUsage } from './process-usage.ts';

export interface ConsoleFigures {
  readonly traces: number;
  readonly spans: number;
  /** From the process's first instruction until it has read everything. */
  readonly spansPerCpuSecond: number;
  /** After it has read everything, and after the questions as well. */
  readonly rssPeakMb: number;
  readonly rssPeakAskedMb: number;
  /** CPU time of the process for one question, over HTTP. */
  readonly searchCpuMs: number;
  readonly traceCpuMs: number;
}

/** The console's own process: it reads a full traces topic into its hot store, then is asked, several at a time. */
export async function runConsoleBench(
  options: Pick<ArchiverBenchOptions, 'spans' | 'seed' | 'input' | 'partitions' | 'progress' | 'logFolder'>,
): Promise<ConsoleFigures> {
  const stack = await startStack({ onProgress: options.progress, services: ['kafka', 'redis'] });
  const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-bench-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/api/console/`;
  const supervisor = new Supervisor({
    scale: new Map([['console', 1]]),
    env: {
      ...process.env,
      ...stackEnvironment(stack.addresses),
      S3_BUCKET: undefined,
      SPANLOOM_PREFIX: PREFIX,
      PARTITIONS: String(options.partitions),
      CONSOLE_PORT: String(port),
      CONSOLE_DATA_DIR: path.join(folder, 'data'),
      LOG_FORMAT: 'json',
    },
    logFolder: options.logFolder ?? folder,
    onEvent: ({ name, kind }) => options.progress(`${name} ${kind}`),
  });
  const usage = () => processUsage(supervisor.pids()['console'] ?? -1) ?? { cpuSeconds: Number.NaN, rssPeakMb: 0 };
  try {
    const spans = await fillTraces(
      createKafka({ brokers: stack.addresses.kafka, clientId: 'spanloom-bench' }),
      stack,
      PREFIX,
      options,
    );
    await supervisor.start();
    const { hot } = await untilRead(url, spans, options.progress);
    const read = usage();
    const services = ((await ask(`${url}operations`)) as { operations: { service: string; operation: string }[] })
      .operations;
    const ids: string[] = [];
    const searched = await many(QUESTIONS, async (at) => {
      const { service, operation } = services[(at * 31) % services.length] as (typeof services)[number];
      const query = new URLSearchParams({ from: '0', service, limit: '50', ...(at % 2 === 0 ? { operation } : {}) });
      const found = (await ask(`${url}traces?${query}`)) as { traces: TraceSummary[] };
      ids.push(...found.traces.slice(0, 4).map(({ traceId }) => traceId));
    });
    const searchedAt = usage();
    await many(QUESTIONS, (at) => ask(`${url}traces/${ids[(at * 7) % ids.length]}`));
    const asked = usage();
    options.progress(`${searched} searches and as many traces asked`);
    return {
      traces: hot.traces,
      spans: hot.spans,
      spansPerCpuSecond: Math.round(hot.spans / read.cpuSeconds),
      rssPeakMb: Math.round(read.rssPeakMb),
      rssPeakAskedMb: Math.round(asked.rssPeakMb),
      searchCpuMs: Number((((searchedAt.cpuSeconds - read.cpuSeconds) / QUESTIONS) * 1000).toFixed(1)),
      traceCpuMs: Number((((asked.cpuSeconds - searchedAt.cpuSeconds) / QUESTIONS) * 1000).toFixed(1)),
    };
  } finally {
    await supervisor.stop();
    await stack.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function untilRead(url: string, spans: number, progress: (line: string) => void): Promise<Health> {
  for (let last = -1, movedAtMs = performance.now(); ; ) {
    const health = (await ask(`${url}health`)) as Health;
    if (health.hot.spans >= spans) return health;
    if (health.hot.spans !== last) {
      [last, movedAtMs] = [health.hot.spans, performance.now()];
      progress(`${last} of ${spans} spans in the hot store`);
    }
    if (performance.now() - movedAtMs > STALLED_MS)
      throw new Error(`The hot store stands at ${last} of ${spans} spans.`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** As several people at once. */
async function many(count: number, act: (at: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const one = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) await act(at);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return count;
}

async function ask(url: string): Promise<unknown> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} is answered with ${response.status}: ${await response.text()}`);
  return response.json();
}

const PREFIX = 'bench';
const QUESTIONS = 200;
const AT_ONCE = 4;
const POLL_MS = 500;
const STALLED_MS = 60_000;
