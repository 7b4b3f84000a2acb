import {
  type ChainEntry,
  chainFolder,
  chainKey,
  decodeChainEntry,
  firstOffsetOf,
  gapKey,
  positionOf,
} from '../../../lib/archive/chain.ts';
import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { LogRecord, PartitionLog } from '../../../lib/kafka/types.ts';
import type { Bucket } from '../../../lib/s3/bucket.ts';

export interface ChainPlace {
  readonly prefix: string;
  readonly clusterId: string;
  readonly partition: number;
}

export interface OpenedChain {
  readonly generation: number;
  readonly folder: string;
  /** The last entry, whose objects may not be there yet; undefined when the chain is empty. It moves with the chain. */
  last: ChainEntry | undefined;
  /** Why the chain that was there belongs to another log. */
  readonly replaced: string | undefined;
  /** The last entry of the generation before: what it names and was never written, nobody can make any more. */
  readonly abandoned: { readonly folder: string; readonly entry: ChainEntry } | undefined;
}

/** Finds the end of a partition's chain, and makes sure that it speaks of this log. */
export async function openChain(bucket: Bucket, log: PartitionLog, place: ChainPlace): Promise<OpenedChain> {
  const generation = await newestGeneration(bucket, place);
  const folderOf = (one: number) => chainFolder(place.prefix, place.clusterId, one, place.partition);
  const folder = folderOf(generation);
  const last = await lastEntry(bucket, folder);
  const mismatch = last === undefined ? undefined : await mismatchWith(log, last);
  if (last !== undefined && mismatch !== undefined) {
    const next = { generation: generation + 1, folder: folderOf(generation + 1), last: undefined };
    return { ...next, replaced: mismatch, abandoned: { folder, entry: last } };
  }
  const before = generation === 1 ? undefined : await lastEntry(bucket, folderOf(generation - 1));
  const abandoned = before && { folder: folderOf(generation - 1), entry: before };
  return { generation, folder, last, replaced: undefined, abandoned };
}

async function newestGeneration(bucket: Bucket, { prefix, clusterId, partition }: ChainPlace): Promise<number> {
  for (let generation = 1; ; generation++) {
    const following = chainFolder(prefix, clusterId, generation + 1, partition);
    if ((await firstKeyBehind(bucket, following, '')) === undefined) return generation;
  }
}

/** Halves the offsets until the last entry is found: a chain of years has a hundred thousand of them. */
async function lastEntry(bucket: Bucket, folder: string): Promise<ChainEntry | undefined> {
  let found = await firstKeyBehind(bucket, folder, '');
  if (found === undefined) return undefined;
  let low = firstOffsetOf(found) as number;
  let high = OFFSETS_END;
  for (let step = 1; low + step < OFFSETS_END; step *= 2) {
    const key = await firstKeyBehind(bucket, folder, chainKey(folder, low + step));
    if (key === undefined) {
      high = low + step;
      break;
    }
    found = key;
    low = firstOffsetOf(key) as number;
  }
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const key = await firstKeyBehind(bucket, folder, chainKey(folder, middle));
    if (key === undefined) high = middle;
    else {
      found = key;
      low = firstOffsetOf(key) as number;
    }
  }
  const bytes = await bucket.get(found);
  if (bytes === undefined) {
    throw new SpanloomError('S3_FAILED', `${found} was listed but is not there`, { retryable: true });
  }
  return decodeChainEntry(bytes, found);
}

/** The first entry's key behind `key`, or in the whole folder; gap entries are passed over. */
async function firstKeyBehind(bucket: Bucket, folder: string, key: string): Promise<string | undefined> {
  for await (const object of bucket.list(folder, key === '' ? undefined : key)) {
    if (firstOffsetOf(object.key) !== undefined) return object.key;
  }
  return undefined;
}

/** Why the log cannot be the one that the entry was made from; undefined when nothing speaks against it. */
export async function mismatchWith(
  log: PartitionLog,
  entry: Pick<ChainEntry, 'end' | 'firstRecord'>,
): Promise<string | undefined> {
  const { start, end } = await log.bounds();
  if (entry.end > end) return `the chain ends at offset ${entry.end}, the log at ${end}`;
  const { firstRecord } = entry;
  // What retention has deleted cannot be compared.
  if (firstRecord.offset < start) return undefined;
  const record = await recordAt(log, firstRecord.offset, end);
  const traceId = record?.key?.latin1Slice() ?? '';
  if (record?.offset === firstRecord.offset && traceId === firstRecord.traceId) {
    if (record.timestampMs === firstRecord.appendTime) return undefined;
  }
  return `offset ${firstRecord.offset} holds another record than the one that was archived`;
}

async function recordAt(log: PartitionLog, offset: number, end: number): Promise<LogRecord | undefined> {
  for (let at = offset; at < end; ) {
    const { records, nextOffset } = await log.fetch({ offset: at, maxBytes: FETCH_BYTES, maxWaitMs: WAIT_MS });
    if (records[0] !== undefined || nextOffset <= at) return records[0];
    at = nextOffset;
  }
  return undefined;
}

/** Which objects of an entry are not there. */
export async function missingObjects(bucket: Bucket, entry: ChainEntry): Promise<string[]> {
  const missing: string[] = [];
  for (const { key } of entry.objects) if ((await bucket.head(key)) === undefined) missing.push(key);
  return missing;
}

/** Marks rows that nobody can make any more. */
export async function writeGap(
  bucket: Bucket,
  folder: string,
  entry: ChainEntry,
  missing: readonly string[],
): Promise<void> {
  const body = Buffer.from(`${JSON.stringify({ version: 1, missing }, null, 2)}\n`);
  await bucket.putIfAbsent(gapKey(folder, positionOf(entry)), body, { contentType: 'application/json' });
}

const OFFSETS_END = Number.MAX_SAFE_INTEGER;
const FETCH_BYTES = 64 * 1024;
const WAIT_MS = 100;
