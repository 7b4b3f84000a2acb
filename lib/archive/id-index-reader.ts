import { SpanloomError } from '../errors/spanloom-error.ts';
import type { Bucket } from '../s3/bucket.ts';
import { bucketOf, HEAD_BYTES, hashOfTraceId, namesWith, readHead } from './id-index.ts';
import { dayPath, type IndexPlace, idIndexFolder, indexedName, indexPlace, parseIdIndexKey } from './id-index-keys.ts';
import type { OnProblem } from './list-objects.ts';
import { type ArchiveObject, isPutUnderWay, type TimeRange } from './object-keys.ts';

/** Finds out, by the indexes of trace ids, which objects of traces need not be asked. */
export interface IdIndexes {
  /** Those of the objects that may hold the trace: the others do not for certain. */
  candidates<T extends ArchiveObject>(objects: readonly T[], traceId: string): Promise<T[]>;
}

/** Lists the indexes of the days. An index that cannot be read is told to `onProblem`; its objects all are candidates. */
export async function openIdIndexes(
  bucket: Bucket,
  prefix: string,
  range: TimeRange,
  onProblem: OnProblem,
): Promise<IdIndexes> {
  const listed = await listIndexes(bucket, prefix, range, onProblem);
  const ask = async (index: ListedIndex, hash: number): Promise<Answer> => {
    try {
      // Between two requests it may be overwritten, with which they do not fit together: then once more.
      return await askIndex(bucket, index, hash).catch(() => askIndex(bucket, index, hash));
    } catch (error) {
      if (error instanceof SpanloomError) throw error;
      const why = error instanceof Error ? error.message : error;
      onProblem({ key: index.key, why: `it cannot be read, so each of its objects is asked: ${why}` });
      return { knows: [], found: new Set() };
    }
  };
  return {
    async candidates(objects, traceId) {
      const hash = hashOfTraceId(traceId);
      const chosen = new Set<ListedIndex>();
      for (const [source, own] of Map.groupBy(objects, (object) => indexPlace(object)?.source)) {
        // Asking one or two objects is no more than asking an index.
        if (source === undefined || own.length < WORTH_OBJECTS) continue;
        for (const object of own) {
          const index = indexOf(listed, indexPlace(object) as IndexPlace);
          if (index !== undefined) chosen.add(index);
        }
      }
      const known = new Set<string>();
      const found = new Set<string>();
      const indexes = [...chosen];
      for (let i = 0; i < indexes.length; i += INDEXES_AT_A_TIME) {
        const some = indexes.slice(i, i + INDEXES_AT_A_TIME);
        for (const answer of await Promise.all(some.map((index) => ask(index, hash)))) {
          for (const name of answer.knows) known.add(name);
          for (const name of answer.found) found.add(name);
        }
      }
      return objects.filter(({ key }) => {
        const name = indexedName(prefix, key);
        return !known.has(name) || found.has(name);
      });
    },
  };
}

interface ListedIndex {
  readonly key: string;
  readonly place: IndexPlace;
}

interface Answer {
  readonly knows: readonly string[];
  readonly found: ReadonlySet<string>;
}

async function listIndexes(
  bucket: Bucket,
  prefix: string,
  { sinceMs, untilMs }: TimeRange,
  onProblem: OnProblem,
): Promise<ListedIndex[]> {
  const folder = idIndexFolder(prefix);
  const last = dayPath(untilMs - 1);
  const listed: ListedIndex[] = [];
  for await (const { key } of bucket.list(folder, `${folder}${dayPath(sinceMs)}`)) {
    if (key.slice(folder.length, folder.length + last.length) > last) break;
    const place = parseIdIndexKey(prefix, key);
    if (place !== undefined) listed.push({ key, place });
    else if (!isPutUnderWay(key)) onProblem({ key, why: 'its name is none of an index of trace ids' });
  }
  return listed;
}

/** The last one that was begun at the object or before it: if any knows it, that does. */
function indexOf(listed: readonly ListedIndex[], { source, day, position }: IndexPlace): ListedIndex | undefined {
  return listed.findLast(({ place }) => place.source === source && place.day === day && place.position <= position);
}

async function askIndex(bucket: Bucket, { key }: ListedIndex, hash: number): Promise<Answer> {
  const read = async (start: number, end: number) => {
    const found = await bucket.getRange(key, start, end);
    if (found === undefined) throw new Error('it was listed but is not there');
    return Buffer.from(found.buffer, found.byteOffset, found.length);
  };
  const start = await read(0, HEAD_BYTES);
  const head = readHead(start);
  const extent = bucketOf(hash, head);
  const isRead = extent.end <= start.length;
  const entries = isRead ? start.subarray(extent.start, extent.end) : await read(extent.start, extent.end);
  return { knows: head.names, found: namesWith(hash, entries, head) };
}

const WORTH_OBJECTS = 3;
const INDEXES_AT_A_TIME = 8;
