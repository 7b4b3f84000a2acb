import { createHash } from 'node:crypto';
import { type ChainEntry, chainFolder, chainKey, encodeChainEntry } from '../../lib/archive/chain.ts';
import { encodeParquet } from '../../lib/archive/encode-parquet.ts';
import { IdIndexWriter } from '../../lib/archive/id-index-writer.ts';
import type { ArchiveFormat } from '../../lib/archive/object-keys.ts';
import { encodeOtlpObject } from '../../lib/archive/otlp-object.ts';
import { PROMOTED_DEFAULT, type PromotedList } from '../../lib/archive/promoted-setting.ts';
import type { AssembledTrace } from '../../lib/codec/records.ts';
import { s3Settings } from '../../lib/config/s3.ts';
import { defineSettings, readSettings } from '../../lib/config/settings.ts';
import { type Bucket, openBucket } from '../../lib/s3/bucket.ts';
import { traceLogRecord } from '../../lib/testkit/assembled-trace.ts';
import { stackEnvironment } from '../../lib/testkit/stack/stack.ts';
import { buildRange } from '../../services/archiver/core/build-range.ts';
import { OpenRange } from '../../services/archiver/core/range.ts';
import { testStack } from './stack.ts';

/** The bucket of this test run; `close` when done. */
export function openTestBucket(): { bucket: Bucket; close(): Promise<void> } {
  const closes: (() => unknown)[] = [];
  const settings = readSettings(defineSettings(s3Settings), stackEnvironment(testStack()));
  const bucket = openBucket(settings, { onClose: (close) => closes.push(close) });
  return {
    bucket,
    close: async () => {
      for (const close of closes) await close();
    },
  };
}

/**
 * Writes traces as one range of a partition's chain, with the archiver's own code and without its Kafka.
 * @param partitions of the topic; they stand in the objects' names when all ids belong to `partition`.
 */
export async function archiveRange(
  bucket: Bucket,
  prefix: string,
  first: number,
  traces: readonly AssembledTrace[],
  partition = 0,
  format: ArchiveFormat = 'parquet',
  partitions?: number,
  promoted: PromotedList = PROMOTED_DEFAULT,
): Promise<ChainEntry> {
  const range = new OpenRange(first);
  range.add(
    traces.map((each, i) => traceLogRecord(each, first + i)),
    first + traces.length,
    0,
  );
  const place = {
    ...{ prefix, clusterId: 'test', generation: 1, topic: 'traces', partition, writer: 'test', format },
    ...{ partitions, promoted, isDecided: false },
  };
  const digest = (values: readonly Uint8Array[]) => {
    const hash = createHash('sha256');
    for (const value of values) hash.update(value);
    return hash.digest('hex');
  };
  const ports = { digest, encodeParquet, encodeOtlp: encodeOtlpObject };
  const { entry, encode, idHashes, hourMs } = buildRange(range, place, ports);
  await bucket.put(chainKey(chainFolder(prefix, 'test', 1, partition), first), encodeChainEntry(entry));
  for (const object of entry.objects) await bucket.put(object.key, await encode(object));
  const index = new IdIndexWriter(bucket, prefix);
  for (const object of entry.objects) {
    if (object.dataset === 'traces') await index.add({ key: object.key, hourMs: hourMs(object) }, idHashes(object));
  }
  return entry;
}

/** The same bucket, which counts what readers ask it for: how often each object, and bytes of all. */
export function countingBucket(bucket: Bucket): Bucket & { readonly asked: Map<string, number>; bytes(): number } {
  const asked = new Map<string, number>();
  let bytes = 0;
  return Object.assign(Object.create(bucket) as Bucket, {
    asked,
    bytes: () => bytes,
    getRange: async (key: string, start: number, end: number) => {
      const found = await bucket.getRange(key, start, end);
      asked.set(key, (asked.get(key) ?? 0) + 1);
      bytes += found?.length ?? 0;
      return found;
    },
  });
}

/** The n-th of the ids of test traces: spread over all ids, as real ones are. */
export function traceIdOf(n: number): string {
  return createHash('md5').update(String(n)).digest('hex');
}
