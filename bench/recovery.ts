/**
 * How soon the trace-assembler goes on, on a real Kafka and Redis: after `kill -9` with many spans in open windows, and
 * when two replicas are restarted in order, one after the other.
 *
 *     node scripts/run.js script bench/recovery.ts [--spans 200000] [--json]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readLedgers } from '../cli/audit/ledgers.ts';
import { openTopic } from '../cli/kafka/open-topic.ts';
import { MessageSender } from '../cli/produce/message-sender.ts';
import type { ServiceName } from '../cli/services.ts';
import { Supervisor } from '../cli/supervisor/supervisor.ts';
import { createKafka } from '../lib/kafka/client.ts';
import { EPOCH_MS, otlp } from '../lib/testkit/otlp-builder.ts';
import { stackEnvironment, startStack } from '../lib/testkit/stack/stack.ts';
import { topicNames } from '../lib/topics/topics.ts';
import { benchMessages, SPANS_PER_MESSAGE } from './spans.ts';
import { TraceArrivals } from './trace-arrivals.ts';

const { values } = parseArgs({
  options: { spans: { type: 'string', default: '200000' }, json: { type: 'boolean', default: false } },
});
const SPANS = Number(values.spans);
const PARTITIONS = 4;
/** Spans of traces whose root does not come stay in open windows for that long: the bench is over before. */
const OPEN_MS = 3_000_000;
/** What comes with its root is out after this time: that shows when a partition emits again. */
const IDLE_MS = 1_000;
const PROBES = 40;
const GIVE_UP_MS = 180_000;
const TRICKLE = { seconds: 40, spansPerSecond: 1_000 };
/** After the trickle began; the second one is told to stop long after the first is back. */
const RESTARTS_AT_MS = [5_000, 22_000];

