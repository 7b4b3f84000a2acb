import { type LedgerEntry, ledgerEntryCodec } from '../../lib/codec/records.ts';
import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import type { AssignedPartition, FencedWriter, LogRecord, NamedLog, PartitionLog } from '../../lib/kafka/types.ts';
import { SeededRandom } from '../../lib/testkit/traffic/random.ts';
import { PartitionWorker } from '../../lib/worker/partition-worker.ts';
import type { Stage, WorkerSettings } from '../../lib/worker/types.ts';
import { Fleet } from './fleet.ts';
import { LogFaults } from './log-faults.ts';
import { keepNoTopicId, ledgerApart, neverLookAgain, trustLog, withoutClaim } from './loop-mutations.ts';
import { Scheduler } from './scheduler.ts';
import { SimKafka, type SimPartition } from './sim-kafka.ts';

/** What a run came to. It is good when there are no problems. */
export interface Outcome {
  readonly problems: readonly string[];
  /** Of all choices of the run, to compare a replay with. */
  readonly decisions: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** Rules of the worker loop, taken out one at a time. */
export interface LoopMutations {
  /** The claim is not written, so the ledger's tail may be stale when it is read. */
  readonly noClaim?: boolean;
  /** Every writer has a transactional id of its own. */
  readonly noFence?: boolean;
  /** The ledger entry is written in a transaction behind that of the output. */
  readonly ledgerApart?: boolean;
  /** A worker that takes over does not look whether the log is still the one that was read. */
  readonly noLogCheck?: boolean;
  /** A worker that stood still goes on as if it had not. */
  readonly noLookAgain?: boolean;
  /** Readers go on in a topic of the same name, whatever its id. */
  readonly anyTopicId?: boolean;
  /** The ledger does not say which topic its offsets are of. */
  readonly noTopicIdKept?: boolean;
}

export interface WorldOptions extends LoopMutations {
  /** Faults of brokers; crashes, zombies and rebalances always happen. */
  readonly faults: boolean;
  /** A rolling restart that never ends, instead of crashes and zombies. */
  readonly rolling?: boolean;
  /** Whether brokers have topic ids; else the seed decides. */
  readonly topicIds?: boolean;
  readonly steps?: number;
}

/** Input offsets [from, to) that a worker reported as gone. */
export interface Gap {
  readonly partition: number;
  /** Which log of the partition: topics may be deleted and made anew. */
  readonly log: number;
  readonly from: number;
  readonly to: number;
}

/** What the simulation of a service has besides the loop. */
export interface WorldPlan {
  readonly service: string;
  readonly inputTopic: string;
  readonly partitions: number;
  /** Two workers may share one. */
  readonly ledgerPartitions: number;
  createStage(
    process: string,
    input: AssignedPartition,
    log: (topic: string, partition: number) => PartitionLog,
  ): Stage;
  /** Faults of what only this service uses; called at each step. */
  disturb?(): void;
}

/** Kafka, a clock and a fleet of production workers of one service. */
export class WorkerWorld {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly kafka = new SimKafka();
  readonly fleet: Fleet;
  readonly logFaults: LogFaults;
  readonly counts = { commits: 0, failures: 0 };
  readonly gaps: Gap[] = [];
  /** Of all incarnations so far. */
  readonly nonces = new Set<string>();
  nowMs = 1_700_000_000_000;
  /** From when on brokers have topic ids: always, never, or since an upgrade in the middle of the run. */
  private readonly idsFromMs: number;
  private readonly plan: WorldPlan;
  private readonly options: WorldOptions;
  private quiet = false;
  private writers = 0;
  private workers = 0;

