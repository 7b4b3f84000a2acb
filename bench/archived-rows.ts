import { archivedRows } from '../lib/archive/read-chain.ts';
import { s3Settings } from '../lib/config/common.ts';
import { defineSettings, readSettings } from '../lib/config/settings.ts';
import { type Bucket, openBucket } from '../lib/s3/bucket.ts';
import { stackEnvironment } from '../lib/testkit/stack/stack.ts';
import type { StackAddresses } from '../lib/testkit/stack/types.ts';

/** Span rows that the archive's chain accounts for. */
export function archivedSpanRows(addresses: StackAddresses, prefix: string): Promise<number> {
  return withBucket(addresses, (bucket) => archivedRows(bucket, prefix, 'spans'));
}

/** What the archive's datasets take in the bucket; its chain is left out. */
export function storedBytes(addresses: StackAddresses, prefix: string): Promise<{ objects: number; bytes: number }> {
  return withBucket(addresses, async (bucket) => {
    const stored = { objects: 0, bytes: 0 };
    for await (const { key, bytes } of bucket.list(`${prefix}/`)) {
      if (key.startsWith(`${prefix}/_`)) continue;
      stored.objects++;
      stored.bytes += bytes;
    }
    return stored;
  });
}

async function withBucket<T>(addresses: StackAddresses, use: (bucket: Bucket) => Promise<T>): Promise<T> {
  const closes: (() => unknown)[] = [];
  const values = readSettings(defineSettings(s3Settings), stackEnvironment(addresses));
  const bucket = openBucket(values, { onClose: (close) => closes.push(close) });
  try {
    return await use(bucket);
  } finally {
    for (const close of closes) await close();
  }
}
