import { createHash } from 'node:crypto';
import type { ChainEntry } from '../../lib/archive/chain.ts';
import { readChain } from '../../lib/archive/read-chain.ts';
import { spanBatches } from '../../lib/archive/rows/row-groups.ts';
import { SpanRows } from '../../lib/archive/rows/span-rows.ts';
import { TraceRows } from '../../lib/archive/rows/trace-rows.ts';
import { assembledTraceCodec } from '../../lib/codec/records.ts';
import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import type { AssignedPartition, LogRecord } from '../../lib/kafka/types.ts';
import { assembledTrace, traceRecord } from '../../lib/testkit/assembled-trace.ts';
import { EPOCH_MS, otlp } from '../../lib/testkit/otlp-builder.ts';
import { SeededRandom } from '../../lib/testkit/traffic/random.ts';
import { PartitionArchiver } from '../../services/archiver/adapters/partition-archiver.ts';
import { BytesBudget } from '../../services/archiver/core/bytes-budget.ts';
import { Fleet } from './fleet.ts';
import { Scheduler } from './scheduler.ts';
import { type BucketMutations, SimBucket } from './sim-bucket.ts';
import { SimKafka } from './sim-kafka.ts';
import { encodeText, rowsOf, textOf } from './table-text.ts';
import { type Outcome, Tally } from './worker-world.ts';

export interface ArchiverOptions extends BucketMutations {
  /** Faults of the object store and of brokers; crashes, zombies and rebalances always happen. */
  readonly faults: boolean;
  readonly steps?: number;
}

/**
 * Archivers on three partitions and one bucket. Good when the rows of all objects, which is what a reader with a glob
 * sees, are those of each trace record once, by content, except of offsets that the chain names as gone.
 */
export async function simulateArchiver(seed: number, options: ArchiverOptions): Promise<Outcome> {
  const world = new ArchiveWorld(seed, options);
  const finished = await world.run();
  const problems = finished ? await world.check().catch(problemOf) : ['stuck: not everything was archived'];
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
  readonly counts = { records: 0, written: 0, finished: 0, gaps: 0, lost: 0, generations: 0, truncations: 0 };
  private readonly kafka = new SimKafka();
  private readonly options: ArchiverOptions;
  private readonly archived = new Map<number, number>();
  private nowMs = 1_700_000_000_000;
  private nextTrace = 1;
  private quiet = false;
  private failure: unknown;

  constructor(seed: number, options: ArchiverOptions) {
    this.options = options;
    this.random = new SeededRandom(seed);
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
      if (step % 50 === 0 && this.isArchived()) return true;
    }
    return this.isArchived();
  }

  /** @returns what is missing, double or foreign. */
  async check(): Promise<string[]> {
    const gone = new Set<string>();
    const lost: { entry: ChainEntry; missing: readonly string[] }[] = [];
    for await (const { entry, gap } of readChain(this.bucket.undisturbed, PREFIX)) {
      const { from, to } = entry.gapBefore ?? { from: 0, to: 0 };
      for (let offset = from; offset < to; offset++) gone.add(`${entry.partition}/${offset}`);
      if (gap !== undefined) lost.push({ entry, missing: gap.missing.filter((key) => !this.bucket.objects.has(key)) });
    }
    const expected = new Tally();
    const found = new Tally();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (const record of this.input(partition).committed()) {
        if (gone.has(`${partition}/${record.offset}`)) continue;
        const missing = lost
          .filter(
            ({ entry: { partition: p, first, end } }) =>
              p === partition && first <= record.offset && record.offset < end,
          )
          .flatMap((entry) => entry.missing);
        for (const { row, folder } of rowsOfRecord(record)) {
          if (!missing.some((key) => folder.test(key))) expected.add(row);
        }
      }
    }
    for (const [key, body] of this.bucket.objects) {
      if (key.includes('/_chain/')) continue;
      for (const row of Buffer.from(body).toString().split('\n')) found.add(digest([Buffer.from(row)]));
    }
    return expected.differences(found);
  }

  private isArchived(): boolean {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const last = this.input(partition).committed().at(-1)?.offset ?? -1;
      if ((this.archived.get(partition) ?? 0) <= last) return false;
    }
    return true;
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
    if (!this.options.faults || this.random.float() >= 0.003) return;
    const input = this.input(this.random.below(PARTITIONS));
    this.counts.truncations++;
    input.truncate(input.end - this.random.below(4));
  }

  private input(partition: number) {
    return this.kafka.partition('traces', partition);
  }

  private archiver(process: string, { partition }: AssignedPartition): PartitionArchiver {
    const { scheduler, random, options } = this;
    const failChance = () => (options.faults && !this.quiet ? 0.01 : 0);
    return new PartitionArchiver(
      {
        ...{ prefix: PREFIX, clusterId: 'cluster', topic: 'traces', partition, writer: 'simulation' },
        // One that was promised by another process is made in its format.
        format: random.below(4) === 0 ? 'otlp' : 'parquet',
        limits: { bytesMax: 2_000, ageMaxMs: 1_500 },
        fetchBytesMax: 1,
      },
      {
        bucket: this.bucket.reach(process, scheduler, random, failChance, options),
        traces: this.kafka.log(process, this.input(partition), scheduler, random, {
          recordsMax: 6,
          staleChance: () => (options.faults && !this.quiet ? 0.05 : 0),
          staleBounds: false,
          failChance,
        }),
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
        encodeOtlp: (records) => textOf(spanBatches(records.map(({ trace }) => trace))),
        digest,
        exclusively: (work) => work(),
        events: {
          opened: (_partition, _generation, position) => this.note(partition, position),
          newGeneration: () => void this.counts.generations++,
          gap: () => void this.counts.gaps++,
          lost: () => void this.counts.lost++,
          written: (entry, why) => {
            this.counts[why === 'found' ? 'finished' : 'written']++;
            this.note(partition, entry.end);
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
  }

  private note(partition: number, end: number): void {
    this.archived.set(partition, Math.max(this.archived.get(partition) ?? 0, end));
  }
}

/** Digests of the rows that a record is in the archive, with the folder of the object that they belong into. */
function rowsOfRecord(record: LogRecord): { row: string; folder: RegExp }[] {
  const trace = assembledTraceCodec.decode(record.value as Buffer);
  spanRows.clear();
  traceRows.clear();
  spanRows.add(trace);
  traceRows.add(trace, '');
  const iso = new Date(trace.startTime / 1000).toISOString();
  const hour = `dt=${iso.slice(0, 10)}/hour=${iso.slice(11, 13)}/`;
  const named = (dataset: string, rows: string[]) =>
    rows.map((row) => ({ row: digest([Buffer.from(row)]), folder: new RegExp(`/${dataset}(_otlp)?/v1/${hour}`) }));
  return [
    ...named('spans', rowsOf(spanRows.columns(), spanRows.count)),
    ...named('traces', rowsOf(traceRows.columns(), traceRows.count)),
  ];
}

const spanRows = new SpanRows();
const traceRows = new TraceRows();

function digest(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

const PREFIX = 'spanloom';
const PARTITIONS = 3;
const STEPS = 900;
const FINISH_STEPS_MAX = 20_000;
