import { spanBatches } from '../../lib/archive/rows/row-groups.ts';
import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import type { AssignedPartition, NamedLog } from '../../lib/kafka/types.ts';
import { assembledTrace, traceRecord } from '../../lib/testkit/assembled-trace.ts';
import { EPOCH_MS, otlp } from '../../lib/testkit/otlp-builder.ts';
import { SeededRandom } from '../../lib/testkit/traffic/random.ts';
import { PartitionArchiver } from '../../services/archiver/adapters/partition-archiver.ts';
import { BytesBudget } from '../../services/archiver/core/bytes-budget.ts';
import { type ArchivedLog, chainsOf, differences, digest, isWhole } from './archiver-accounting.ts';
import { Fleet } from './fleet.ts';
import { Scheduler } from './scheduler.ts';
import { type BucketMutations, SimBucket } from './sim-bucket.ts';
import { SimKafka } from './sim-kafka.ts';
import { encodeText } from './table-text.ts';
import type { Outcome } from './worker-world.ts';

export interface ArchiverOptions extends BucketMutations {
  /** Of the object store, of brokers and of logs; crashes, zombies and rebalances always happen. */
  readonly faults: boolean;
  /** Whether brokers have topic ids; else the seed decides. */
  readonly topicIds?: boolean;
  readonly steps?: number;
  /** Writes without a look at whether the log is still the one that was read. */
  readonly noLogCheck?: boolean;
  /** Takes the end that a lagging leader names for the end of the log. */
  readonly believesEnd?: boolean;
  /** Does not say what a log that was deleted has left unwritten. */
  readonly noGivingUp?: boolean;
  /** Takes records for those of an entry because their offsets are its. */
  readonly noDigest?: boolean;
  /** Goes on in a topic of the same name, whatever its id. */
  readonly anyTopicId?: boolean;
  /** Does not ask whether somebody else has begun the next generation. */
  readonly noGenerationCheck?: boolean;
}

/**
 * Archivers on three partitions and one bucket. Good when the rows of all objects, which is what a reader with a glob
 * sees, are those of each trace record once, by content, except of offsets that the chain names as gone.
 */
export async function simulateArchiver(seed: number, options: ArchiverOptions): Promise<Outcome> {
  const world = new ArchiveWorld(seed, options);
  const problems = await world
    .run()
    .then(
      (finished) => (finished ? world.check().catch(problemOf) : ['stuck: not everything was archived']),
      problemOf,
    );
  return {
    problems,
    decisions: world.scheduler.decisions,
    counts: { ...world.counts, ...world.fleet.counts, ...world.bucket.counts },
  };
}

function problemOf(error: unknown): string[] {
  if (error instanceof SpanloomError || error instanceof SyntaxError) return [error.message];
  throw error;
}

class ArchiveWorld {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly fleet: Fleet;
  readonly bucket = new SimBucket();
  readonly counts = {
    records: 0,
    written: 0,
    finished: 0,
    gaps: 0,
    lost: 0,
    unindexed: 0,
    generations: 0,
    truncations: 0,
    recreated: 0,
  };
  private readonly kafka = new SimKafka();
  /** Without, a topic made anew is told by its records and their times, and only if that takes a while. */
  private readonly hasTopicIds: boolean;
  private readonly options: ArchiverOptions;
  /** Logs that were deleted. */
  private readonly past: ArchivedLog[] = [];
  /** Partitions whose log is another one, and nothing of it is archived yet. */
  private readonly unnoticed = new Set<number>();
  /** Those of which something is archived by now, until retention takes of them. */
  private readonly noticed = new Set<number>();
  private nowMs = 1_700_000_000_000;
  private nextTrace = 1;
  private quiet = false;
  private failure: unknown;

