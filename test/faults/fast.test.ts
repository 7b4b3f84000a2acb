import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { createKafka } from '../../lib/kafka/client.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { AuditedPipeline } from '../support/audited-pipeline.ts';
import { testStack } from '../support/stack.ts';

/**
 * One pipeline of real processes through one fault after another, each in the middle of traffic. What counts is the
 * audit behind each: every span sent so far once in bundles, traces, archive and edges, and nothing that is not ours.
 */
const SPANS = 6_000;
let pipeline: AuditedPipeline;

beforeAll(async () => {
  pipeline = new AuditedPipeline('faults', ['trace-assembler=2']);
  await pipeline.ready();
}, 180_000);

afterAll(async () => {
  pipeline.up.signal('SIGINT');
  await pipeline.up.exited;
}, 60_000);

interface Fault {
  /** Begins the fault; what it answers ends it. */
  readonly inject: () => Promise<() => Promise<void>> | Promise<void>;
}

/** @param input topic that the service reads: it is killed when new records are on their way to it, not at rest. */
const kill = (service: string, input: () => string): Fault => ({
  inject: async () => {
    const pid = pidOf(service);
    await grows(input());
    process.kill(pid, 'SIGKILL');
  },
});
const ingest = () => `${pipeline.prefix}-otlp`;
const spans = () => topicNames(pipeline.prefix).spans;
const traces = () => topicNames(pipeline.prefix).traces;

describe('nothing lost, nothing double', () => {
  it.each<[string, Fault]>([
    ['kill -9 of the span-router', kill('span-router', ingest)],
    ['kill -9 of a trace-assembler', kill('trace-assembler', spans)],
    ['kill -9 of the graph-builder', kill('graph-builder', traces)],
    ['kill -9 of the archiver', kill('archiver', traces)],
    ['a trace-assembler that stops for 15 s and wakes as a zombie', { inject: stopAssembler }],
    ["Redis loses the pipeline's data", { inject: () => redis(loseAll) }],
    ['Redis loses the bytes of one window', { inject: () => redis(loseOne) }],
    ['a key of another type in place of a window', { inject: () => redis(plantOtherType) }],
  ])(
    '%s',
    async (_name, { inject }) => {
      const traffic = pipeline.send(SPANS);
      const [injected] = await Promise.allSettled([inject(), traffic]);
      if (injected.status === 'rejected') throw injected.reason;
      await traffic;
      const end = injected.value;
      await pipeline.send(SPANS);
      await end?.();
      const { code, clean, stages } = await pipeline.settled();
      expect({ code, clean, stages }).toMatchObject({ code: 0, clean: true });
      expect(stages.find(({ stage }) => stage === 'bundles')?.matched).toBe(pipeline.sent);
    },
    240_000,
  );
});

/** Resolves as soon as `topic` holds more than at the call. */
async function grows(topic: string): Promise<void> {
  const admin = createKafka({ brokers: testStack().kafka, clientId: 'test-faults' }).admin();
  await admin.connect();
  try {
    const end = async () => (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
    const before = await end();
    for (const deadline = performance.now() + 60_000; (await end()) === before; ) {
      if (performance.now() > deadline) throw new Error(`nothing new came to ${topic}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    await admin.disconnect();
  }
}

function pidOf(service: string): number {
  const pid = pipeline.up.services().get(service);
  if (pid === undefined) throw new Error(`no ${service} is running`);
  return pid;
}

/** Longer than the group's session, so that the other assembler takes its partitions over before it wakes. */
async function stopAssembler(): Promise<() => Promise<void>> {
  const pid = pidOf('trace-assembler');
  process.kill(pid, 'SIGSTOP');
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    process.kill(pid, 'SIGCONT');
  };
}

async function redis(change: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(testStack().redis);
  try {
    await change(client);
  } finally {
    client.disconnect();
  }
}

async function loseAll(client: Redis): Promise<void> {
  await windowOf(client);
  await client.unlink(...(await keysOf(client)));
}

async function loseOne(client: Redis): Promise<void> {
  // The window may be taken out meanwhile: then another one.
  while ((await client.unlink(await windowOf(client))) === 0);
}

async function plantOtherType(client: Redis): Promise<void> {
  for (;;) {
    const window = await windowOf(client);
    const [removed] = (await client.multi().unlink(window).set(window, 'not a list', 'EX', 600).exec()) ?? [];
    if (removed?.[1] === 1) return;
  }
}

async function keysOf(client: Redis): Promise<string[]> {
  const keys: string[] = [];
  for await (const batch of client.scanStream({ match: `*${pipeline.prefix}*`, count: 1_000 })) keys.push(...batch);
  return keys;
}

/** Waits for a window with spans in it; windows are lists. */
async function windowOf(client: Redis): Promise<string> {
  for (let tries = 0; tries < 600; tries++) {
    for (const key of await keysOf(client)) if ((await client.type(key)) === 'list') return key;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('there was no window to disturb');
}
