import { type AssembledTrace, assembledTraceCodec } from '../../lib/codec/records.ts';
import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import type { PartitionLog } from '../../lib/kafka/types.ts';
import { SeededRandom } from '../../lib/testkit/traffic/random.ts';
import { PartitionWorker } from '../../lib/worker/partition-worker.ts';
import type { Stage, StageCommit, WorkerSettings } from '../../lib/worker/types.ts';
import { AssemblerStage } from '../../services/trace-assembler/core/assembler-stage.ts';
import { hashesOfTrace } from '../../services/trace-assembler/core/trace-hashes.ts';
import type { WindowStore } from '../../services/trace-assembler/ports.ts';
import { checkAccounting, type Verdict } from './assembler-accounting.ts';
import { Scheduler } from './scheduler.ts';
import { SimKafka } from './sim-kafka.ts';
import { SimRedis, SimWindowStore, type StoreMutations } from './sim-window-store.ts';
import { SpanProducer } from './span-producer.ts';

export interface SimulationOptions {
  /** Faults of Redis and of the brokers; crashes and zombies always happen. */
  readonly faults: boolean;
  readonly mutations?: Mutations;
  readonly steps?: number;
}

/** Rules taken out of the protocol, one at a time, to see that the simulation would notice. */
export interface Mutations extends StoreMutations {
  /** Rebuild does not read its own output back. */
  readonly noReadBack?: boolean;
  /** Rebuild reads its output back from its end only: the ledger's position R is not used. */
  readonly noPosition?: boolean;
  /** Rebuild takes a lagging leader's end for the end. */
  readonly noEnd?: boolean;
  /** Closed traces are remembered before the commit. */
  readonly rememberEarly?: boolean;
}

/** One run of the production worker and assembler for one partition under the faults of `seed`. The same seed replays exactly. */
export async function simulateAssembler(seed: number, options: SimulationOptions): Promise<Verdict> {
  const world = new World(seed, options);
  await world.runFaulty(options.steps ?? 900);
  const finished = await world.runToEnd();
  if (!finished) return { ...EMPTY_VERDICT, stuck: 1, decisions: world.decisions };
  const traces = world.traces.committed().map((record) => assembledTraceCodec.decode(record.value as Buffer));
  return {
    ...checkAccounting(world.spans, traces, { copiesMayRemain: options.faults }),
    ...world.counts,
    decisions: world.decisions,
  };
}

class World {
  readonly counts = { rebuilds: 0, adoptions: 0, commits: 0, crashes: 0 };
  private readonly random: SeededRandom;
  private readonly scheduler: Scheduler;
  private readonly kafka = new SimKafka();
  private readonly redis = new SimRedis();
  private readonly producer: SpanProducer;
  private readonly options: SimulationOptions;
  private nowMs = 1_700_000_000_000;
  private processes: { name: string; worker: PartitionWorker; done: boolean }[] = [];
  private nextProcess = 1;
  private quiet = false;

  constructor(seed: number, options: SimulationOptions) {
    this.random = new SeededRandom(seed);
    this.scheduler = new Scheduler(this.random);
    this.producer = new SpanProducer(this.random);
    this.options = options;
  }

  get decisions(): number {
    return this.scheduler.decisions;
  }

  get spans() {
    return this.kafka.partition('spans', 0);
  }

  get traces() {
    return this.kafka.partition('traces', 0);
  }

  /** Traffic, schedules and faults for a number of steps. */
  async runFaulty(steps: number): Promise<void> {
    this.start();
    for (let i = 0; i < steps; i++) {
      this.nowMs += this.random.below(120);
      if (this.random.float() < 0.12) this.produce(1 + this.random.below(5));
      this.disturbProcesses();
      if (this.options.faults) this.disturbRedis();
      await this.scheduler.step();
      this.processes = this.processes.filter((process) => !process.done);
      if (this.processes.length === 0) this.start();
    }
  }

  /** No more faults; one fresh process works until everything is emitted. @returns false when it does not get there. */
  async runToEnd(): Promise<boolean> {
    for (const { name } of this.processes) this.scheduler.crash(name);
    this.quiet = true;
    this.start();
    for (let i = 0; i < FINISH_STEPS_MAX; i++) {
      this.nowMs += 200;
      await this.scheduler.step();
      if (i % 50 === 0 && this.everythingEmitted()) return true;
    }
    return this.everythingEmitted();
  }

  private everythingEmitted(): boolean {
    const emitted = this.traces
      .committed()
      .reduce((sum, record) => sum + decode(record.value as Buffer).inputs.length, 0);
    return emitted >= this.producer.units;
  }

  private produce(records: number): void {
    for (let i = 0; i < records; i++) {
      this.nowMs += this.random.below(400);
      const value = this.producer.bundle(this.spans.end);
      this.spans.append({ key: null, value, timestampMs: this.nowMs, headers: new Map() });
      // Routers' transactions leave markers between bundles.
      if (this.random.float() < 0.3) this.spans.appendMarker();
    }
  }

  private disturbProcesses(): void {
    const x = this.random.float();
    const victim = this.processes[this.random.below(this.processes.length)];
    if (victim === undefined) return;
    if (x < 0.012) {
      this.scheduler.crash(victim.name);
      victim.done = true;
      this.counts.crashes++;
    } else if (x < 0.018) this.scheduler.pause(victim.name, 20 + this.random.below(200));
    else if (x < 0.03) victim.worker.stop();
    else if (x < 0.042 && this.processes.length < 3) this.start();
  }

  private disturbRedis(): void {
    if (this.random.float() < 0.004) this.redis.flush();
    if (this.random.float() < 0.006) this.redis.regress(this.random);
    if (this.random.float() < 0.004) this.redis.split();
    if (this.random.float() < 0.003) this.redis.evict(this.random);
  }

