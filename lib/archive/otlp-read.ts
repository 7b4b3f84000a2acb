import { type AssembledTrace, assembledTraceViewCodec } from '../codec/records.ts';
import type { Bucket } from '../s3/bucket.ts';
import { encodeParquet } from './encode-parquet.ts';
import type { ArchiveObject } from './object-keys.ts';
import {
  decodeOtlpObject,
  type FrameSizes,
  type IndexedRecord,
  type OtlpObjectMap,
  readIndex,
  readObjectMap,
  recordValue,
  unpackFrame,
} from './otlp-object.ts';
import { PROMOTED_DEFAULT, type PromotedList, promotedOf } from './promoted-setting.ts';
import { spanBatches } from './rows/row-groups.ts';

/** An object of OTLP as the Parquet that the archiver would have written. @throws Error when it is damaged. */
export function parquetOfOtlp(object: Uint8Array, promoted: PromotedList = PROMOTED_DEFAULT): Promise<Uint8Array> {
  const traces = decodeOtlpObject(Buffer.from(object.buffer, object.byteOffset, object.length));
  return encodeParquet(spanBatches(traces, promotedOf(promoted)));
}

/**
 * The revisions of one trace in an object of OTLP, by range requests: tail, index and the frames that hold it.
 * @throws Error when the object is damaged.
 */
export async function recordsOfTrace(
  bucket: Bucket,
  { key, bytes }: Pick<ArchiveObject, 'key' | 'bytes'>,
  traceId: string,
): Promise<AssembledTrace[]> {
  const read = async (start: number, end: number) => {
    const found = await bucket.getRange(key, start, end);
    if (found === undefined) throw new Error('it was listed but is not there');
    return Buffer.from(found.buffer, found.byteOffset, found.length);
  };
  let tailStart = Math.max(0, bytes - TAIL_BYTES);
  let tail = await read(tailStart, bytes);
  let map = readObjectMap(tail, bytes);
  if (typeof map === 'number') {
    tailStart = bytes - map;
    tail = await read(tailStart, bytes);
    map = readObjectMap(tail, bytes) as OtlpObjectMap;
  }
  const { indexStart, indexEnd, frames } = map;
  const index =
    indexStart >= tailStart
      ? tail.subarray(indexStart - tailStart, indexEnd - tailStart)
      : await read(indexStart, indexEnd);
  const mark = Buffer.from(traceId, 'latin1');
  const records = readIndex(index, map).filter(({ before }) => before.includes(mark));
  const found: AssembledTrace[] = [];
  for (const [number, own] of Map.groupBy(records, ({ frame }) => frame)) {
    const start = frames.slice(0, number).reduce((sum, { packed }) => sum + packed, 0);
    const sizes = frames[number] as FrameSizes;
    const frame = unpackFrame(await read(start, start + sizes.packed), sizes);
    found.push(...own.map((record: IndexedRecord) => assembledTraceViewCodec.decode(recordValue(record, frame))));
  }
  return found.filter((trace) => trace.traceId === traceId);
}

/** The index of an object of 20 MiB of traces is about twice that. */
const TAIL_BYTES = 64 * 1024;
