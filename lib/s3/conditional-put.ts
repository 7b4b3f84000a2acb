import { ConfigError } from '../config/config-error.ts';
import type { Bucket } from './bucket.ts';
import { s3Error } from './errors.ts';

/**
 * Whether the store honours `If-None-Match: *`, found out by writing one small object twice and deleting it.
 * @param key a name that nobody else uses at the same time.
 */
export async function honoursIfNoneMatch(bucket: Bucket, key: string): Promise<boolean> {
  await bucket.delete(key);
  try {
    const first = await bucket.putIfAbsent(key, Buffer.from('1'), { contentType: 'text/plain' });
    const second = await bucket.putIfAbsent(key, Buffer.from('2'), { contentType: 'text/plain' });
    const kept = await bucket.get(key);
    return first === 'created' && second === 'exists' && kept?.length === 1 && kept[0] === 0x31;
  } catch (error) {
    // 501: the header is known and refused.
    if ((s3Error('probe', error).cause as { name?: string } | undefined)?.name === 'NotImplemented') return false;
    throw error;
  } finally {
    await bucket.delete(key).catch(() => {});
  }
}

/** @throws ConfigError when `mode` is `require` and the store does not honour it. */
export async function requireConditionalPut(bucket: Bucket, key: string, mode: 'require' | 'trust'): Promise<void> {
  if (mode === 'trust' || (await honoursIfNoneMatch(bucket, key))) return;
  throw new ConfigError([
    'The object store ignores If-None-Match, so two archivers could write the same rows twice. Use a store that honours it, or set S3_CONDITIONAL_PUT=trust and run one archiver.',
  ]);
}
