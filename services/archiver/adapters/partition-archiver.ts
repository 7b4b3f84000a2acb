import {
  type ChainEntry,
  chainKey,
  decodeChainEntry,
  encodeChainEntry,
  positionOf,
} from '../../../lib/archive/chain.ts';
import { IdIndexWriter } from '../../../lib/archive/id-index-writer.ts';
import { type ArchiveFormat, isOtlpKey } from '../../../lib/archive/object-keys.ts';
import { PROMOTED_DEFAULT, type PromotedList } from '../../../lib/archive/promoted-setting.ts';
import { hasCode, isRetryable, SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { FetchedRecords } from '../../../lib/kafka/types.ts';
import type { Worker } from '../../../lib/worker/partition-group.ts';
import { type BuiltRange, buildRange, type RangePlace } from '../core/build-range.ts';
import type { BytesBudget } from '../core/bytes-budget.ts';
import { isDue, OpenRange, type RangeLimits } from '../core/range.ts';
import type { ArchiverPorts } from '../ports.ts';
import { hasGap, hasGeneration, missingObjects, type OpenedChain, openChain, writeGap } from './open-chain.ts';
import { readAgain, remake } from './remake-range.ts';
import { refuseLogOtherThan } from './same-log.ts';

export interface PartitionArchiverSettings {
  readonly prefix: string;
  readonly clusterId: string;
  readonly topic: string;
  readonly partition: number;
  /** Of the topic. */
  readonly partitions: number;
  readonly writer: string;
  readonly format: ArchiveFormat;
  readonly promoted: PromotedList;
  readonly limits: RangeLimits;
  readonly fetchBytesMax: number;
}

/**
 * Archives one partition of the traces topic. The chain in the bucket is the position: an entry is written where none
 * is before any of its objects, so one writer decides each range, and everybody else makes the same objects from it and
 * goes on behind it. Killed anywhere, or run twice, the rows in the bucket are there once.
 */
export class PartitionArchiver implements Worker {
  private readonly settings: PartitionArchiverSettings;
  private readonly ports: ArchiverPorts;
  private readonly budget: BytesBudget;
  private readonly reportOffset: (next: number) => void;
  private readonly index: IdIndexWriter;
  private stopping = false;
  private advanced = false;
  /** First offset that is not archived yet; undefined before the chain was opened once. */
  private next: number | undefined;
  /** Append time of the newest record read, in milliseconds. */
  private newestMs = 0;
  /** Of the log as it is read now: once it is another one, the next fetch fails, and with it `work`. */
  private topicId: string | undefined;

  constructor(
    settings: PartitionArchiverSettings,
    ports: ArchiverPorts,
    budget: BytesBudget,
    reportOffset: (next: number) => void,
  ) {
    this.settings = settings;
    this.ports = ports;
    this.budget = budget;
    this.reportOffset = reportOffset;
    this.index = new IdIndexWriter(ports.bucket, settings.prefix);
  }

  stop(): void {
    this.stopping = true;
  }

  async run(): Promise<void> {
    const { events } = this.ports;
    const { partition } = this.settings;
    let retryMs = RETRY_MS;
    while (!this.stopping) {
      this.advanced = false;
      try {
        await this.work();
      } catch (error) {
        if (this.stopping) break;
        retryMs = this.advanced ? RETRY_MS : Math.min(retryMs * 2, RETRY_MAX_MS);
        const waitMs = isRetryable(error) ? retryMs : RETRY_MAX_MS;
        events.failed(partition, error, waitMs);
        await this.tellLag();
        await this.pause(waitMs);
      } finally {
        this.budget.hold(this, 0);
      }
    }
    events.stopped(partition);
  }

  private async work(): Promise<void> {
    const { ports, settings } = this;
    const { partition } = settings;
    this.topicId = await ports.traces.id();
    const chain = await openChain(ports.bucket, ports.traces, settings);
    if (chain.replaced !== undefined) ports.events.newGeneration(partition, chain.generation, chain.replaced);
    for (const { folder, entry } of chain.abandoned) await this.giveUp(folder, entry);
    if (chain.last !== undefined) await this.finish(chain, chain.last);
    let range = chain.last === undefined ? await this.firstRange() : new OpenRange(chain.last.end);
    ports.events.opened(partition, chain.generation, range.first);
    this.next = range.first;
    while (!this.stopping) {
      if (this.budget.isFull && !this.budget.isLargest(this)) {
        await ports.clock.sleep(BUDGET_WAIT_MS);
        continue;
      }
      range = await this.read(range);
      const why =
        isDue(range, settings.limits, ports.clock.monotonicMs()) ?? (this.isOverBudget() ? 'budget' : undefined);
      if (why !== undefined) {
        this.next = await this.write(chain, range, why);
        range = new OpenRange(this.next);
      }
      this.budget.hold(this, range.bytes);
    }
  }

  /** While the store takes nothing, nothing is read, and the lag that was told last would stand as if all were well. */
  private async tellLag(): Promise<void> {
    if (this.next === undefined) return;
    const bounds = await this.ports.traces.bounds().catch(() => undefined);
    if (bounds === undefined) return;
    this.ports.events.progress(this.settings.partition, this.next, Math.max(0, bounds.end - this.next), this.newestMs);
  }

  /**
   * Every chain begins at offset 0, so that all who open an empty one want the same key, wherever retention has moved the
   * log's start meanwhile; what was gone by then stands in the entry as the gap before it.
   */
  private async firstRange(): Promise<OpenRange> {
    const { start } = await this.ports.traces.bounds();
    return start === 0 ? new OpenRange(0) : new OpenRange(start, { from: 0, to: start });
  }

  private isOverBudget(): boolean {
    return this.budget.isFull && this.budget.isLargest(this);
  }

  private async read(range: OpenRange): Promise<OpenRange> {
    const { ports, settings } = this;
    const { partition } = settings;
    let fetched: FetchedRecords;
    try {
      fetched = await ports.traces.fetch({
        offset: range.end,
        maxBytes: settings.fetchBytesMax,
        maxWaitMs: FETCH_WAIT_MS,
      });
    } catch (error) {
      if (!hasCode(error, 'KAFKA_OFFSET_GONE')) throw error;
      return this.passGap(range, error);
    }
    range.add(fetched.records, fetched.nextOffset, ports.clock.monotonicMs());
    this.budget.hold(this, range.bytes);
    this.newestMs = fetched.records.at(-1)?.timestampMs ?? this.newestMs;
    ports.events.progress(partition, range.end, fetched.highWatermark - range.end, this.newestMs);
    return range;
  }

  /** Retention has overtaken us. What is gathered already is kept; a gap can only stand before a range. */
  private async passGap(range: OpenRange, cause: SpanloomError): Promise<OpenRange> {
    const { start, end } = await this.ports.traces.bounds();
    // A log that ends before our position is another one: opening the chain again finds that out.
    if (range.end > end || range.end >= start)
      throw new SpanloomError('ARCHIVE_LOG_CHANGED', cause.message, { cause, retryable: true });
    if (range.records.length > 0) {
      range.openedAtMs = Number.NEGATIVE_INFINITY;
      return range;
    }
    // A second gap right behind the first makes it longer: the chain's position does not move with it.
    const from = positionOf(range);
    this.ports.events.gap(this.settings.partition, range.first, start);
    return new OpenRange(start, { from, to: start });
  }

  /** @returns where the next range begins. */
  private write(chain: OpenedChain, range: OpenRange, why: string): Promise<number> {
    return this.ports.exclusively(async () => {
      const { ports } = this;
      let built = buildRange(range, this.ownPlace(chain), ports);
      await this.refuseAnotherLog(chain, built.entry);
      const key = chainKey(chain.folder, positionOf(range));
      const body = encodeChainEntry(built.entry);
      ports.crashPoint('before-chain');
      if ((await ports.bucket.putIfAbsent(key, body, { contentType: 'application/json' })) === 'exists') {
        const theirs = decodeChainEntry(await this.mustGet(key), key);
        const same = remake(theirs, range, this.placeOf(chain, theirs), ports);
        // One of us met a gap and the other did not, they came further, or they read another log.
        if (same === undefined) return this.finish(chain, theirs);
        built = same;
      }
      ports.crashPoint('after-chain');
      const bytes = await this.upload(built);
      ports.crashPoint('after-objects');
      this.advanced = true;
      chain.last = built.entry;
      ports.events.written(built.entry, why, bytes);
      this.reportOffset(built.entry.end);
      return built.entry.end;
    });
  }

  /** Makes the objects of an entry that are not there, from the log. @returns its end. */
  private async finish(chain: OpenedChain, entry: ChainEntry): Promise<number> {
    const { ports } = this;
    chain.last = entry;
    if ((await missingObjects(ports.bucket, entry)).length > 0) {
      const range = await readAgain(entry, ports.traces, this.settings.fetchBytesMax);
      const built = range && remake(entry, range, this.placeOf(chain, entry), ports);
      if (built === undefined) {
        await refuseLogOtherThan(ports.traces, entry);
        await this.giveUp(chain.folder, entry);
      } else ports.events.written(entry, 'found', await this.upload(built));
    }
    this.reportOffset(entry.end);
    return entry.end;
  }

  /** The records of the entry are gone: what of it is not written is lost. */
  private async giveUp(folder: string, entry: ChainEntry): Promise<void> {
    const { bucket, events } = this.ports;
    // Told of once, not whenever the chain is opened.
    if (await hasGap(bucket, folder, entry)) return;
    const missing = await missingObjects(bucket, entry);
    if (missing.length === 0) return;
    await writeGap(bucket, folder, entry, missing);
    events.lost(this.settings.partition, entry.first, missing);
  }

  /**
   * The topic may have been made anew since the chain was opened and have grown past our position: then what was gathered
   * is of two logs, or belongs into the chain of the new one.
   */
  private async refuseAnotherLog(chain: OpenedChain, own: ChainEntry): Promise<void> {
    if (chain.last !== undefined) await refuseLogOtherThan(this.ports.traces, chain.last);
    await refuseLogOtherThan(this.ports.traces, own);
    await this.refuseOldGeneration(chain);
  }

  /**
   * Asked after the log, which may have lost by retention what would have told it from the one before. It tells only when
   * somebody had seen the change by then, and who saw it has begun the next generation.
   */
  private async refuseOldGeneration(chain: OpenedChain): Promise<void> {
    const next = chain.generation + 1;
    if (!(await hasGeneration(this.ports.bucket, this.settings, next))) return;
    const sentence = `generation ${next} of the chain of partition ${this.settings.partition} has begun`;
    throw new SpanloomError('ARCHIVE_LOG_CHANGED', sentence, { retryable: true });
  }

  private async upload(built: BuiltRange): Promise<number> {
    let bytes = 0;
    for (const object of built.entry.objects) {
      const body = await built.encode(object);
      bytes += body.length;
      await this.ports.bucket.putIfAbsent(object.key, body, { contentType: contentType(object.key) });
      this.ports.crashPoint('after-object');
    }
    await this.indexTraces(built);
    return bytes;
  }

  /** Readers ask what no index knows, so a range that fails to get into one is as good as any, if slower to look into. */
  private async indexTraces(built: BuiltRange): Promise<void> {
    for (const object of built.entry.objects) {
      if (object.dataset !== 'traces') continue;
      try {
        await this.index.add({ key: object.key, hourMs: built.hourMs(object) }, built.idHashes(object));
      } catch (error) {
        this.ports.events.unindexed(this.settings.partition, object.key, error);
      }
    }
  }

  private ownPlace({ generation }: OpenedChain): RangePlace {
    return { ...this.settings, topicId: this.topicId, generation, isDecided: false };
  }

  /** An entry's objects are made as it says, whatever we are set to. */
  private placeOf({ generation }: OpenedChain, entry: ChainEntry): RangePlace {
    const { format = 'parquet', partitions, promoted = PROMOTED_DEFAULT, topicId } = entry;
    return { ...this.settings, topicId, generation, format, partitions, promoted, isDecided: true };
  }

  private async mustGet(key: string): Promise<Uint8Array> {
    const bytes = await this.ports.bucket.get(key);
    if (bytes !== undefined) return bytes;
    throw new SpanloomError('S3_FAILED', `${key} exists but cannot be read`, { retryable: true });
  }

  private async pause(ms: number): Promise<void> {
    for (let waited = 0; waited < ms && !this.stopping; waited += PAUSE_STEP_MS) {
      await this.ports.clock.sleep(Math.min(PAUSE_STEP_MS, ms - waited));
    }
  }
}

function contentType(key: string): string {
  return isOtlpKey(key) ? 'application/zstd' : 'application/vnd.apache.parquet';
}

const FETCH_WAIT_MS = 500;
const BUDGET_WAIT_MS = 50;
const PAUSE_STEP_MS = 250;
const RETRY_MS = 250;
const RETRY_MAX_MS = 10_000;
