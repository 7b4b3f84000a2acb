import { zstdDecompressSync } from 'node:zlib';
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import type { Bucket } from '../s3/bucket.ts';
import { mergeRanges } from './merge-ranges.ts';
import type { ArchiveObject } from './object-keys.ts';

export type ArchivedRow = Readonly<Record<string, unknown>>;

/**
 * The rows of one trace, read out of an object by range requests: the tail with footer and page index first, then only
 * the pages that can hold the id. Whole files are sorted by trace id, so these are few.
 *
 * @throws Error when the bytes are no Parquet file with a trace_id.
 */
export async function rowsOfTrace(
  bucket: Bucket,
  object: Pick<ArchiveObject, 'key' | 'bytes'>,
  traceId: string,
): Promise<ArchivedRow[]> {
  const file = await rangeFile(bucket, object);
  const metadata = await parquetMetadataAsync(file, { initialFetchSize: Math.min(object.bytes, TAIL_BYTES) });
  const options = {
    file,
    metadata,
    filter: { trace_id: { $eq: traceId } },
    compressors: COMPRESSORS,
    usePageIndex: true,
    useOffsetIndex: true,
  };
  // The id alone first: most objects do not hold it, and then no other column need be read.
  const ids = await parquetReadObjects({ ...options, columns: ['trace_id'] });
  return ids.length === 0 ? [] : await parquetReadObjects(options);
}

/** The rows of a whole file in memory. */
export function allRows(file: Uint8Array): Promise<ArchivedRow[]> {
  return parquetReadObjects({ file: copy(file), compressors: COMPRESSORS });
}

/** Rows of a Parquet object by its footer. */
export async function rowCount(bucket: Bucket, object: Pick<ArchiveObject, 'key' | 'bytes'>): Promise<number> {
  const file = await rangeFile(bucket, object);
  const metadata = await parquetMetadataAsync(file, { initialFetchSize: Math.min(object.bytes, TAIL_BYTES) });
  return Number(metadata.num_rows);
}

/** The tail is held: footer and page index cost one request, and a small object is read by it as a whole. */
async function rangeFile(bucket: Bucket, { key, bytes }: Pick<ArchiveObject, 'key' | 'bytes'>): Promise<AsyncBuffer> {
  const tailStart = Math.max(0, bytes - TAIL_BYTES);
  if (bytes === 0) throw new Error('it is empty');
  const tail = await read(bucket, key, tailStart, bytes);
  const readMerged = mergeRanges((start, end) => read(bucket, key, start, end));
  return {
    byteLength: bytes,
    slice: async (start, end = bytes) => {
      if (start >= tailStart) return copy(tail.subarray(start - tailStart, end - tailStart));
      return copy(await readMerged(start, end));
    },
  };
}

async function read(bucket: Bucket, key: string, start: number, end: number): Promise<Uint8Array> {
  const bytes = await bucket.getRange(key, start, end);
  if (bytes === undefined) throw new Error('it was listed but is not there');
  return bytes;
}

function copy(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

const COMPRESSORS = { ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes) };
const TAIL_BYTES = 32 * 1024;
