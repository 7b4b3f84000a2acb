import { rm } from 'node:fs/promises';
import type { Bucket } from '../s3/bucket.ts';
import { type CompactedObject, type Compaction, compactedKey, encodeCompaction, manifestKey } from './compaction.ts';
import { type GroupLimits, groupSources } from './group-sources.ts';
import { listCompacted, listWritten, readManifest } from './list-objects.ts';
import { fetchSource, type LocalSource, type MakingContext, makeCompacted, uploadCompacted } from './make-compacted.ts';
import { type ArchiveObject, DATASETS, type Dataset, HOUR_MS } from './object-keys.ts';
import { isDefaultList, PROMOTED_DEFAULT, type PromotedList } from './promoted-setting.ts';

export interface CompactionContext extends MakingContext {
  /** SPANLOOM_PREFIX. */
  readonly prefix: string;
  /** Name and version of this program. */
  readonly writer: string;
  readonly promoted: PromotedList;
  readonly limits: GroupLimits;
}

export interface HourResult {
  readonly hourMs: number;
  /** Objects that were merged, or would be. */
  readonly sources: number;
  readonly sourceBytes: number;
  /** Objects that were written, or would be. */
  readonly objects: number;
  /** Of objects that were written. */
  readonly objectBytes: number;
}

/**
 * Merges what is written of an hour and not compacted yet, and finishes what a compaction that was killed had begun.
 * The manifest is written before its objects and only where there is none: of two compactors one decides, and the other
 * goes on from there. Sources stay; readers take a compacted object for its sources once it is there.
 */
export async function compactHour(context: CompactionContext, hourMs: number, dryRun: boolean): Promise<HourResult> {
  const result = { hourMs, sources: 0, sourceBytes: 0, objects: 0, objectBytes: 0 };
  const refused = new Set<string>();
  for (;;) {
    const hour = await readHour(context, hourMs);
    for (const compaction of hour.compactions) {
      const missing = compaction.objects.filter(({ key }) => !hour.present.has(key));
      if (missing.length === 0) continue;
      const sources = missing.flatMap((object) => object.sources);
      result.sources += sources.length;
      result.objects += missing.length;
      if (!dryRun) result.objectBytes += await finish(context, compaction, missing);
    }
    const pending = hour.pending.filter(({ key }) => !refused.has(key));
    if (pending.length === 0) return result;
    const number = (hour.compactions.at(-1)?.number ?? 0) + 1;
    if (dryRun) {
      const groups = DATASETS.flatMap((dataset) => groupsOf(context, pending, dataset));
      return { ...result, ...added(result, pending, groups.length) };
    }
    const built = await build(context, hourMs, number, pending, refused);
    if (built.compaction.objects.length === 0) return result;
    context.crashPoint('before-manifest');
    const manifest = manifestKey(context.prefix, hourMs, number);
    const body = encodeCompaction(built.compaction);
    const put = await context.bucket.putIfAbsent(manifest, body, { contentType: 'application/json' });
    context.crashPoint('after-manifest');
    if (put === 'created' || (await isOurs(context.bucket, manifest, body))) {
      for (const object of built.compaction.objects)
        result.objectBytes += await uploadCompacted(context, object, hourMs, built.files);
      const taken = new Set(built.compaction.objects.flatMap(({ sources }) => sources.map(({ key }) => key)));
      const merged = pending.filter(({ key }) => taken.has(key));
      await removeFiles(built);
      return { ...result, ...added(result, merged, built.compaction.objects.length) };
    }
    await removeFiles(built);
  }
}

interface Hour {
  readonly compactions: readonly Compaction[];
  /** Keys of compacted objects that are there. */
  readonly present: ReadonlySet<string>;
  /** Objects that no manifest names. */
  readonly pending: readonly ArchiveObject[];
}

async function readHour({ bucket, prefix, onProblem }: CompactionContext, hourMs: number): Promise<Hour> {
  const range = { sinceMs: hourMs, untilMs: hourMs + HOUR_MS };
  const quiet = () => {};
  const present = new Set<string>();
  const written: ArchiveObject[] = [];
  for (const dataset of DATASETS) {
    for (const { key } of await listCompacted(bucket, prefix, dataset, range, quiet)) present.add(key);
    written.push(...(await listWritten(bucket, prefix, dataset, range, quiet)));
  }
  const compactions: Compaction[] = [];
  for (let number = 1; ; number++) {
    const key = manifestKey(prefix, hourMs, number);
    const compaction = await readManifest(bucket, key, onProblem);
    if (compaction !== undefined) compactions.push(compaction);
    else if ((await bucket.head(key)) === undefined) break;
    // Nobody knows what a damaged one has merged, so nothing more can be.
    else return { compactions: [], present, pending: [] };
  }
  const taken = new Set(compactions.flatMap(({ objects }) => objects.flatMap((o) => o.sources.map(({ key }) => key))));
  return { compactions, present, pending: written.filter(({ key }) => !taken.has(key)) };
}

