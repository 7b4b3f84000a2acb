import { setTimeout as delay } from 'node:timers/promises';
import { SpanloomError } from '../../errors/spanloom-error.ts';
import type { S3Address } from './types.ts';

/**
 * Makes the bucket when it is not there, and so proves that the server answers and takes the keys. Without keys in the
 * address the SDK's usual chain of credentials is used.
 *
 * @throws SpanloomError STACK_SERVER_FAILED after `timeoutMs`.
 */
export async function ensureBucket(
  address: S3Address,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<void> {
  const { CreateBucketCommand, HeadBucketCommand, S3Client } = await import('@aws-sdk/client-s3');
  const { endpoint, bucket, region, accessKeyId, secretAccessKey } = address;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    maxAttempts: 1,
    ...(accessKeyId === '' ? {} : { credentials: { accessKeyId, secretAccessKey } }),
  });
  const deadline = Date.now() + options.timeoutMs;
  try {
    for (;;) {
      try {
        await client.send(new HeadBucketCommand({ Bucket: bucket })).catch(async (error: unknown) => {
          if (statusOf(error) !== 404) throw error;
          return client.send(new CreateBucketCommand({ Bucket: bucket }));
        });
        return;
      } catch (error) {
        if (MADE_BY_ANOTHER.has((error as Error).name)) return;
        if (Date.now() >= deadline || options.signal?.aborted || REFUSED.has(statusOf(error) ?? 0)) {
          throw new SpanloomError(
            'STACK_SERVER_FAILED',
            `The S3 server at ${endpoint} does not give bucket '${bucket}'.`,
            {
              cause: error,
            },
          );
        }
        await delay(POLL_MS);
      }
    }
  } finally {
    client.destroy();
  }
}

const POLL_MS = 100;
const MADE_BY_ANOTHER = new Set(['BucketAlreadyOwnedByYou', 'BucketAlreadyExists']);
/** Waiting does not help against a wrong key or name. */
const REFUSED = new Set([400, 401, 403]);

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}
