import type { Bucket } from '../s3/bucket.ts';
import { type Compaction, compactedFolder, decodeCompaction, manifestKey, parseCompactedKey } from './compaction.ts';
import {
  type ArchiveObject,
  type Dataset,
  datasetFolders,
  HOUR_MS,
  hourOf,
  hourPath,
  isPutUnderWay,
  parseObjectKey,
  type TimeRange,
} from './object-keys.ts';

/**
 * The objects that together hold each row of the hours once, oldest hour first: a compacted object stands for its
 * sources from the moment that it is there. A request for every 1000 objects, and one for each compaction.
 * @param onProblem is told of each object that neither an archiver nor a compaction wrote.
 */
export async function listObjects(
  bucket: Bucket,
  prefix: string,
  dataset: Dataset,
  range: TimeRange,
  onProblem: OnProblem,
): Promise<ArchiveObject[]> {
  // In this order: what is compacted in between is read from its sources, which stay.
  const compacted = await listCompacted(bucket, prefix, dataset, range, onProblem);
  const written = await listWritten(bucket, prefix, dataset, range, onProblem);
  if (compacted.length === 0) return written;
  const manifests = await compactionsOf(bucket, prefix, compacted, onProblem);
  return chooseObjects(written, compacted, manifests, onProblem);
}

/** Pure part of `listObjects`. */
export function chooseObjects(
  written: readonly ArchiveObject[],
  compacted: readonly ArchiveObject[],
  compactions: readonly Compaction[],
  onProblem: OnProblem,
): ArchiveObject[] {
  const named = new Map(compactions.flatMap(({ objects }) => objects.map((object) => [object.key, object] as const)));
  const replaced = new Set<string>();
  const chosen: ArchiveObject[] = [];
  for (const object of compacted) {
    const entry = named.get(object.key);
    if (entry === undefined) {
      onProblem({ key: object.key, why: 'no manifest names it' });
      continue;
    }
    chosen.push(object);
    for (const { key } of entry.sources) replaced.add(key);
  }
  chosen.push(...written.filter(({ key }) => !replaced.has(key)));
  return chosen.sort((a, b) => a.hourMs - b.hourMs);
}

/** Objects that archivers wrote, compacted or not. */
export async function listWritten(
  bucket: Bucket,
  prefix: string,
  dataset: Dataset,
  range: TimeRange,
  onProblem: OnProblem,
): Promise<ArchiveObject[]> {
  const parse = (key: string, bytes: number) => {
    const object = parseObjectKey(prefix, dataset, key, bytes);
    if (object === undefined && !isPutUnderWay(key)) {
      onProblem({ key, why: 'its name is none that an archiver gives' });
    }
    return object;
  };
  const folders = datasetFolders(prefix, dataset);
  return (await Promise.all(folders.map((folder) => listHours(bucket, folder, range, parse)))).flat();
}

/** Compacted objects that are there. */
export function listCompacted(
  bucket: Bucket,
  prefix: string,
  dataset: Dataset,
  range: TimeRange,
  onProblem: OnProblem,
): Promise<CompactedListing[]> {
  const folder = compactedFolder(prefix, dataset);
  return listHours(bucket, folder, range, (key, bytes) => {
    const object = parseCompactedKey(prefix, dataset, key, bytes);
    if (object === undefined && !isPutUnderWay(key) && !key.endsWith('.json')) {
      onProblem({ key, why: 'its name is none that a compaction gives' });
    }
    return object;
  });
}

export type CompactedListing = NonNullable<ReturnType<typeof parseCompactedKey>>;

/** The compactions that objects belong to. */
async function compactionsOf(
  bucket: Bucket,
  prefix: string,
  objects: readonly CompactedListing[],
  onProblem: OnProblem,
): Promise<Compaction[]> {
  const keys = [...new Set(objects.map(({ hourMs, compaction }) => manifestKey(prefix, hourMs, compaction)))];
  const found: Compaction[] = [];
  for (let i = 0; i < keys.length; i += REQUESTS_AT_A_TIME) {
    const some = keys.slice(i, i + REQUESTS_AT_A_TIME);
    const read = await Promise.all(some.map((key) => readManifest(bucket, key, onProblem)));
    found.push(...read.filter((each) => each !== undefined));
  }
  return found;
}

/** @returns undefined when it is not there or damaged; the latter is told to `onProblem`. */
export async function readManifest(bucket: Bucket, key: string, onProblem: OnProblem): Promise<Compaction | undefined> {
  const bytes = await bucket.get(key);
  if (bytes === undefined) return undefined;
  try {
    return decodeCompaction(bytes, key);
  } catch (error) {
    onProblem({ key, why: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}

async function listHours<T>(
  bucket: Bucket,
  folder: string,
  { sinceMs, untilMs }: TimeRange,
  parse: (key: string, bytes: number) => T | undefined,
): Promise<T[]> {
  const found: T[] = [];
  const behind = `${folder}${hourPath(hourOf(untilMs - 1) + HOUR_MS)}`;
  for await (const { key, bytes } of bucket.list(folder, `${folder}${hourPath(hourOf(sinceMs))}`)) {
    if (key >= behind) break;
    const object = parse(key, bytes);
    if (object !== undefined) found.push(object);
  }
  return found;
}

/** An object that a reader leaves out, and why. */
export interface ObjectProblem {
  readonly key: string;
  readonly why: string;
}

export type OnProblem = (problem: ObjectProblem) => void;

const REQUESTS_AT_A_TIME = 16;