interface Built {
  readonly compaction: Compaction;
  /** Local files by the keys that they get. */
  readonly files: ReadonlyMap<string, string>;
}

/** Makes the objects before anything is said about them: a source that is damaged must not be promised. */
async function build(
  context: CompactionContext,
  hourMs: number,
  number: number,
  pending: readonly ArchiveObject[],
  refused: Set<string>,
): Promise<Built> {
  const files = new Map<string, string>();
  const objects: CompactedObject[] = [];
  const moved = new Map<string, string>();
  for (const dataset of DATASETS) {
    for (const [part, group] of groupsOf(context, pending, dataset).entries()) {
      const key = compactedKey(context.prefix, dataset, hourMs, number, part);
      const sources: LocalSource[] = [];
      for (const { key: source } of group) {
        const fetched = await fetchSource(context, source, dataset, context.promoted);
        if (typeof fetched === 'object') sources.push(fetched);
        else {
          refused.add(source);
          context.onProblem({ key: source, why: fetched });
        }
      }
      if (sources.length === 0) continue;
      if (dataset === 'spans') for (const source of sources) moved.set(source.key, key);
      const made = await makeCompacted(context, { key, dataset, sources }, moved);
      files.set(key, made.file);
      objects.push({
        key,
        dataset,
        rows: made.rows,
        rowDigest: made.rowDigest,
        sources: sources.map(({ key: source, rows }) => ({ key: source, rows })),
      });
    }
  }
  const { writer, promoted } = context;
  const columns = isDefaultList(promoted) ? {} : { promoted };
  return { compaction: { version: 1, hourMs, number, objects, ...columns, writer }, files };
}

async function removeFiles({ files }: Built): Promise<void> {
  for (const file of files.values()) await rm(file, { force: true });
}

/** Makes and uploads objects that a manifest names and that are not there. @returns bytes uploaded. */
async function finish(
  context: CompactionContext,
  { objects, hourMs, promoted = PROMOTED_DEFAULT }: Compaction,
  missing: readonly CompactedObject[],
): Promise<number> {
  const moved = new Map<string, string>();
  for (const { key, dataset, sources } of objects) {
    if (dataset === 'spans') for (const source of sources) moved.set(source.key, key);
  }
  let bytes = 0;
  for (const object of missing) {
    const sources: LocalSource[] = [];
    for (const { key } of object.sources) {
      const fetched = await fetchSource(context, key, object.dataset, promoted);
      if (typeof fetched === 'object') sources.push(fetched);
      else context.onProblem({ key: object.key, why: `it cannot be made: of its source ${key}, ${fetched}` });
    }
    if (sources.length < object.sources.length) continue;
    const made = await makeCompacted(context, { ...object, sources }, moved);
    if (made.rows === object.rows && made.rowDigest === object.rowDigest) {
      bytes += await uploadCompacted(context, object, hourMs, new Map([[object.key, made.file]]));
    } else context.onProblem({ key: object.key, why: 'it cannot be made: its sources hold other rows than before' });
    await rm(made.file, { force: true });
  }
  return bytes;
}

/** After a time-out the store may answer that there is one already: the one of this very call. */
async function isOurs(bucket: Bucket, key: string, body: Uint8Array): Promise<boolean> {
  const found = await bucket.get(key);
  return found !== undefined && Buffer.from(found).equals(body);
}

function groupsOf({ limits }: CompactionContext, pending: readonly ArchiveObject[], dataset: Dataset) {
  return groupSources(
    pending.filter((object) => object.dataset === dataset),
    limits,
  );
}

function added(result: HourResult, sources: readonly ArchiveObject[], objects: number) {
  return {
    sources: result.sources + sources.length,
    sourceBytes: result.sourceBytes + sources.reduce((sum, { bytes }) => sum + bytes, 0),
    objects: result.objects + objects,
  };
}
