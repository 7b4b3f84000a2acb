import { archivedRows } from '../lib/archive/read-chain.ts';
import { s3Settings } from '../lib/config/common.ts';
import { defineSettings, readSettings } from '../lib/config/settings.ts';
import { openBucket } from '../lib/s3/bucket.ts';
import { stackEnvironment } from '../lib/testkit/stack/stack.ts';
import type { StackAddresses } from '../lib/testkit/stack/types.ts';

/** Span rows that the archive's chain accounts for. */
export async function archivedSpanRows(addresses: StackAddresses, prefix: string): Promise<number> {
  const closes: (() => unknown)[] = [];
  const values = readSettings(defineSettings(s3Settings), stackEnvironment(addresses));
  const bucket = openBucket(values, { onClose: (close) => closes.push(close) });
  try {
    return await archivedRows(bucket, prefix, 'spans');
  } finally {
    for (const close of closes) await close();
  }
}
