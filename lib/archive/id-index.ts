import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { murmur2 } from '../kafka/murmur2.ts';

/*
 * An index of trace ids: which of some objects of the traces dataset may hold an id, read by two range requests of a few
 * kilobytes. Three bytes for each trace and object; see docs/design/archive-read.md.
 *
 *   8        magic
 *   4, 4     bytes and CRC-32 of the names, little-endian as all numbers
 *   256 × 8  for each bucket: how many entries it has, and their CRC-32
 *            names: zstd of a JSON list
 *            entries: for each bucket in turn, 3 bytes each: 16 bits of the hash, place of the name in the list
 *
 * The upper 8 bits of an id's hash are its bucket, the lower 16 its mark. So an index of 100 000 traces takes 0.6 % of
 * absent ids for present.
 */

/** 32 bits of a trace id, other ones than its partition is made of. @param traceId 32 hex digits. */
export function hashOfTraceId(traceId: string): number {
  return murmur2(Buffer.from(traceId, 'hex'), 0, 16) >>> 0;
}

/**
 * An index with one object more.
 * @param index what it is added to; none begins a new one.
 * @param hashes of all trace ids in the object.
 * @returns undefined when the index has as many objects as it can.
 * @throws Error when `index` is damaged.
 */
export function withObject(index: Buffer | undefined, name: string, hashes: Uint32Array): Buffer | undefined {
  const head = index === undefined ? EMPTY : readHead(index);
  if (head.names.length === NAMES_MAX) return undefined;
  const place = head.names.length;
  const added: number[][] = Array.from({ length: BUCKETS }, () => []);
  for (const hash of hashes) (added[hash >>> 24] as number[]).push(hash & 0xffff);
  const names = zstdCompressSync(Buffer.from(JSON.stringify([...head.names, name])));
  const start = FIXED_BYTES + names.length;
  const all = Buffer.allocUnsafe(start + head.entriesBytes + hashes.length * ENTRY_BYTES);
  all.write(MAGIC, 0, 'latin1');
  all.writeUInt32LE(names.length, 8);
  all.writeUInt32LE(crc32(names), 12);
  all.set(names, FIXED_BYTES);
  let end = start;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const from = end;
    if (index !== undefined) {
      const extent = head.buckets[bucket] as BucketExtent;
      end += checked(index.subarray(extent.start, extent.end), extent).copy(all, end);
    }
    for (const mark of added[bucket] as number[]) {
      all.writeUInt16LE(mark, end);
      all[end + 2] = place;
      end += ENTRY_BYTES;
    }
    all.writeUInt32LE((end - from) / ENTRY_BYTES, BUCKETS_AT + 8 * bucket);
    all.writeUInt32LE(crc32(all.subarray(from, end)), BUCKETS_AT + 8 * bucket + 4);
  }
  return all;
}

export interface IndexHead {
  /** Objects that it knows all ids of, in the order of their places. */
  readonly names: readonly string[];
  readonly buckets: readonly BucketExtent[];
  readonly entriesBytes: number;
}

export interface BucketExtent {
  /** Bytes [start, end) of the index. */
  readonly start: number;
  readonly end: number;
  readonly crc: number;
}

/** @param start at least HEAD_BYTES of the index, or all of it. @throws Error when it is damaged or none. */
export function readHead(start: Buffer): IndexHead {
  if (start.length < FIXED_BYTES || start.latin1Slice(0, 8) !== MAGIC) throw new Error('it is no index of trace ids');
  const namesEnd = FIXED_BYTES + start.readUInt32LE(8);
  const packed = start.subarray(FIXED_BYTES, namesEnd);
  if (namesEnd > start.length || crc32(packed) !== start.readUInt32LE(12)) throw new Error('its names are damaged');
  const names = JSON.parse(zstdDecompressSync(packed).toString()) as string[];
  let end = namesEnd;
  const buckets = Array.from({ length: BUCKETS }, (_, bucket) => {
    const from = end;
    end += start.readUInt32LE(BUCKETS_AT + 8 * bucket) * ENTRY_BYTES;
    return { start: from, end, crc: start.readUInt32LE(BUCKETS_AT + 8 * bucket + 4) };
  });
  return { names, buckets, entriesBytes: end - namesEnd };
}

/** Where the entries of this hash are. */
export function bucketOf(hash: number, { buckets }: IndexHead): BucketExtent {
  return buckets[hash >>> 24] as BucketExtent;
}

/** Names of the objects that may hold the id. @param entries the bucket's. @throws Error when they are damaged. */
export function namesWith(hash: number, entries: Buffer, head: IndexHead): Set<string> {
  checked(entries, bucketOf(hash, head));
  const mark = hash & 0xffff;
  const found = new Set<string>();
  for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
    if (entries.readUInt16LE(at) === mark) found.add(head.names[entries[at + 2] as number] as string);
  }
  return found;
}

/** Whether nothing of it is damaged. */
export function isWholeIndex(index: Buffer): boolean {
  try {
    for (const extent of readHead(index).buckets) checked(index.subarray(extent.start, extent.end), extent);
    return true;
  } catch {
    return false;
  }
}

function checked(entries: Buffer, { start, end, crc }: BucketExtent): Buffer {
  if (entries.length === end - start && crc32(entries) === crc) return entries;
  throw new Error('its entries are damaged');
}

/** The first request: names of 255 objects take less than a quarter of it. */
export const HEAD_BYTES = 16 * 1024;
/** An index that is larger takes no more objects, so that each range writes little anew. */
export const INDEX_BYTES_FULL = 400 * 1024;

const MAGIC = 'spanids1';
const BUCKETS = 256;
const BUCKETS_AT = 16;
const FIXED_BYTES = BUCKETS_AT + 8 * BUCKETS;
const ENTRY_BYTES = 3;
const NAMES_MAX = 255;
const EMPTY: IndexHead = { names: [], buckets: [], entriesBytes: 0 };
