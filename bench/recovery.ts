/**
 * How soon the trace-assembler goes on, on a real Kafka and Redis: after `kill -9` with many spans in open windows, and
 * when one of two replicas is restarted in order.
 *
 *     node scripts/run.js script bench/recovery.ts [--spans 200000] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs';
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
const INGEST = 'otlp_spans';
/** A trace of more spans closes at once, whatever the time is: that shows when a partition emits again. */
const SPANS_MAX = 100;
const PROBES = 40;
const PROBE_IDS = 900_000;
const GIVE_UP_MS = 180_000;
const TRICKLE = { seconds: 20, spansPerSecond: 1_000, idleMs: 1_000 };

const say = (line: string) => void process.stderr.write(`${line}\n`);
const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-recovery-'));
const stack = await startStack({ onProgress: say, services: ['kafka', 'redis'] });
const kafka = createKafka({ brokers: stack.addresses.kafka, clientId: 'spanloom-bench' });
try {
  await createIngest();
  const afterKill = await killed();
  const handOff = await restarted();
  const { openSpans, emittingAgainMs } = afterKill;
  console.log(`kill -9 with ${openSpans} open spans: every partition emits again after ${seconds(emittingAgainMs)}`);
  console.log(
    `restart of one of two replicas: longest pause of a partition ${seconds(handOff.pauseMs)}, of ${seconds(handOff.usualMs)} without`,
  );
  if (values.json) console.log(JSON.stringify({ ...afterKill, handOff }));
} finally {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Fills windows that stay open, kills the assembler, and waits for the first trace of every partition after that. */
async function killed(): Promise<{ openSpans: number; emittingAgainMs: number }> {
  const prefix = 'killed';
  const supervisor = await start(prefix, 1, { TRACE_IDLE_TIMEOUT_MS: '3000000', TRACE_AGE_MAX_MS: '3000000' });
  const arrivals = await TraceArrivals.begin(kafka, topicNames(prefix).traces, PARTITIONS);
  try {
    const sender = await MessageSender.connect(kafka, INGEST);
    for (const message of benchMessages(SPANS)) await sender.add(message);
    await sender.flush();
    await until(() => isTaken(prefix), 'the assembler has taken all spans');
    say(`${SPANS} spans are in open windows; killing the assembler`);
    const killedAtMs = performance.now();
    process.kill(supervisor.pids()['trace-assembler'] as number, 'SIGKILL');
    for (let trace = 1; trace <= PROBES; trace++) await sender.add(probe(trace));
    await sender.close();
    await until(async () => arrivals.counts.every((count) => count > 0), 'every partition emits');
    return { openSpans: SPANS, emittingAgainMs: Math.max(...arrivals.firstAtMs) - killedAtMs };
  } finally {
    await arrivals.end();
    await supervisor.stop();
  }
}

/** A steady trickle; in its middle one replica is told to stop, drains, and is started again. */
async function restarted(): Promise<{ pauseMs: number; usualMs: number }> {
  const prefix = 'restarted';
  const supervisor = await start(prefix, 2, {
    TRACE_IDLE_TIMEOUT_MS: String(TRICKLE.idleMs),
    TRACE_ROOTLESS_IDLE_TIMEOUT_MS: String(TRICKLE.idleMs),
  });
  const arrivals = await TraceArrivals.begin(kafka, topicNames(prefix).traces, PARTITIONS);
  try {
    await trickle();
    const usualMs = arrivals.longestPauseMs();
    arrivals.forget();
    say('restarting one of two assemblers');
    const pid = supervisor.pids()['trace-assembler-1'] as number;
    setTimeout(() => process.kill(pid, 'SIGTERM'), (TRICKLE.seconds * 1_000) / 4);
    await trickle();
    return { pauseMs: arrivals.longestPauseMs(), usualMs };
  } finally {
    await arrivals.end();
    await supervisor.stop();
  }
}

async function trickle(): Promise<void> {
  const sender = await MessageSender.connect(kafka, INGEST);
  const beganMs = performance.now();
  let sent = 0;
  for (const message of benchMessages(TRICKLE.seconds * TRICKLE.spansPerSecond)) {
    await sender.add(message);
    await sender.flush();
    sent += SPANS_PER_MESSAGE;
    const waitMs = beganMs + (sent / TRICKLE.spansPerSecond) * 1_000 - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  await sender.close();
}

async function start(prefix: string, assemblers: number, env: Record<string, string>): Promise<Supervisor> {
  const scale = new Map<ServiceName, number>([
    ['span-router', 1],
    ['trace-assembler', assemblers],
  ]);
  const settings = {
    ...{ SPANLOOM_PREFIX: prefix, PARTITIONS: String(PARTITIONS), INGEST_TOPICS: INGEST, LOG_FORMAT: 'json' },
    ...{ TRACE_ROOTLESS_IDLE_TIMEOUT_MS: '3000000', TRACE_SPANS_MAX: String(SPANS_MAX), ...env },
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
    [INGEST, routerLedger],
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

async function createIngest(): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic: INGEST, numPartitions: PARTITIONS }] });
  await admin.disconnect();
}

/** A trace that is too large for a window. */
function probe(trace: number): Buffer {
  const spans = Array.from({ length: SPANS_MAX + 1 }, (_, id) => ({ id: id + 1 }));
  return otlp([{ service: 'probe', spans }], { trace: PROBE_IDS + trace, epochMs: EPOCH_MS });
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
