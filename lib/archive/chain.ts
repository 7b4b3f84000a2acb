import { SpanloomError } from '../errors/spanloom-error.ts';
import type { ArchiveFormat } from './object-keys.ts';
import type { PromotedList } from './promoted-setting.ts';

/**
 * One link of a partition's chain: what became of the offsets [first, end) of the traces topic. It is written before
 * its objects, and only where there is none yet, so it decides who archives what; see docs/design/archive-chain.md.
 */
export interface ChainEntry {
  readonly version: 1;
  readonly topic: string;
  readonly partition: number;
  readonly first: number;
  readonly end: number;
  /** Offsets before `first` that were gone before anybody archived them. */
  readonly gapBefore: { readonly from: number; readonly to: number } | null;
  /** Kafka's id of the topic, which no topic that is made anew has; none where the brokers had none. */
  readonly topicId?: string;
  /** Tells this log from another one of the same name where there are no ids: the first record of the range. */
  readonly firstRecord: RecordMark;
  readonly records: number;
  /** Records that no trace-assembler wrote: they are in no object. */
  readonly refused: number;
  readonly objects: readonly ChainObject[];
  /** What its spans are written as; entries of early writers have none and mean Parquet. */
  readonly format?: ArchiveFormat;
  /** Stands in the names of its objects: each trace id belongs to `partition` of so many. */
  readonly partitions?: number;
  /** Which attributes have columns in its spans; none where it is the default. */
  readonly promoted?: PromotedList;
  /** Name and version of what wrote it, e.g. `spanloom 0.1.0`. */
  readonly writer: string;
}

export interface RecordMark {
  readonly offset: number;
  readonly traceId: string;
  /** Broker append time, epoch milliseconds. */
  readonly appendTime: number;
}

export interface ChainObject {
  /** Whole key. */
  readonly key: string;
  readonly dataset: 'spans' | 'traces';
  readonly rows: number;
  /** SHA-256 over the values of the records that the rows were made of, in offset order; hex. */
  readonly digest: string;
  /** Over the rows themselves, as `RowDigest` has it; entries of early writers have none. */
  readonly rowDigest?: string;
}

/** Written beside an entry whose offsets were gone before its objects were made: these rows are nowhere. */
export interface GapEntry {
  readonly version: 1;
  readonly missing: readonly string[];
}

/** `<prefix>/_chain/<cluster id>/<generation>/p=007/` */
export function chainFolder(prefix: string, clusterId: string, generation: number, partition: number): string {
  return `${prefix}/_chain/${clusterId}/${pad(generation, 4)}/p=${pad(partition, 3)}/`;
}

/**
 * @param position where the chain had come to: the entry's `first`, or where the gap before it begins. Two writers of
 *   which only one met a gap must want the same key, else both would archive what is behind it.
 */
export function chainKey(folder: string, position: number): string {
  return `${folder}${pad(position, OFFSET_DIGITS)}.json`;
}

/** @param position that of the entry beside which it stands. */
export function gapKey(folder: string, position: number): string {
  return `${folder}${pad(position, OFFSET_DIGITS)}.gap.json`;
}

/** Where the chain had come to before this entry. */
export function positionOf(entry: Pick<ChainEntry, 'first' | 'gapBefore'>): number {
  return entry.gapBefore?.from ?? entry.first;
}

/** Position of the entry that a key belongs to; undefined for keys of something else. */
export function firstOffsetOf(key: string): number | undefined {
  const match = /\/(\d{20})\.json$/.exec(key);
  return match === null ? undefined : Number(match[1]);
}

export function encodeChainEntry(entry: ChainEntry): Uint8Array {
  return Buffer.from(`${JSON.stringify(entry, null, 2)}\n`);
}

/** @throws SpanloomError ARCHIVE_CHAIN_BROKEN when the bytes are no entry that this version can read. */
export function decodeChainEntry(bytes: Uint8Array, key: string): ChainEntry {
  let entry: Partial<ChainEntry>;
  try {
    entry = JSON.parse(Buffer.from(bytes).toString()) as Partial<ChainEntry>;
  } catch (cause) {
    throw broken(key, 'it is not JSON', cause);
  }
  const { version, first, end, gapBefore, objects, firstRecord } = entry;
  if (version !== 1) throw broken(key, `its version is ${version}, which this program does not know`);
  if (!isOffset(first) || !isOffset(end) || end <= first) throw broken(key, 'its offsets are no range');
  const position = gapBefore?.from ?? first;
  if (position !== firstOffsetOf(key)) throw broken(key, `it begins at ${position}`);
  if (!Array.isArray(objects) || firstRecord === undefined) throw broken(key, 'fields are missing');
  return entry as ChainEntry;
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function broken(key: string, why: string, cause?: unknown): SpanloomError {
  return new SpanloomError('ARCHIVE_CHAIN_BROKEN', `${key} is no entry of the archive's chain: ${why}`, { cause });
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

const OFFSET_DIGITS = 20;
