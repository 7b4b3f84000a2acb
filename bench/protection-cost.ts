/**
 * What the trace-assembler's promises cost: CPU of its whole process for each span, Kafka and Redis included, as it is and
 * with its protection taken out (unprotected-assembler.ts), on the same spans at the same pace.
 *
 *     node scripts/run.js script bench/protection-cost.ts [--spans 300000] [--rounds 5] [--profile FOLDER] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { connectKafka } from '../cli/kafka/connect.ts';
import { SERVICE_ENV, SERVICE_NODE_FLAGS } from '../cli/supervisor/service-spec.ts';
import { SupervisedProcess } from '../cli/supervisor/supervised-process.ts';
import { createKafka } from '../lib/kafka/client.ts';
import { openFencedWriter } from '../lib/kafka/fenced-writer.ts';
import { stackEnvironment, startStack } from '../lib/testkit/stack/stack.ts';
import { inspectTopics } from '../lib/topics/prepare-topics.ts';
import { topicNames } from '../lib/topics/topics.ts';
import { processUsage } from './process-usage.ts';
import { benchMessages, SPANS_PER_MESSAGE } from './spans.ts';

const { values } = parseArgs({
  options: {
    spans: { type: 'string', default: '300000' },
    rounds: { type: 'string', default: '5' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const SPANS = Number(values.spans);
const ROUNDS = Number(values.rounds);
const SPANS_PER_SECOND = 10_000;
/** As large as a router's at this pace. */
const MESSAGES_PER_BUNDLE = 20;
const IDLE_MS = 1_000;
const GIVE_UP_MS = 180_000;

const say = (line: string) => void process.stderr.write(`${line}\n`);
const bundles = bundled();
const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-protection-'));
const stack = await startStack({ onProgress: say, services: ['kafka', 'redis'] });
try {
  const [on, off]: [number[], number[]] = [[], []];
  for (let round = 1; round <= ROUNDS; round++) {
    // In turn, so that the machine's moods hit both.
    on.push(await microsPerSpan(`on-${round}`, true));
    off.push(await microsPerSpan(`off-${round}`, false));
    say(`round ${round}: ${on.at(-1)?.toFixed(2)} µs of CPU a span, ${off.at(-1)?.toFixed(2)} without protection`);
  }
  const [protectedMicros, bareMicros] = [median(on), median(off)];
  // Of each round by itself: both of its runs met about the same machine.
  const shares = on.map((micros, round) => 1 - (off[round] as number) / micros);
  const share = median(shares);
  console.log(
    `trace-assembler: ${protectedMicros.toFixed(2)} µs of CPU a span, ${bareMicros.toFixed(2)} without protection`,
  );
  const percents = shares.map((part) => (part * 100).toFixed(1)).join(', ');
  console.log(`protection takes ${(share * 100).toFixed(1)} % of its spans per CPU-second (by round: ${percents})`);
  if (values.json) console.log(JSON.stringify({ on, off, shares, share }));
} finally {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;
}

/** One run of the service over all spans, from the first of them to the last trace; its start does not count. */
async function microsPerSpan(prefix: string, isProtected: boolean): Promise<number> {
  const env = {
    ...process.env,
    ...SERVICE_ENV,
    ...stackEnvironment(stack.addresses),
    ...{ SPANLOOM_PREFIX: prefix, PARTITIONS: '1', LOG_FORMAT: 'json', METRICS_PORT: '0' },
    ...{ TRACE_IDLE_TIMEOUT_MS: String(IDLE_MS), TRACE_ROOTLESS_IDLE_TIMEOUT_MS: String(IDLE_MS * 2) },
  };
  const { kafka, settings } = connectKafka(env, undefined);
  await inspectTopics(kafka, settings, { create: true });
  const supervised = new SupervisedProcess(
    { name: prefix, command: process.execPath, args: serviceArgs(isProtected, prefix), env },
    { logFolder: folder, onEvent: ({ kind }) => kind === 'exited' && say(`${prefix} has exited`) },
  );
  await supervised.start();
  const cpuSeconds = () => processUsage(supervised.pid ?? 0)?.cpuSeconds ?? Number.NaN;
  const before = cpuSeconds();
  await sendBundles(prefix);
  const deadline = performance.now() + GIVE_UP_MS;
  while ((await spansOut(supervised.metricsUrl as string)) < SPANS) {
    if (performance.now() > deadline) throw new Error(`${prefix} has not emitted all spans`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  // The last of them are on their way to Kafka.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const used = cpuSeconds() - before;
  await supervised.stop();
  return (used * 1e6) / SPANS;
}

function serviceArgs(isProtected: boolean, name: string): string[] {
  const here = (file: string) => path.join(import.meta.dirname, file);
  const preload = isProtected ? [] : ['--import', pathToFileURL(here('unprotected-assembler.ts')).href];
  const profile =
    values.profile === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`, `--cpu-prof-name=${name}.cpuprofile`];
  return [...SERVICE_NODE_FLAGS, ...preload, ...profile, here('../cli/main.ts'), 'service', 'trace-assembler'];
}

/** As a router writes them, at a steady pace. */
async function sendBundles(prefix: string): Promise<void> {
  const kafka = createKafka({ brokers: stack.addresses.kafka, clientId: 'spanloom-bench' });
  const writer = await openFencedWriter(kafka, { transactionalId: `${prefix}-bench` });
  const beganMs = performance.now();
  let sent = 0;
  for (const value of bundles) {
    await writer.transaction(async (txn) => void (await txn.send(topicNames(prefix).spans, 0, [{ key: null, value }])));
    sent += MESSAGES_PER_BUNDLE * SPANS_PER_MESSAGE;
    const waitMs = beganMs + (sent / SPANS_PER_SECOND) * 1_000 - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  await writer.close();
}

async function spansOut(metricsUrl: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  const found = /^spanloom_trace_assembler_sent_total\{output="spans"\} (\d+)/m.exec(text);
  return Number(found?.[1] ?? 0);
}

function bundled(): Buffer[] {
  const made: Buffer[] = [];
  let waiting: Buffer[] = [];
  for (const message of benchMessages(SPANS)) {
    waiting.push(message);
    if (waiting.length < MESSAGES_PER_BUNDLE) continue;
    made.push(Buffer.concat(waiting));
    waiting = [];
  }
  if (waiting.length > 0) made.push(Buffer.concat(waiting));
  return made;
}