  constructor(seed: number, options: WorldOptions, plan: WorldPlan) {
    this.random = new SeededRandom(seed);
    const upgradeMs = this.nowMs + this.random.below(LASTS_MS);
    const byOption = options.topicIds === undefined ? undefined : options.topicIds ? 0 : Number.POSITIVE_INFINITY;
    this.idsFromMs = byOption ?? this.random.pick([0, Number.POSITIVE_INFINITY, upgradeMs]);
    this.scheduler = new Scheduler(this.random);
    this.options = options;
    this.plan = plan;
    const partitions = Array.from({ length: plan.partitions }, (_, partition) => ({
      topic: plan.inputTopic,
      partition,
    }));
    this.fleet = new Fleet({
      random: this.random,
      scheduler: this.scheduler,
      partitions,
      rolling: options.rolling ?? false,
      createWorker: (process, input) => this.worker(process, input),
    });
    this.logFaults = new LogFaults(this);
  }

  /** Traffic from `produce`, and faults, for the steps of the options; then quiet until `isDone`. */
  async run(produce: () => void, isDone: () => boolean): Promise<boolean> {
    this.fleet.start();
    for (let step = this.options.steps ?? STEPS; step > 0; step--) {
      this.nowMs += this.random.below(80);
      produce();
      this.fleet.disturb();
      if (this.isFaulty) this.plan.disturb?.();
      this.logFaults.step();
      await this.scheduler.step();
    }
    this.quiet = true;
    this.fleet.finish();
    for (let step = 0; step < FINISH_STEPS_MAX; step++) {
      this.nowMs += 100;
      this.logFaults.step();
      await this.scheduler.step();
      if (step % 50 === 0 && isDone()) return true;
    }
    return isDone();
  }

  input(partition: number): SimPartition {
    return this.kafka.partition(this.plan.inputTopic, partition);
  }

  /** The last committed entry of the worker of a partition. */
  entryOf(partition: number): LedgerEntry | undefined {
    const value = this.entryRecord(partition)?.value ?? null;
    return value === null ? undefined : ledgerEntryCodec.decode(value);
  }

  private entryRecord(partition: number): LogRecord | undefined {
    const key = `${this.key(partition)}/entry`;
    return this.ledgerOf(partition)
      .committed()
      .findLast((record) => record.key?.toString() === key);
  }

  /**
   * Whether it is known which topic a partition's position is of. Where it is not, a topic made anew is told by times, and
   * only if that takes a while.
   */
  isNamed(partition: number): boolean {
    if (this.idsFromMs === 0) return true;
    return this.hasTopicIds && this.entryRecord(partition)?.headers.has('topic-id') === true;
  }

  private get hasTopicIds(): boolean {
    return this.nowMs >= this.idsFromMs;
  }

  /** All inputs are read and committed. */
  everythingApplied(): boolean {
    if (!this.logFaults.areSettled) return false;
    for (let partition = 0; partition < this.plan.partitions; partition++) {
      const entry = this.entryOf(partition);
      if (this.input(partition).end > (entry?.applied ?? 0)) return false;
      // A worker that begins gives an entry of a time without ids its id.
      const mustBeNamed = this.hasTopicIds && entry !== undefined;
      if (mustBeNamed && !this.isNamed(partition)) return false;
    }
    return true;
  }

  /** What an operator does who wants a worker to begin anew. */
  forgetPosition(partition: number): void {
    const key = Buffer.from(`${this.key(partition)}/entry`);
    this.ledgerOf(partition).append({ key, value: null, timestampMs: this.nowMs, headers: new Map() });
  }

  get isFaulty(): boolean {
    return this.options.faults && !this.quiet;
  }

  get isRolling(): boolean {
    return this.options.rolling ?? false;
  }

  private ledgerOf(partition: number): SimPartition {
    return this.kafka.partition('ledger', partition % this.plan.ledgerPartitions);
  }

  private key(partition: number): string {
    return `${this.plan.service}/${this.plan.inputTopic}/${partition}`;
  }

