import { SpanloomError } from '../errors/spanloom-error.ts';
import type { Bucket } from '../s3/bucket.ts';
import { type ChainEntry, decodeChainEntry, firstOffsetOf, type GapEntry, gapKey } from './chain.ts';

/** An entry with where it stands. */
export interface ChainLink {
  readonly clusterId: string;
  readonly generation: number;
  readonly key: string;
  readonly entry: ChainEntry;
  /** Set when the entry's rows were lost before they were written. */
  readonly gap: GapEntry | undefined;
}

/**
 * The chain below `prefix`, partition after partition in the order of offsets.
 * @param isWanted asked with the key of each entry; those that are not wanted are not fetched.
 * @throws SpanloomError ARCHIVE_CHAIN_BROKEN when an entry cannot be read or does not begin where the one before ends.
 */
export async function* readChain(
  bucket: Bucket,
  prefix: string,
  isWanted: (key: string) => boolean = () => true,
): AsyncGenerator<ChainLink> {
  let folder = '';
  let expected: number | undefined;
  const gaps = new Set<string>();
  const keys: string[] = [];
  for await (const { key } of bucket.list(`${prefix}/_chain/`))
    key.endsWith('.gap.json') ? gaps.add(key) : keys.push(key);
  for (const key of keys) {
    const first = firstOffsetOf(key);
    const place = /\/_chain\/([^/]+)\/(\d+)\/p=\d+\/[^/]+$/.exec(key);
    if (first === undefined || place === null || !isWanted(key)) continue;
    const ownFolder = key.slice(0, key.lastIndexOf('/') + 1);
    if (ownFolder !== folder) {
      folder = ownFolder;
      expected = undefined;
    }
    const bytes = await bucket.get(key);
    if (bytes === undefined) throw broken(`${key} was listed but is not there`);
    const entry = decodeChainEntry(bytes, key);
    const begins = entry.gapBefore?.from ?? entry.first;
    if (expected !== undefined && begins !== expected) throw broken(`${key} begins at ${begins}, expected ${expected}`);
    expected = entry.end;
    const gap = gaps.has(gapKey(folder, first)) ? await readGap(bucket, gapKey(folder, first)) : undefined;
    yield { clusterId: place[1] as string, generation: Number(place[2]), key, entry, gap };
  }
}

/** Rows of a dataset that the chain accounts for, those lost to gaps left out. */
export async function archivedRows(bucket: Bucket, prefix: string, dataset: 'spans' | 'traces'): Promise<number> {
  let rows = 0;
  for await (const { entry, gap } of readChain(bucket, prefix)) {
    for (const object of entry.objects) {
      if (object.dataset === dataset && !gap?.missing.includes(object.key)) rows += object.rows;
    }
  }
  return rows;
}

async function readGap(bucket: Bucket, key: string): Promise<GapEntry | undefined> {
  const bytes = await bucket.get(key);
  return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as GapEntry);
}

function broken(sentence: string): SpanloomError {
  return new SpanloomError('ARCHIVE_CHAIN_BROKEN', sentence);
}