const say = (line: string) => void process.stderr.write(`${line}\n`);
const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-recovery-'));
const stack = await startStack({ onProgress: say, services: ['kafka', 'redis'] });
const kafka = createKafka({ brokers: stack.addresses.kafka, clientId: 'spanloom-bench' });
try {
  const afterKill = await killed();
  const handOff = await restarted();
  const { openSpans, emittingAgainMs } = afterKill;
  console.log(`kill -9 with ${openSpans} open spans: every partition emits again after ${seconds(emittingAgainMs)}`);
  for (const [step, afterMs] of Object.entries(afterKill.steps)) console.log(`  ${seconds(afterMs)}  ${step}`);
  console.log(
    `rolling restart of two replicas: longest pause of a partition ${seconds(handOff.pauseMs)}, of ${seconds(handOff.usualMs)} without; ${handOff.handOffs} hand-offs, ${handOff.rebuilds} rebuilds`,
  );
  if (values.json) console.log(JSON.stringify({ ...afterKill, handOff }));
} finally {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Fills windows that stay open, kills the assembler, and waits for the first trace of every partition after that. */
async function killed(): Promise<{ openSpans: number; emittingAgainMs: number; steps: Record<string, number> }> {
  const prefix = 'killed';
  const supervisor = await start(prefix, 1, {
    TRACE_ROOTLESS_IDLE_TIMEOUT_MS: String(OPEN_MS),
    TRACE_AGE_MAX_MS: String(OPEN_MS),
  });
  const arrivals = await TraceArrivals.begin(kafka, topicNames(prefix).traces, PARTITIONS);
  try {
    const sender = await MessageSender.connect(kafka, ingestTopic(prefix));
    for (const message of benchMessages(SPANS, 1, { roots: false })) await sender.add(message);
    await sender.flush();
    await until(() => isTaken(prefix), 'the assembler has taken all spans');
    say(`${SPANS} spans are in open windows; killing the assembler`);
    const [killedAtMs, killedAtWallMs] = [performance.now(), Date.now()];
    process.kill(supervisor.pids()['trace-assembler'] as number, 'SIGKILL');
    for (let trace = 1; trace <= PROBES; trace++)
      await sender.add(otlp([{ service: 'probe', spans: [{ id: 1 }] }], { trace, epochMs: EPOCH_MS }));
    await sender.flush();
    await sender.close();
    await until(async () => arrivals.counts.every((count) => count > 0), 'every partition emits');
    return {
      openSpans: SPANS,
      emittingAgainMs: Math.max(...arrivals.firstAtMs) - killedAtMs,
      steps: stepsAfter(killedAtWallMs, path.join(folder, prefix, 'trace-assembler.log')),
    };
  } finally {
    await arrivals.end();
    await supervisor.stop();
  }
}

/** What the assembler logged last of each kind after a moment, in milliseconds since then. */
function stepsAfter(sinceMs: number, logFile: string): Record<string, number> {
  const steps: Record<string, number> = {};
  for (const line of readFileSync(logFile, 'utf8').split('\n')) {
    if (!line.startsWith('{')) continue;
    const { time, message } = JSON.parse(line) as { time: string; message: string };
    if (Date.parse(time) > sinceMs) steps[message] = Date.parse(time) - sinceMs;
  }
  return steps;
}

interface HandOff {
  /** Between two traces of one partition, the longest: with the restarts, and before them. */
  readonly pauseMs: number;
  readonly usualMs: number;
  /** How often a partition's new owner went on where the old one had stopped, or had to read back. */
  readonly handOffs: number;
  readonly rebuilds: number;
}

/** A steady trickle; in it each replica is told to stop, drains, and is started again. */
async function restarted(): Promise<HandOff> {
  const prefix = 'restarted';
  const supervisor = await start(prefix, 2, { TRACE_ROOTLESS_IDLE_TIMEOUT_MS: String(IDLE_MS) });
  const arrivals = await TraceArrivals.begin(kafka, topicNames(prefix).traces, PARTITIONS);
  try {
    await trickle(prefix, 1);
    const usualMs = arrivals.longestPauseMs();
    arrivals.forget();
    const before = recoveries(prefix);
    for (const [i, atMs] of RESTARTS_AT_MS.entries())
      setTimeout(() => process.kill(supervisor.pids()[`trace-assembler-${i + 1}`] as number, 'SIGTERM'), atMs);
    await trickle(prefix, 2);
    const { handOffs, rebuilds } = recoveries(prefix);
    return {
      ...{ pauseMs: arrivals.longestPauseMs(), usualMs },
      ...{ handOffs: handOffs - before.handOffs, rebuilds: rebuilds - before.rebuilds },
    };
  } finally {
    await arrivals.end();
    await supervisor.stop();
  }
}

/** As the two assemblers have logged them. */
function recoveries(prefix: string): { handOffs: number; rebuilds: number } {
  const logs = [1, 2].map((i) => readFileSync(path.join(folder, prefix, `trace-assembler-${i}.log`), 'utf8')).join();
  const count = (how: string) => logs.split(`"how":"${how}"`).length - 1;
  return { handOffs: count('hand-off'), rebuilds: count('rebuild') };
}

async function trickle(prefix: string, seed: number): Promise<void> {
  const sender = await MessageSender.connect(kafka, ingestTopic(prefix));
  const beganMs = performance.now();
  let sent = 0;
  for (const message of benchMessages(TRICKLE.seconds * TRICKLE.spansPerSecond, seed)) {
    await sender.add(message);
    await sender.flush();
    sent += SPANS_PER_MESSAGE;
    const waitMs = beganMs + (sent / TRICKLE.spansPerSecond) * 1_000 - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  await sender.close();
}

async function start(prefix: string, assemblers: number, env: Record<string, string>): Promise<Supervisor> {
  await createIngest(prefix);
  const scale = new Map<ServiceName, number>([
    ['span-router', 1],
    ['trace-assembler', assemblers],
  ]);
  const settings = {
    ...{ SPANLOOM_PREFIX: prefix, PARTITIONS: String(PARTITIONS), LOG_FORMAT: 'json' },
    ...{ INGEST_TOPICS: ingestTopic(prefix), TRACE_IDLE_TIMEOUT_MS: String(IDLE_MS), ...env },
  };
  const supervisor = new Supervisor({
    scale,
    env: { ...process.env, ...stackEnvironment(stack.addresses), ...settings },
    logFolder: path.join(folder, prefix),
    onEvent: ({ name, kind }) => say(`${name} ${kind}`),
  });
  await supervisor.start();
  return supervisor;
}

/** Router and assembler have committed everything that is on their inputs. */
async function isTaken(prefix: string): Promise<boolean> {
  const { spans, routerLedger, assemblerLedger } = topicNames(prefix);
  for (const [input, ledger] of [
    [ingestTopic(prefix), routerLedger],
    [spans, assemblerLedger],
  ] as const) {
    const [from, of] = [await openTopic(kafka, input), await openTopic(kafka, ledger)];
    try {
      const entries = await readLedgers(of.logs);
      for (const [partition, log] of from.logs.entries()) {
        const applied = entries.find((worker) => worker.topic === input && worker.partition === partition)?.entry
          .applied;
        if ((applied ?? 0) < (await log.bounds()).end) return false;
      }
    } finally {
      await from.close();
      await of.close();
    }
  }
  return true;
}

function ingestTopic(prefix: string): string {
  return `${prefix}-otlp`;
}

async function createIngest(prefix: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: true,
    topics: [{ topic: ingestTopic(prefix), numPartitions: PARTITIONS }],
  });
  await admin.disconnect();
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`gave up waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
