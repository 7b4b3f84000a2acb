import type { ServiceName } from '../../../cli/services.ts';
import type { Fault, FaultGroup } from '../fault.ts';
import { type FaultPipeline, PARTITIONS } from '../rig/fault-pipeline.ts';
import type { FaultProcess } from '../rig/fault-process.ts';
import { sleep, waitUntil } from '../rig/wait-until.ts';

const killedOnce: Fault = {
  name: 'kill -9 of span-router, trace-assembler and graph-builder inside a transaction, of the archiver behind a chain entry',
  inject: crashEach({
    'span-router': ['before-commit:2'],
    'trace-assembler': ['before-commit:2'],
    'graph-builder': ['before-commit:2'],
    archiver: ['after-chain'],
  }),
};

const drained: Fault = {
  name: 'SIGTERM of all four services in the middle of their transactions',
  inject: async ({ processes }) => {
    const lives = processes.map(({ deaths }) => deaths.length);
    await Promise.all(processes.map((process) => process.restart('SIGTERM')));
    // A drain that takes too long, or fails, ends with 1.
    for (const [i, { name, deaths }] of processes.entries()) {
      const how = deaths[lives[i] as number];
      if (how !== 'exit code 0') throw new Error(`${name} did not drain: ${how}`);
    }
  },
};

const handOffs: Fault = {
  name: 'a drain that is killed behind its index, and a successor that is killed when it has taken the index of another',
  inject: async (pipeline) => {
    const assembler = pipeline.process('trace-assembler');
    assembler.arm('after-index-saved');
    const starts = startsOf(assembler);
    await assembler.restart('SIGTERM');
    await waitUntil('its partitions are at work', () => startsOf(assembler) >= starts + PARTITIONS);
    const life = assembler.deaths.length;
    await assembler.restart('SIGTERM');
    expectDeath(assembler, life, 'signal SIGKILL');
    await assembler.crashAt(['after-index-taken']);
  },
};

const stoodStill: Fault = {
  name: 'a trace-assembler without a successor stands still inside its transaction for longer than Kafka waits',
  inject: async (pipeline) => {
    const assembler = pipeline.process('trace-assembler');
    await assembler.freezeAt('before-commit:2');
    // Kafka aborts a transaction 10 s after its begin, and looks every 10 s.
    await sleep(25_000);
    assembler.signal('SIGCONT');
    await waitUntil('the transaction was refused', async () => (await assembler.errors('KAFKA_FENCED')) > 0);
  },
};

const zombie: Fault = {
  name: 'a trace-assembler stands still inside its transaction until another has taken over, and wakes as a zombie',
  inject: wakeAsZombie,
};

const zombieAmongKilled: Fault = {
  name: 'a trace-assembler becomes a zombie inside its transaction, span-router and graph-builder are killed in theirs, the archiver behind a chain entry',
  fast: true,
  inject: async (pipeline) => {
    const others = {
      'span-router': ['before-commit:2'],
      'graph-builder': ['before-commit:2'],
      archiver: ['after-chain'],
    };
    await Promise.all([wakeAsZombie(pipeline), crashEach(others)(pipeline)]);
  },
};

const bothOnOne: Fault = {
  name: 'two trace-assemblers on the same partitions: one has lost its group without hearing of it, and works on',
  inject: async (pipeline) => {
    const [first, second] = [pipeline.process('trace-assembler'), pipeline.process('trace-assembler', 2)];
    const rules = [first.kafka.arm({ api: 'Heartbeat', fault: 'swallow' })];
    // Both want the same writers, and the answers come late.
    for (const { kafka } of [first, second]) rules.push(kafka.arm({ api: 'InitProducerId', fault: { delayMs: 300 } }));
    const starts = startsOf(second);
    await waitUntil('the group gives its partitions away', () => startsOf(second) > starts);
    await waitUntil('it is fenced', async () => (await first.errors('KAFKA_FENCED')) > 0);
    for (const rule of rules) rule.remove();
    if (rules[0]?.hits === 0) throw new Error('no heartbeat was lost');
  },
};

/** One assembler: what it leaves behind it must find again itself. */
export const CRASHES: FaultGroup = {
  pipeline: { name: 'one-process-each' },
  faults: [killedOnce, drained, handOffs, stoodStill],
};

export const TAKEOVERS: FaultGroup = {
  pipeline: { name: 'two-assemblers', scale: { 'trace-assembler': 2 }, seed: 2 },
  faults: [zombie, zombieAmongKilled, bothOnOne],
};

type CrashPoints = Readonly<Partial<Record<ServiceName, readonly string[]>>>;

async function wakeAsZombie(pipeline: FaultPipeline): Promise<void> {
  const assembler = pipeline.process('trace-assembler');
  const other = pipeline.process('trace-assembler', 2);
  await assembler.freezeAt('before-commit:2');
  const starts = startsOf(other);
  await waitUntil('the other one takes over', () => startsOf(other) > starts);
  assembler.signal('SIGCONT');
  await waitUntil('its late commit is refused', async () => (await assembler.errors('KAFKA_FENCED')) > 0);
}

function crashEach(points: CrashPoints): Fault['inject'] {
  return async (pipeline: FaultPipeline) => {
    const entries = Object.entries(points) as [ServiceName, readonly string[]][];
    await Promise.all(entries.map(([service, names]) => pipeline.process(service).crashAt(names)));
  };
}

function startsOf(process: FaultProcess): number {
  return process.log().filter((line) => line.includes('"partition started"')).length;
}

function expectDeath(process: FaultProcess, index: number, how: string): void {
  const found = process.deaths[index];
  if (found !== how) throw new Error(`${process.name} ended with ${found}, not ${how}`);
}
