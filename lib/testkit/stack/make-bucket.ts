/** Makes S3_BUCKET at S3_ENDPOINT when it is not there, for docker-compose.yml: a service expects its bucket to exist. */
import { describeError } from '../../errors/spanloom-error.ts';
import { s3FromEnvironment } from './environment.ts';
import { ensureBucket } from './s3-bucket.ts';
import { BUCKET_DEFAULT } from './types.ts';

try {
  await ensureBucket(s3FromEnvironment(process.env, process.env['S3_BUCKET'] || BUCKET_DEFAULT), { timeoutMs: 60_000 });
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}