  private worker(process: string, input: AssignedPartition): PartitionWorker {
    const { scheduler, random, kafka, options } = this;
    const topicIds = () => (this.hasTopicIds ? (options.anyTopicId ? 'ignored' : 'known') : 'none');
    const log = (topic: string, partition: number): NamedLog =>
      kafka.log(process, kafka.partition(topic, partition), scheduler, random, {
        recordsMax: 6,
        staleChance: () => (this.isFaulty ? 0.05 : 0),
        failChance: () => (this.isFaulty ? 0.01 : 0),
        topicIds,
      });
    const ledgerPartition = input.partition % this.plan.ledgerPartitions;
    const key = this.key(input.partition);
    // True or not: who fences a predecessor that is about to hand over only has more to rebuild.
    const orphaned = this.workers++ % 5 === 0;
    const settings: WorkerSettings = { ...SETTINGS, key, ledgerPartition, orphaned };
    const id = `${this.plan.service}-${input.partition}`;
    const openWriter = () => {
      const unique = options.noFence ? `${id}/${this.writers++}` : id;
      const failChance = () => (this.isFaulty ? 0.01 : 0);
      return kafka.openWriter(process, unique, scheduler, random, () => this.nowMs, failChance);
    };
    const ledger = log('ledger', ledgerPartition);
    const unclaimed = options.noClaim ? withoutClaim(ledger) : undefined;
    const wrap = (writer: FencedWriter): FencedWriter => {
      if (options.ledgerApart) return ledgerApart(writer);
      return unclaimed === undefined ? writer : unclaimed.writer(writer);
    };
    const worker = new PartitionWorker(settings, this.plan.createStage(process, input, log), {
      input: log(input.topic, input.partition),
      ledger: unclaimed?.log ?? ledger,
      openWriter: async () => wrap(await openWriter()),
      clock: {
        monotonicMs: () => this.nowMs,
        sleep: (ms) =>
          scheduler.call(process, () => {
            this.nowMs += Math.min(ms, 20);
          }),
      },
      randomHex: (bytes) => {
        const nonce = random.hex(bytes);
        this.nonces.add(nonce);
        return nonce;
      },
      events: {
        started: () => {},
        failed: (_worker, error) => {
          if (!(error instanceof SpanloomError)) throw error;
          this.counts.failures++;
          this.logFaults.failed(input.partition, error);
        },
        gap: (_worker, from, to) => {
          const log = this.logFaults.logsBefore(input.partition).length;
          this.gaps.push({ partition: input.partition, log, from, to });
        },
        committed: () => {
          this.counts.commits++;
        },
        stopped: () => {},
      },
      crashPoint: () => {},
    });
    if (options.noLogCheck) trustLog(worker);
    if (options.noLookAgain) neverLookAgain(worker);
    if (options.noTopicIdKept) keepNoTopicId(worker);
    return worker;
  }
}

/** Counts of what each committed thing is named, for comparing what should be there with what is. */
export class Tally {
  private readonly counts = new Map<string, number>();

  add(name: string, count = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + count);
  }

  /** What differs, in words, at most twenty lines. */
  differences(actual: Tally): string[] {
    const problems: string[] = [];
    for (const name of new Set([...this.counts.keys(), ...actual.counts.keys()])) {
      const expected = this.counts.get(name) ?? 0;
      const found = actual.counts.get(name) ?? 0;
      if (found !== expected) problems.push(`${name}: expected ${expected}, found ${found}`);
    }
    return problems.slice(0, 20);
  }
}

const SETTINGS: Omit<WorkerSettings, 'key' | 'ledgerPartition' | 'orphaned'> = {
  ledgerTopic: 'ledger',
  commitIntervalMs: 400,
  fetchBytesMax: 1,
  fetchWaitMs: 1,
  handOffWaitMs: 200,
  retryMs: 1,
  retryMaxMs: 4,
};

const STEPS = 900;
/** Of a run, about. */
const LASTS_MS = STEPS * 40;
const FINISH_STEPS_MAX = 20_000;
