import { isRetryable, SpanloomError } from '../errors/spanloom-error.ts';

/**
 * What a request to the object store failed with: S3_REFUSED when a person must change something (keys, rights, the
 * bucket's name), else S3_FAILED, which is worth trying again.
 */
export function s3Error(doing: string, cause: unknown): SpanloomError {
  if (cause instanceof SpanloomError) return cause;
  const status = statusOf(cause);
  const name = cause instanceof Error ? cause.name : '';
  if (name === 'NoSuchBucket') {
    return new SpanloomError('S3_REFUSED', `Cannot ${doing}: there is no such bucket; create it or set S3_BUCKET`, {
      cause,
    });
  }
  if (name === 'CredentialsProviderError' || REFUSALS.has(status ?? 0)) {
    return new SpanloomError(
      'S3_REFUSED',
      `Cannot ${doing}: the object store refuses it; check the keys, their rights and S3_ENDPOINT`,
      { cause },
    );
  }
  if (status === INSUFFICIENT_STORAGE || FULL.has(name)) {
    return new SpanloomError('S3_FAILED', `Cannot ${doing} now: the object store has no room left`, {
      cause,
      retryable: true,
    });
  }
  const isOurs = status !== undefined && status >= 400 && status < 500 && !PASSING.has(status);
  return new SpanloomError('S3_FAILED', `Cannot ${doing} now`, { cause, retryable: !isOurs || isRetryable(cause) });
}

export function isStatus(error: unknown, status: number): boolean {
  return statusOf(error) === status;
}

/** The HTTP status of an answer that the SDK threw; undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode;
}

const INSUFFICIENT_STORAGE = 507;
/** What MinIO, Ceph and others call it. */
const FULL = new Set(['XMinioStorageFull', 'InsufficientStorage', 'QuotaExceeded', 'InsufficientCapacity']);
const REFUSALS = new Set([401, 403]);
/** Request time-out, conflict with another writer, too many requests. */
const PASSING = new Set([408, 409, 429]);
