import type { Bucket } from '../s3/bucket.ts';
import { INDEX_BYTES_FULL, isWholeIndex, readHead, withObject } from './id-index.ts';
import { idIndexFolder, idIndexKey, indexedName, indexPlace, parseIdIndexKey } from './id-index-keys.ts';
import type { ArchiveObject } from './object-keys.ts';

/**
 * Keeps the indexes of trace ids of one partition, or of compacted objects. An index is overwritten with each object that
 * it takes in. Nothing rests on it: two writers of one partition may overwrite each other, and what an index does not
 * know is asked itself.
 */
export class IdIndexWriter {
  private readonly bucket: Bucket;
  private readonly prefix: string;
  /** The newest index of each source and day, as it is in the bucket. */
  private readonly open = new Map<string, OpenIndex>();

  constructor(bucket: Bucket, prefix: string) {
    this.bucket = bucket;
    this.prefix = prefix;
  }

  /** @param hashes of all ids in it, as `hashOfTraceId` makes them. */
  async add(object: Pick<ArchiveObject, 'key' | 'hourMs'>, hashes: Uint32Array): Promise<void> {
    const place = indexPlace(object);
    if (place === undefined) return;
    const name = indexedName(this.prefix, object.key);
    const newest = await this.newest(place);
    if (newest !== undefined && readHead(newest.index).names.includes(name)) return;
    const next = nextIndex(newest, idIndexKey(this.prefix, place), name, hashes);
    if (next === undefined) return;
    // What a failed put has left is not known.
    this.hold(`${place.day}${place.source}`, undefined);
    await this.bucket.put(next.key, next.index, { contentType: 'application/octet-stream' });
    this.hold(`${place.day}${place.source}`, next);
  }

  private async newest({ day, source }: { day: string; source: string }) {
    const held = this.open.get(`${day}${source}`);
    if (held !== undefined) return held;
    let newest: string | undefined;
    for await (const { key } of this.bucket.list(`${idIndexFolder(this.prefix)}${day}${source}-`)) {
      if (parseIdIndexKey(this.prefix, key)?.source === source) newest = key;
    }
    const bytes = newest === undefined ? undefined : await this.bucket.get(newest);
    if (newest === undefined || bytes === undefined) return undefined;
    const index = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    // A damaged one is left, and another begun.
    return isWholeIndex(index) ? { key: newest, index } : undefined;
  }

  /** Days at most: a client with a broken clock makes traces of many. */
  private hold(name: string, index: OpenIndex | undefined): void {
    this.open.delete(name);
    if (index !== undefined) this.open.set(name, index);
    for (const oldest of this.open.keys()) if (this.open.size > HELD_MAX) this.open.delete(oldest);
  }
}

/** Undefined when the object has no room: its key would be that of a full index, of objects at the same position. */
function nextIndex(
  newest: OpenIndex | undefined,
  newKey: string,
  name: string,
  hashes: Uint32Array,
): OpenIndex | undefined {
  if (newest !== undefined && (newest.index.length < INDEX_BYTES_FULL || newest.key === newKey)) {
    const index = withObject(newest.index, name, hashes);
    if (index !== undefined) return { key: newest.key, index };
  }
  if (newest?.key === newKey) return undefined;
  return { key: newKey, index: withObject(undefined, name, hashes) as Buffer };
}

interface OpenIndex {
  readonly key: string;
  readonly index: Buffer;
}

const HELD_MAX = 3;
