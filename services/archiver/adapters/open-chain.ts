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
import type { NamedLog } from '../../../lib/kafka/types.ts';
import type { Bucket } from '../../../lib/s3/bucket.ts';
import { mismatchWith } from './same-log.ts';

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
  /** The last entry of each generation before: what they name and was never written, nobody can make any more. */
  readonly abandoned: readonly { readonly folder: string; readonly entry: ChainEntry }[];
}

/** Finds the end of a partition's chain, and makes sure that it speaks of this log. */
export async function openChain(bucket: Bucket, log: NamedLog, place: ChainPlace): Promise<OpenedChain> {
  const newest = await newestGeneration(bucket, place);
  const folderOf = (one: number) => chainFolder(place.prefix, place.clusterId, one, place.partition);
  const found = await lastEntry(bucket, folderOf(newest));
  const replaced = found === undefined ? undefined : await mismatchWith(log, found);
  const generation = replaced === undefined ? newest : newest + 1;
  const last = replaced === undefined ? found : undefined;
  const abandoned: { folder: string; entry: ChainEntry }[] = [];
  for (let before = 1; before < generation; before++) {
    const entry = await lastEntry(bucket, folderOf(before));
    if (entry !== undefined) abandoned.push({ folder: folderOf(before), entry });
  }
  return { generation, folder: folderOf(generation), last, replaced, abandoned };
}

async function newestGeneration(bucket: Bucket, place: ChainPlace): Promise<number> {
  for (let generation = 1; ; generation++) {
    if (!(await hasGeneration(bucket, place, generation + 1))) return generation;
  }
}

/** Whether anybody has begun this generation of a partition's chain. */
export async function hasGeneration(
  bucket: Bucket,
  { prefix, clusterId, partition }: ChainPlace,
  generation: number,
): Promise<boolean> {
  return (await firstKeyBehind(bucket, chainFolder(prefix, clusterId, generation, partition), '')) !== undefined;
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

/** Which objects of an entry are not there. */
export async function missingObjects(bucket: Bucket, entry: ChainEntry): Promise<string[]> {
  const missing: string[] = [];
  for (const { key } of entry.objects) if ((await bucket.head(key)) === undefined) missing.push(key);
  return missing;
}

/** Whether rows of the entry are marked as lost. */
export async function hasGap(bucket: Bucket, folder: string, entry: ChainEntry): Promise<boolean> {
  return (await bucket.head(gapKey(folder, positionOf(entry)))) !== undefined;
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
