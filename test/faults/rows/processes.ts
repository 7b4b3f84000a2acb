import type { ServiceName } from '../../../cli/services.ts';
import type { Fault, FaultGroup } from '../fault.ts';
import type { FaultPipeline } from '../rig/fault-pipeline.ts';
import type { FaultProcess } from '../rig/fault-process.ts';
import { PARTITIONS } from '../rig/positions.ts';
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

/** Places where a crash leaves something else behind; these a worker passes without traffic too. */
const BEGINNING = ['before-fence', 'after-fence', 'after-claim', 'after-recover', 'after-fetch:3', 'after-apply:3'];
const COMMITTING = ['before-transaction:2', 'before-commit:2', 'after-commit:2'];

/** One service after another from where its input comes: those behind one that is always dying would have nothing to do. */
const killedEverywhere: readonly Fault[] = [
  [
    'span-router, trace-assembler and graph-builder, each at every point before its first record',
    {
      'span-router': BEGINNING,
      'trace-assembler': [...BEGINNING, 'after-begin'],
      'graph-builder': BEGINNING,
    },
  ],
  ['span-router at each point of a commit', { 'span-router': COMMITTING }],
  [
    'trace-assembler behind a step in Redis and at each point of a commit',
    { 'trace-assembler': ['after-redis-step:2', ...COMMITTING] },
  ],
  [
    'graph-builder and archiver at each point of a commit, of a chain entry and of its objects',
    {
      'graph-builder': COMMITTING,
      archiver: ['before-chain', 'after-chain', 'after-object', 'after-objects'],
    },
  ],
].map(([what, points]) => ({ name: `kill -9 of ${what}`, inject: crashEach(points as CrashPoints) }));

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
    const heartbeats = first.kafka.arm({ api: 'Heartbeat', fault: 'swallow' });
    // Both want the same writers, and the answers come late.
    const late = [first, second].map(({ kafka }) => kafka.arm({ api: 'InitProducerId', fault: { delayMs: 300 } }));
    try {
      const starts = startsOf(second);
      const refused = await refusals(first);
      await waitUntil('the group gives its partitions away', () => startsOf(second) > starts);
      await waitUntil('it is refused by Kafka or by Redis', async () => (await refusals(first)) > refused);
    } finally {
      for (const rule of [heartbeats, ...late]) rule.remove();
    }
    if (heartbeats.hits === 0) throw new Error('no heartbeat was lost');
  },
};

const storm: Fault = {
  name: 'a rebalance storm: one of two trace-assemblers leaves and joins until partitions have come and gone eight times',
  inject: async (pipeline) => {
    const [first, second] = [pipeline.process('trace-assembler'), pipeline.process('trace-assembler', 2)];
    const assigned = () => first.log().filter((line) => line.includes('"assigned"')).length;
    const before = assigned();
    // Who comes and goes faster than the group settles disturbs it most, and moves few partitions.
    for (let round = 0; round < STORM_ROUNDS; round++) {
      await second.stop();
      await second.startAgain();
      await sleep(1_000);
    }
    await sleep(STORM_SETTLES_MS);
    while (assigned() - before < STORM_MOVES) {
      for (const comeOrGo of [() => second.stop(), () => second.startAgain()]) {
        const seen = assigned();
        await comeOrGo();
        await waitUntil('the group has settled', () => assigned() > seen);
      }
    }
  },
};

/** These need an assembler without a successor: what it leaves behind it must find again itself. */
export const ALONE: readonly Fault[] = [handOffs, stoodStill];

export const CRASHES: FaultGroup = {
  pipeline: { name: 'one-process-each' },
  faults: [killedOnce, ...killedEverywhere, drained, ...ALONE],
};

export const TAKEOVERS: FaultGroup = {
  pipeline: { name: 'two-assemblers', scale: { 'trace-assembler': 2 }, seed: 2 },
  faults: [zombie, zombieAmongKilled, bothOnOne, storm],
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

/** Who has lost a partition learns it from its transaction, or before that from the windows, which are another's by then. */
async function refusals(assembler: FaultProcess): Promise<number> {
  return (await assembler.errors('KAFKA_FENCED')) + (await assembler.errors('WINDOW_STORE_SURPRISE'));
}

function startsOf(process: FaultProcess): number {
  return process.log().filter((line) => line.includes('"partition started"')).length;
}

function expectDeath(process: FaultProcess, index: number, how: string): void {
  const found = process.deaths[index];
  if (found !== how) throw new Error(`${process.name} ended with ${found}, not ${how}`);
}

const STORM_ROUNDS = 8;
const STORM_MOVES = 8;
/** Longer than a rebalance after the last of them; then each coming and going is one. */
const STORM_SETTLES_MS = 5_000;
