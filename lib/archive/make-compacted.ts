import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hasCode, SpanloomError } from '../errors/spanloom-error.ts';
import type { Bucket } from '../s3/bucket.ts';
import type { CompactedObject } from './compaction.ts';
import { diskError } from './disk-error.ts';
import type { IdIndexWriter } from './id-index-writer.ts';
import type { OnProblem } from './list-objects.ts';
import { mergeParquet } from './merge-parquet.ts';
import { type Dataset, isOtlpKey } from './object-keys.ts';
import { parquetOfOtlp } from './otlp-read.ts';
import type { PromotedList } from './promoted-setting.ts';
import type { WholeReader } from './read-whole.ts';

export interface MakingContext {
  readonly bucket: Bucket;
  /** Local folder of this process alone, for one hour's objects. */
  readonly folder: string;
  readonly reader: WholeReader;
  /** Of trace ids, for what is compacted. */
  readonly index: IdIndexWriter;
  readonly onProblem: OnProblem;
  /** Where a test may kill the process. */
  crashPoint(name: string): void;
}

/** A copy of an object that is to be merged. */
export interface LocalSource {
  readonly key: string;
  readonly file: string;
  readonly rows: number;
}

/** @param promoted attributes that have columns of what was archived as OTLP. @returns a sentence when it cannot be used. */
export async function fetchSource(
  { bucket, folder, reader }: MakingContext,
  key: string,
  dataset: Dataset,
  promoted: PromotedList,
): Promise<LocalSource | string> {
  const bytes = await bucket.get(key);
  if (bytes === undefined) return 'it is not there';
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, key.replaceAll('/', '~'));
  try {
    await writeFile(file, isOtlpKey(key) ? await parquetOfOtlp(bytes, promoted) : bytes);
    return { key, file, rows: (await reader.read([file], dataset)).rows };
  } catch (cause) {
    await rm(file, { force: true });
    const error = diskError(cause, isFullOf(folder));
    if (hasCode(error, 'ARCHIVE_DISK_FULL')) throw error;
    return `it cannot be read: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]?.replaceAll(file, 'it')}`;
  }
}

/**
 * Merges sources, which are removed, and makes sure that every row came through.
 * @param moved where the rows of spans objects are now, by the keys that `spans_object` names.
 */
export async function makeCompacted(
  { folder, reader }: MakingContext,
  target: { key: string; dataset: Dataset; sources: readonly LocalSource[] },
  moved: ReadonlyMap<string, string>,
): Promise<{ file: string; rows: number; rowDigest: string }> {
  const { dataset, key } = target;
  const files = target.sources.map(({ file }) => file);
  const file = path.join(folder, key.replaceAll('/', '~'));
  const own = new Map(
    target.sources
      .flatMap(({ key: source }) => (dataset === 'traces' ? spansOf(source) : [source]))
      .flatMap((source) => pairOf(moved, source)),
  );
  await mergeParquet({ dataset, files, target: file, moved: own }, folder).catch((error: unknown) => {
    throw diskError(error, isFullOf(folder));
  });
  // Every column of every row must have come through, but for the one that is to be another.
  const without = dataset === 'traces' ? ['spans_object'] : [];
  const before = await reader.read(files, dataset, without);
  const after = await reader.read([file], dataset, without);
  if (before.rows !== after.rows || before.hash !== after.hash) {
    throw new SpanloomError('ARCHIVE_COMPACTION_WRONG', `Merging ${key} has changed rows; nothing was written of it`);
  }
  for (const source of files) await rm(source, { force: true });
  return { file, ...(await reader.digest(file, dataset)) };
}

/** @returns bytes written, or there already. */
export async function uploadCompacted(
  { bucket, crashPoint, reader, index }: MakingContext,
  { key, dataset }: CompactedObject,
  hourMs: number,
  files: ReadonlyMap<string, string>,
): Promise<number> {
  const file = files.get(key) as string;
  await bucket.putIfAbsent(key, await readFile(file), { contentType: 'application/vnd.apache.parquet' });
  crashPoint('after-object');
  // Several objects of an hour are one after another in the index of their day.
  if (dataset === 'traces') await index.add({ key, hourMs }, await reader.idHashes(file));
  return (await stat(file)).size;
}

function isFullOf(folder: string): string {
  return `${folder} is full; free some, or set TMPDIR to a folder with room for an hour of objects, three times over`;
}

/** What the spans object of the same range and hour as an object of traces may be called. */
function spansOf(tracesKey: string): string[] {
  const place = tracesKey.replace(/\.parquet$/, '');
  return [
    `${place.replace('/traces/v1/', '/spans/v1/')}.parquet`,
    `${place.replace('/traces/v1/', '/spans_otlp/v1/')}.otlp.zst`,
  ];
}

function pairOf(map: ReadonlyMap<string, string>, key: string): [string, string][] {
  const to = map.get(key);
  return to === undefined ? [] : [[key, to]];
}
