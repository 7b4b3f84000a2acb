import { describe, expect, it } from '@jest/globals';
import { s3Error } from './errors.ts';

const answer = (status: number, name = 'Error') =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });

describe('s3Error', () => {
  it.each([
    ['a wrong key', answer(403, 'SignatureDoesNotMatch'), 'S3_REFUSED', false],
    ['no keys at all', Object.assign(new Error(), { name: 'CredentialsProviderError' }), 'S3_REFUSED', false],
    ['a bucket that is not there', answer(404, 'NoSuchBucket'), 'S3_REFUSED', false],
    ['a request that is wrong by itself', answer(400, 'InvalidArgument'), 'S3_FAILED', false],
    ['a server in trouble', answer(503, 'SlowDown'), 'S3_FAILED', true],
    ['a full server', answer(507, 'InsufficientStorage'), 'S3_FAILED', true],
    ['too many requests', answer(429), 'S3_FAILED', true],
    ['another writer', answer(409, 'ConditionalRequestConflict'), 'S3_FAILED', true],
    ['no answer', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'S3_FAILED', true],
    ['an answer that took too long', Object.assign(new Error('slow'), { name: 'TimeoutError' }), 'S3_FAILED', true],
  ])('%s', (_, cause, code, retryable) => {
    expect(s3Error('write a in bucket b', cause)).toMatchObject({ code, retryable, cause });
  });

  it.each([answer(507, 'InsufficientStorage'), answer(507), answer(500, 'XMinioStorageFull')])(
    'says of a store that is full that it is (%s)',
    (cause) => {
      expect(s3Error('write a in bucket b', cause).message).toMatch(/no room left/);
      expect(s3Error('write a in bucket b', answer(500)).message).not.toMatch(/room/);
    },
  );

  it('leaves errors of ours as they are', () => {
    const ours = s3Error('write', answer(500));
    expect(s3Error('list', ours)).toBe(ours);
  });
});