  constructor(seed: number, options: ArchiverOptions) {
    this.options = options;
    this.random = new SeededRandom(seed);
    const isLikely = this.random.float() < 0.5;
    this.hasTopicIds = options.topicIds ?? isLikely;
    this.scheduler = new Scheduler(this.random);
    this.fleet = new Fleet({
      random: this.random,
      scheduler: this.scheduler,
      partitions: Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: 'traces', partition })),
      createWorker: (process, input) => this.archiver(process, input),
    });
  }

  async run(): Promise<boolean> {
    this.fleet.start();
    for (let step = this.options.steps ?? STEPS; step > 0; step--) {
      this.nowMs += this.random.below(80);
      if (this.random.float() < 0.12) this.emit();
      this.truncate();
      this.recreate();
      this.fleet.disturb();
      await this.scheduler.step();
    }
    this.quiet = true;
    // A range is written once it is old, and only records make it so: each partition ends with one.
    for (let partition = 0; partition < PARTITIONS; partition++) this.append(partition, 'committed');
    this.fleet.finish();
    for (let step = 0; step < FINISH_STEPS_MAX; step++) {
      this.nowMs += 100;
      await this.scheduler.step();
      if (this.failure !== undefined) throw this.failure;
      if (step % 100 === 0 && (await this.isWhole())) return true;
    }
    return this.isWhole();
  }

  /** @returns what is missing, double or foreign. */
  async check(): Promise<readonly string[]> {
    const logs = this.logs();
    return differences(this.bucket, logs, await chainsOf(this.bucket, PREFIX, logs));
  }

  private async isWhole(): Promise<boolean> {
    const logs = this.logs();
    return isWhole(this.bucket, logs, await chainsOf(this.bucket, PREFIX, logs));
  }

  private logs(): ArchivedLog[] {
    const current = Array.from({ length: PARTITIONS }, (_, partition) => this.log(partition, false));
    return [...this.past, ...current];
  }

  private log(partition: number, isPast: boolean): ArchivedLog {
    return { partition, records: this.input(partition).committed(), isPast };
  }

  private emit(): void {
    for (let count = 1 + this.random.below(4); count > 0; count--) {
      this.append(this.random.below(PARTITIONS), this.random.float() < 0.1 ? 'aborted' : 'committed');
    }
    if (this.random.float() < 0.3) this.input(this.random.below(PARTITIONS)).appendMarker();
  }

  private append(partition: number, state: 'committed' | 'aborted'): void {
    const trace = this.nextTrace++;
    const epochMs = EPOCH_MS + this.random.below(3) * 3_600_000;
    const spans = Array.from({ length: 1 + this.random.below(3) }, (_, id) => ({ id: id + 1, name: `span ${trace}` }));
    const bytes = otlp([{ service: 'web', spans }], { trace, epochMs });
    const record = traceRecord(assembledTrace(bytes, { startTime: epochMs * 1000 }));
    this.input(partition).append({ ...record, timestampMs: this.nowMs, headers: new Map() }, { state });
    this.counts.records++;
  }

  private truncate(): void {
    if (!this.options.faults) return;
    const partition = this.random.below(PARTITIONS);
    // Without ids nobody can tell a log from another one that has lost every record by which it could be told.
    if (this.unnoticed.has(partition) && !this.hasTopicIds) return;
    // Who still stands in the log before is to meet a new one that has lost them.
    if (this.random.float() >= (this.noticed.has(partition) ? 0.3 : 0.003)) return;
    this.noticed.delete(partition);
    const input = this.input(partition);
    this.counts.truncations++;
    input.truncate(input.end - this.random.below(4));
  }

  /** The topic's partition is deleted and made anew, while its archivers run, stand still, or are dead. */
  private recreate(): void {
    if (!this.options.faults) return;
    const partition = this.random.below(PARTITIONS);
    const chance = this.random.float();
    if (this.input(partition).end === 0 || chance >= 0.03) return;
    // Most likely while somebody has promised objects and not written them yet.
    const isAimed = !this.unnoticed.has(partition) && this.bucket.isUnfinished(partition);
    if (chance >= 0.002 && !isAimed) return;
    this.noticed.delete(partition);
    const x = this.random.float();
    if (x < 0.4) this.fleet.crashAll();
    else if (x < 0.8) this.fleet.pauseAll();
    this.past.push(this.log(partition, true));
    const { end } = this.input(partition);
    this.input(partition).recreate();
    if (!this.hasTopicIds) this.nowMs += RECREATE_MS;
    // The new log may have grown past the old position before anybody looks.
    if (this.random.float() < 0.6) {
      for (let count = this.random.below(Math.min(3 * end, RECREATED_END_MAX)); count > 0; count--)
        this.append(partition, 'committed');
    }
    this.unnoticed.add(partition);
    this.counts.recreated++;
  }

  private input(partition: number) {
    return this.kafka.partition('traces', partition);
  }

  private archiver(process: string, { partition }: AssignedPartition): PartitionArchiver {
    const { scheduler, random, options } = this;
    const failChance = () => (options.faults && !this.quiet ? 0.01 : 0);
    const traces = this.kafka.log(process, this.input(partition), scheduler, random, {
      recordsMax: 6,
      staleChance: () => (options.faults && !this.quiet ? 0.05 : 0),
      failChance,
      topicIds: () => (this.hasTopicIds ? (options.anyTopicId ? 'ignored' : 'known') : 'none'),
    });
    const archiver = new PartitionArchiver(
      {
        ...{ prefix: PREFIX, clusterId: 'cluster', topic: 'traces', partition, writer: 'simulation' },
        // Names say it where it is true of all ids. One that was promised by another process has that one's number.
        partitions: 1 + random.below(PARTITIONS),
        // One that was promised by another process is made in its format.
        format: random.below(4) === 0 ? 'otlp' : 'parquet',
        promoted: random.below(3) === 0 ? ['default', 'tenant'] : ['default'],
        limits: { bytesMax: 2_000, ageMaxMs: 1_500 },
        fetchBytesMax: READ_BYTES,
      },
      {
        bucket: this.bucket.reach(process, scheduler, random, failChance, options),
        traces: options.believesEnd ? withoutProbes(traces) : traces,
        clock: {
          monotonicMs: () => this.nowMs,
          wallMs: () => this.nowMs,
          sleep: (ms) =>
            scheduler.call(process, () => {
              this.nowMs += Math.min(ms, 20);
            }),
        },
        crashPoint: () => {},
        encodeParquet: encodeText,
        encodeOtlp: (records) => encodeText(spanBatches(records.map(({ trace }) => trace))),
        digest: options.noDigest ? () => '' : digest,
        exclusively: (work) => work(),
        events: {
          opened: () => {},
          newGeneration: () => void this.counts.generations++,
          gap: () => void this.counts.gaps++,
          lost: () => void this.counts.lost++,
          unindexed: () => void this.counts.unindexed++,
          written: (entry, why) => {
            this.counts[why === 'found' ? 'finished' : 'written']++;
            const isOfNewLog = entry.firstRecord.appendTime >= this.bornMs(partition);
            if (isOfNewLog && this.unnoticed.delete(partition)) this.noticed.add(partition);
          },
          progress: () => {},
          failed: (_partition, error) => {
            if (!(error instanceof SpanloomError)) this.failure = error;
          },
          stopped: () => {},
        },
      },
      new BytesBudget(50_000),
      () => {},
    );
    if (options.noLogCheck) Object.assign(archiver, { refuseAnotherLog: async () => {} });
    if (options.noGenerationCheck) Object.assign(archiver, { refuseOldGeneration: async () => {} });
    if (options.noGivingUp) Object.assign(archiver, { giveUp: async () => {} });
    return archiver;
  }

  /** When the log was made that is there now. */
  private bornMs(partition: number): number {
    return this.input(partition).committed()[0]?.timestampMs ?? Number.POSITIVE_INFINITY;
  }
}

/** Who only asks whether the log goes on hears that it does not. */
function withoutProbes(log: NamedLog): NamedLog {
  return {
    id: () => log.id(),
    bounds: () => log.bounds(),
    fetch: async (request) => {
      if (request.maxBytes < READ_BYTES) throw new SpanloomError('KAFKA_OFFSET_GONE', 'not asked');
      return log.fetch(request);
    },
  };
}

const READ_BYTES = 1024;
const PREFIX = 'spanloom';
const PARTITIONS = 3;
const STEPS = 900;
const FINISH_STEPS_MAX = 20_000;
/** Deleting and making a topic takes a while. */
const RECREATE_MS = 1_000;
const RECREATED_END_MAX = 150;
