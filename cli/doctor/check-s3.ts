import { randomBytes } from 'node:crypto';
import { commonSettings, s3Settings } from '../../lib/config/common.ts';
import { defineSettings, readSettings } from '../../lib/config/settings.ts';
import { openBucket } from '../../lib/s3/bucket.ts';
import { honoursIfNoneMatch } from '../../lib/s3/conditional-put.ts';
import { type Check, type Environment, failedCheck } from './check.ts';

const declared = defineSettings({ ...commonSettings, ...s3Settings });

/** That the bucket is there, may be written to, and honours `If-None-Match`, on which the archive rests. */
export async function checkBucket(env: Environment): Promise<Check> {
  const name = 's3';
  const closes: (() => unknown)[] = [];
  try {
    const settings = readSettings(declared, env);
    const bucket = openBucket(settings, { onClose: (close) => closes.push(close) });
    const honours = await honoursIfNoneMatch(
      bucket,
      `${settings.SPANLOOM_PREFIX}/_probe/${randomBytes(8).toString('hex')}`,
    );
    const where = `bucket ${settings.S3_BUCKET} at ${settings.S3_ENDPOINT ?? `AWS ${settings.AWS_REGION}`}`;
    if (honours) return { name, ok: true, detail: `${where}: writable, honours If-None-Match` };
    return {
      name,
      ok: false,
      detail: `${where} ignores If-None-Match`,
      advice: 'Use a store that honours it. S3_CONDITIONAL_PUT=trust goes on without, with one archiver only.',
    };
  } catch (error) {
    return failedCheck(name, error, 'Set S3_BUCKET, and S3_ENDPOINT and keys unless AWS gives them.');
  } finally {
    for (const close of closes) await close();
  }
}
