import {
  type ChainEntry,
  chainFolder,
  chainKey,
  decodeChainEntry,
  firstOffsetOf,
  gapKey,
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
  /** The last entry, whose objects may not be there yet; undefined when the chain is empty. */
  readonly last: ChainEntry | undefined;
  /** Why the chain that was there belongs to another log. */
  readonly replaced: string | undefined;
}

/** Finds the end of a partition's chain, and makes sure that it speaks of this log. */
export async function openChain(bucket: Bucket, log: PartitionLog, place: ChainPlace): Promise<OpenedChain> {
  const generation = await newestGeneration(bucket, place);
  const folder = chainFolder(place.prefix, place.clusterId, generation, place.partition);
  const last = await lastEntry(bucket, folder);
  const mismatch = last === undefined ? undefined : await mismatchWith(log, last);
  if (mismatch === undefined) return { generation, folder, last, replaced: undefined };
  const next = generation + 1;
  const nextFolder = chainFolder(place.prefix, place.clusterId, next, place.partition);
  return { generation: next, folder: nextFolder, last: undefined, replaced: mismatch };
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
async function mismatchWith(log: PartitionLog, entry: ChainEntry): Promise<string | undefined> {
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

/** Marks rows that nobody can make any more. */
export async function writeGap(
  bucket: Bucket,
  folder: string,
  first: number,
  missing: readonly string[],
): Promise<void> {
  const body = Buffer.from(`${JSON.stringify({ version: 1, missing }, null, 2)}\n`);
  await bucket.putIfAbsent(gapKey(folder, first), body, { contentType: 'application/json' });
}

const OFFSETS_END = Number.MAX_SAFE_INTEGER;
const FETCH_BYTES = 64 * 1024;
const WAIT_MS = 100;