  /** A new process takes the partition over, whatever the others are doing. */
  private start(): void {
    const name = `process-${this.nextProcess++}`;
    const { random, scheduler, kafka } = this;
    const faulty = this.options.faults;
    const failChance = () => (faulty && !this.quiet ? 0.01 : 0);
    const mutations = this.options.mutations ?? {};
    const log = (topic: string, staleChance = 0): PartitionLog =>
      kafka.log(name, kafka.partition(topic, 0), scheduler, random, {
        recordsMax: 6,
        staleChance: () => (this.quiet ? 0 : staleChance),
        failChance,
      });
    const store = new SimWindowStore(name, this.redis, scheduler, mutations, () => random.float() < failChance());
    const stage = this.stage(store, log('traces', faulty ? 0.05 : 0), mutations);
    const worker = new PartitionWorker(SETTINGS, stage, {
      input: log('spans'),
      ledger: log('ledger', faulty ? 0.05 : 0),
      openWriter: () => kafka.openWriter(name, 'assembler-0', scheduler, random, () => this.nowMs, failChance),
      clock: {
        monotonicMs: () => this.nowMs,
        sleep: (ms) =>
          scheduler.call(name, () => {
            this.nowMs += Math.min(ms, 50);
          }),
      },
      randomHex: (bytes) => Array.from({ length: bytes * 2 }, () => random.below(16).toString(16)).join(''),
      events: {
        started: () => {},
        failed: (_worker, error) => {
          if (!(error instanceof SpanloomError)) throw error;
        },
        gap: () => {},
        committed: () => {
          this.counts.commits++;
        },
        stopped: () => {},
      },
      crashPoint: () => {},
    });
    const process = { name, worker, done: false };
    this.processes.push(process);
    void worker.run().then(() => {
      process.done = true;
    });
  }

  private stage(store: WindowStore, traces: PartitionLog, mutations: Mutations): Stage {
    const stage = new AssemblerStage(ASSEMBLER, store, mutated(traces, mutations), {
      received: () => {},
      emitted: () => {},
      foreignRecord: (offset, reason) => {
        throw new Error(`record ${offset} refused: ${reason}`);
      },
      recovered: (how) => {
        if (how === 'rebuild') this.counts.rebuilds++;
        if (how === 'hand-off') this.counts.adoptions++;
      },
      open: () => {},
    });
    return mutations.rememberEarly ? rememberingEarly(stage, store) : stage;
  }
}

/** Times are small, so that windows close by the thousand within a run. */
const ASSEMBLER = {
  spansTopic: 'spans',
  tracesTopic: 'traces',
  deadLettersTopic: 'dead-letters',
  partition: 0,
  idleTimeoutMs: 3_000,
  rootlessIdleTimeoutMs: 8_000,
  ageMaxMs: 30_000,
  windowBytesMax: 4_000,
  spansPerTraceMax: 14,
  horizonMs: 1_000_000_000,
  contextsMax: 12,
  outboxBytesMax: 2_000,
};

const SETTINGS: WorkerSettings = {
  key: 'trace-assembler/spans/0',
  ledgerTopic: 'ledger',
  ledgerPartition: 0,
  commitIntervalMs: 500,
  fetchBytesMax: 1,
  fetchWaitMs: 1,
  handOffWaitMs: 300,
  retryMs: 1,
  retryMaxMs: 4,
};

const FINISH_STEPS_MAX = 20_000;

const EMPTY_VERDICT: Verdict = {
  units: 0,
  lost: 0,
  double: 0,
  empty: 0,
  foreign: 0,
  copies: 0,
  stuck: 0,
  rebuilds: 0,
  adoptions: 0,
  commits: 0,
  crashes: 0,
  decisions: 0,
};

function mutated(traces: PartitionLog, mutations: Mutations): PartitionLog {
  if (mutations.noReadBack) {
    return {
      bounds: () => traces.bounds(),
      fetch: async (request) => ({ ...(await traces.fetch(request)), records: [] }),
    };
  }
  if (mutations.noPosition) {
    let isFirst = true;
    return {
      bounds: () => traces.bounds(),
      fetch: async (request) => {
        const fetched = await traces.fetch(request);
        const end = (await traces.bounds()).end;
        const answer = isFirst ? { ...fetched, records: [], nextOffset: Math.max(fetched.nextOffset, end) } : fetched;
        isFirst = false;
        return answer;
      },
    };
  }
  if (mutations.noEnd) {
    return {
      bounds: async () => ({ ...(await traces.bounds()), end: Number.MAX_SAFE_INTEGER }),
      fetch: async (request) => {
        const fetched = await traces.fetch(request);
        const isEnd = fetched.nextOffset >= fetched.lastStableOffset;
        return { ...fetched, nextOffset: isEnd ? Number.MAX_SAFE_INTEGER : fetched.nextOffset };
      },
    };
  }
  return traces;
}

function rememberingEarly(stage: Stage, store: WindowStore): Stage {
  return {
    recover: (last, incarnation) => stage.recover(last, incarnation),
    apply: (records, tick) => stage.apply(records, tick),
    prepare: async (reason): Promise<StageCommit | undefined> => {
      const commit = await stage.prepare(reason);
      const traces = (commit?.outputs ?? []).flatMap((output) =>
        output.records.map((record) => decode(record.value as Buffer)),
      );
      await store.remember(
        traces.map((trace) => ({ traceId: trace.traceId, revision: trace.revision, hashes: hashesOfTrace(trace) })),
      );
      return commit;
    },
    committed: (commit, end) => stage.committed(commit, end),
    get full() {
      return stage.full;
    },
  };
}

function decode(value: Buffer): AssembledTrace {
  return assembledTraceCodec.decode(value);
}
