import { createHash } from 'node:crypto';
import { firstOffsetOf } from '../../lib/archive/chain.ts';
import { DATASETS, datasetFolders, isPutUnderWay } from '../../lib/archive/object-keys.ts';
import { PROMOTED_DEFAULT } from '../../lib/archive/promoted-setting.ts';
import { type ChainLink, readChain } from '../../lib/archive/read-chain.ts';
import type { TimedLog } from '../../lib/kafka/partition-log.ts';
import type { Bucket } from '../../lib/s3/bucket.ts';
import { buildRange } from '../../services/archiver/core/build-range.ts';
import { OpenRange } from '../../services/archiver/core/range.ts';
import { ArchiveTiling, type RebuiltObjects } from './archive-tiling.ts';
import type { StageContext, StageResult } from './context.ts';
import { newExtent } from './extent.ts';
import { readLog } from './read-log.ts';

/** Trace records against the entries of the chain, and these against the objects in the bucket. */
export async function auditArchive(context: StageContext, bucket: Bucket): Promise<StageResult> {
  const { topics, prefix, extent, isRound } = context;
  const tiling = new ArchiveTiling();
  const next = { ...newExtent(), from: new Map(extent.from) };
  const isWanted = (key: string) => (firstOffsetOf(key) ?? 0) >= (extent.from.get(folderOf(key)) ?? 0);
  const links: ChainLink[] = [];
  for await (const link of readChain(bucket, prefix, isWanted)) links.push(link);
  const listed = isRound ? undefined : await objectsIn(bucket, prefix);
  const exists = await present(links, bucket, listed);
  const newest = newestGenerations(links);
  for (const [partition, log] of (await context.open(topics.traces)).entries()) {
    const { start, end } = await log.bounds();
    const place = `${topics.traces}/${partition}`;
    let archived = start;
    for (const link of links.filter(({ entry }) => entry.partition === partition)) {
      const { entry, key, gap } = link;
      const isNewest = newest.get(partition) === link.generation;
      next.from.set(folderOf(key), entry.end);
      if (isNewest) archived = Math.max(archived, entry.end);
      const isAsked = entry.first >= (extent.from.get(place) ?? 0) && entry.end <= (extent.to.get(place) ?? entry.end);
      if (!isAsked) {
        tiling.leaveOut(entry);
        continue;
      }
      if (isNewest && entry.gapBefore !== null) tiling.findings.gap += entry.gapBefore.to - entry.gapBefore.from;
      const isRetained = isNewest && entry.first >= start && entry.end <= end;
      tiling.check(key, entry, isRetained ? await rebuilt(link, log, prefix) : undefined, exists, gap?.missing ?? []);
    }
    // A round that saw no new entry knows from the one before where the chain ends.
    for (const [folder, at] of next.from) if (isOfNewest(folder, partition, newest)) archived = Math.max(archived, at);
    if (extent.to.has(place)) continue;
    for await (const records of readLog(log, archived, end)) tiling.findings.open += records.length;
  }
  if (listed !== undefined) await checkListed(context, bucket, links, listed, tiling);
  return { findings: tiling.findings, next };
}

/** What the archiver's code makes of the same records. */
async function rebuilt(
  { entry, clusterId, generation }: ChainLink,
  log: TimedLog,
  prefix: string,
): Promise<RebuiltObjects> {
  const range = new OpenRange(entry.first, entry.gapBefore);
  for await (const records of readLog(log, entry.first, entry.end)) range.add(records, entry.end, 0);
  const { topic, partition, partitions, writer, format = 'parquet', promoted = PROMOTED_DEFAULT } = entry;
  const decided = { partitions, promoted, isDecided: true };
  const place = { prefix, clusterId, generation, topic, partition, writer, format, ...decided };
  const built = range.records.length === 0 ? [] : buildRange(range, place, PORTS).entry.objects;
  return new Map(built.map(({ key, rows, digest: sum }) => [key, { rows, digest: sum }]));
}

/** Every object that anyone finds who lists the bucket must be named; what came while this ran names its own. */
async function checkListed(
  { prefix }: StageContext,
  bucket: Bucket,
  links: readonly ChainLink[],
  listed: Set<string>,
  tiling: ArchiveTiling,
): Promise<void> {
  const before = new Set(links.flatMap(({ entry }) => entry.objects.map(({ key }) => key)));
  for await (const { entry } of readChain(bucket, prefix)) {
    for (const { key } of entry.objects) if (!before.has(key)) listed.delete(key);
  }
  tiling.checkListed(listed);
}

async function objectsIn(bucket: Bucket, prefix: string): Promise<Set<string>> {
  const listed = new Set<string>();
  for (const folder of DATASETS.flatMap((dataset) => datasetFolders(prefix, dataset))) {
    for await (const { key } of bucket.list(folder)) if (!isPutUnderWay(key)) listed.add(key);
  }
  return listed;
}

/**
 * Which named objects are there: by the list, or by asking for each. An archiver names its objects first and writes them
 * after that, one entry of a partition after another, so those of the newest entry may still be under way, also while an
 * archiver that was killed in between is started again.
 */
async function present(
  links: readonly ChainLink[],
  bucket: Bucket,
  listed: Set<string> | undefined,
): Promise<(key: string) => boolean> {
  const found = listed ?? new Set<string>();
  const newest = new Set(new Map(links.map((link) => [folderOf(link.key), link])).values());
  let missing: string[] = [];
  for (const link of links) {
    for (const { key } of link.entry.objects) {
      if (found.has(key) || link.gap?.missing.includes(key)) continue;
      if (listed === undefined && (await bucket.head(key)) !== undefined) found.add(key);
      else if (newest.has(link)) missing.push(key);
    }
  }
  for (const deadline = performance.now() + UNDER_WAY_MS_MAX; missing.length > 0 && performance.now() < deadline; ) {
    for (const key of missing) if ((await bucket.head(key)) !== undefined) found.add(key);
    missing = missing.filter((key) => !found.has(key));
    if (missing.length > 0) await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return (key) => found.has(key);
}

function newestGenerations(links: readonly ChainLink[]): Map<number, number> {
  const newest = new Map<number, number>();
  for (const { entry, generation } of links) {
    newest.set(entry.partition, Math.max(generation, newest.get(entry.partition) ?? 0));
  }
  return newest;
}

/** Of an entry: all entries in it are one chain. */
function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

function isOfNewest(folder: string, partition: number, newest: ReadonlyMap<number, number>): boolean {
  const match = /\/(\d+)\/p=(\d+)\/$/.exec(folder);
  if (match === null || Number(match[2]) !== partition) return false;
  return (newest.get(partition) ?? Number(match[1])) === Number(match[1]);
}

/** Longer than the group's session and a restart. */
const UNDER_WAY_MS_MAX = 20_000;

function writesNothing(): never {
  throw new Error('the audit writes nothing');
}

function digest(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

const PORTS = { digest, encodeParquet: writesNothing, encodeOtlp: writesNothing };
