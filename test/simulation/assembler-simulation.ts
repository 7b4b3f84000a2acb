import { AssemblerStage } from '../../services/trace-assembler/core/assembler-stage.ts';
import { type AccountedLog, type Accounts, accountsOf } from './assembler-accounting.ts';
import { type AssemblerMutations, mutatedStage, mutatedTraces } from './assembler-mutations.ts';
import { SimRedis, SimWindowStore } from './sim-window-store.ts';
import { SpanProducer } from './span-producer.ts';
import { type Outcome, WorkerWorld, type WorldOptions } from './worker-world.ts';

export interface AssemblerOptions extends WorldOptions {
  readonly mutations?: AssemblerMutations;
}

/**
 * Assemblers on three partitions and one Redis. Good when every (trace, offset) pair is in exactly one committed trace
 * with its bytes, except of offsets that a worker reported as gone, or that were open in a log that was deleted. Without
 * faults of Redis, copies of a span must have counted once, too.
 */
export async function simulateAssembler(seed: number, options: AssemblerOptions): Promise<Outcome> {
  const mutations = options.mutations ?? {};
  const counts = { rebuilds: 0, adoptions: 0 };
  const redis = Array.from({ length: PARTITIONS }, () => new SimRedis());
  const world: WorkerWorld = new WorkerWorld(seed, options, {
    service: 'trace-assembler',
    inputTopic: 'spans',
    partitions: PARTITIONS,
    ledgerPartitions: PARTITIONS,
    createStage: (process, { partition }, log) => {
      const fails = () => world.isFaulty && world.random.float() < 0.01;
      const own = redis[partition] as SimRedis;
      const store = new SimWindowStore(process, own, world.scheduler, mutations, fails);
      const traces = mutatedTraces(log('traces', partition), mutations);
      const stage = new AssemblerStage({ ...ASSEMBLER, partition }, store, traces, {
        received: () => {},
        emitted: () => {},
        foreignRecord: (offset, reason) => {
          throw new Error(`record ${offset} refused: ${reason}`);
        },
        recovered: (how) => {
          if (how === 'rebuild') counts.rebuilds++;
          if (how === 'hand-off') counts.adoptions++;
        },
        open: () => {},
      });
      return mutatedStage(stage, store, traces, mutations);
    },
    disturb: () => disturbRedis(world, redis, options.rolling ?? false),
  });
  const traffic = new SpanTraffic(world);
  const finished = await world.run(
    () => traffic.step(),
    () => world.everythingApplied() && nothingIsOpen(world),
  );
  const accounts = finished ? sum(world) : undefined;
  return {
    problems: problemsOf(accounts, !options.faults),
    decisions: world.scheduler.decisions,
    counts: { ...world.counts, ...world.fleet.counts, ...world.logFaults.counts, ...counts, ...accounts },
  };
}

/** Bundles come in spells: while a partition is idle its windows close by time alone. */
class SpanTraffic {
  private readonly world: WorkerWorld;
  private readonly producers: readonly SpanProducer[];
  private readonly isIdle = Array.from({ length: PARTITIONS }, () => false);

  constructor(world: WorkerWorld) {
    this.world = world;
    this.producers = this.isIdle.map((_, partition) => new SpanProducer(world.random, 1 + partition * 100_000));
  }

  step(): void {
    const { random } = this.world;
    const partition = random.below(PARTITIONS);
    if (random.float() < 0.02) this.isIdle[partition] = !this.isIdle[partition];
    if (random.float() < 0.25 && !this.isIdle[partition]) this.send(partition, 1 + random.below(4));
    if (!this.world.isFaulty || this.world.isRolling) return;
    const { logFaults } = this.world;
    if (random.float() < 0.001) logFaults.overtake(partition);
    if (random.float() < 0.006) {
      const whoLooks = random.pick(['workers', 'nobody', 'sleepers'] as const);
      this.producers[partition]?.forget();
      logFaults.recreate(partition, whoLooks, (records) => this.send(partition, records));
    }
  }

  private send(partition: number, records: number): void {
    const { world } = this;
    const input = world.input(partition);
    for (let i = 0; i < records; i++) {
      world.nowMs += world.random.below(100);
      const value = (this.producers[partition] as SpanProducer).bundle(input.end);
      input.append({ key: null, value, timestampMs: world.nowMs, headers: new Map() });
      // Routers' transactions leave markers between bundles.
      if (world.random.float() < 0.3) input.appendMarker();
    }
  }
}

/** Mostly one server that holds all partitions; now and then one shard of a cluster. */
function disturbRedis({ random }: WorkerWorld, all: readonly SimRedis[], rolling: boolean): void {
  if (rolling) {
    if (random.float() < 0.02) for (const redis of all) redis.regress(random);
    return;
  }
  const hit = random.float() < 0.6 ? all : [random.pick(all)];
  if (random.float() < 0.004) for (const redis of hit) redis.flush();
  if (random.float() < 0.006) for (const redis of hit) redis.regress(random);
  if (random.float() < 0.004) for (const redis of hit) redis.split();
  if (random.float() < 0.006) random.pick(all).evict(random);
}

function nothingIsOpen(world: WorkerWorld): boolean {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const entry = world.entryOf(partition);
    if (entry !== undefined && entry.low < entry.applied) return false;
  }
  return true;
}

function sum(world: WorkerWorld): Accounts {
  const total = { units: 0, lost: 0, double: 0, empty: 0, foreign: 0, copies: 0, excused: 0 };
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const committed = world.kafka.partition('traces', partition).committed();
    const accounts = accountsOf(logsOf(world, partition), committed);
    for (const name of Object.keys(total) as (keyof Accounts)[]) total[name] += accounts[name];
  }
  return total;
}

function logsOf(world: WorkerWorld, partition: number): AccountedLog[] {
  const past = world.logFaults.logsBefore(partition);
  const isGone = (log: number, offset: number) =>
    world.gaps.some((gap) => gap.partition === partition && gap.log === log && offset >= gap.from && offset < gap.to);
  return [
    ...past.map(({ records, entry }, log) => ({
      records,
      mayBeMissing: (offset: number) => offset >= (entry?.low ?? 0) || isGone(log, offset),
      readTo: entry?.applied ?? 0,
    })),
    {
      records: world.input(partition).committed(),
      mayBeMissing: (offset) => isGone(past.length, offset),
      readTo: Number.POSITIVE_INFINITY,
    },
  ];
}

function problemsOf(accounts: Accounts | undefined, copiesCountOnce: boolean): string[] {
  if (accounts === undefined) return ['stuck: not everything was emitted'];
  const { lost, double, empty, foreign, copies } = accounts;
  const found = Object.entries({ lost, double, empty, foreign, copies: copiesCountOnce ? copies : 0 });
  return found.filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`);
}

const PARTITIONS = 3;

/** Times and sizes are small, so that windows close by the hundred and nothing goes into one transaction. */
const ASSEMBLER = {
  spansTopic: 'spans',
  tracesTopic: 'traces',
  deadLettersTopic: 'dead-letters',
  idleTimeoutMs: 2_000,
  rootlessIdleTimeoutMs: 5_000,
  ageMaxMs: 20_000,
  windowBytesMax: 4_000,
  spansPerTraceMax: 14,
  horizonMs: 1_000_000_000,
  contextsMax: 12,
  outboxBytesMax: 2_000,
  transactionBytesMax: 1_500,
};
