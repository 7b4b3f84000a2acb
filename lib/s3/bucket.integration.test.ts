import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { testStack, uniquePrefix } from '../../test/support/stack.ts';
import { s3Settings } from '../config/s3.ts';
import { defineSettings, readSettings } from '../config/settings.ts';
import { stackEnvironment } from '../testkit/stack/stack.ts';
import { type Bucket, openBucket } from './bucket.ts';
import { honoursIfNoneMatch, requireConditionalPut } from './conditional-put.ts';

const declared = defineSettings(s3Settings);
const closes: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
});

const open = (env: Record<string, string> = {}): Bucket =>
  openBucket(readSettings(declared, { ...stackEnvironment(testStack()), ...env }), {
    onClose: (close) => closes.push(close),
  });

const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString());

describe('openBucket', () => {
  it('writes, reads, looks at and deletes an object', async () => {
    const bucket = open();
    const key = `${uniquePrefix('bucket')}/a b+é.json`;
    await bucket.put(key, Buffer.from('one'), { contentType: 'application/json' });
    await bucket.put(key, Buffer.from('three'));
    expect(text(await bucket.get(key))).toBe('three');
    expect(await bucket.head(key)).toEqual({ bytes: 5 });
    await bucket.delete(key);
    expect(await bucket.get(key)).toBeUndefined();
    expect(await bucket.head(key)).toBeUndefined();
  });

  it('lets one of many writers of a name win', async () => {
    const bucket = open();
    const key = `${uniquePrefix('race')}/chain.json`;
    const bodies = Array.from({ length: 12 }, (_, i) => Buffer.from(`writer ${i}`));
    const outcomes = await Promise.all(bodies.map((body) => bucket.putIfAbsent(key, body)));
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    expect(text(await bucket.get(key))).toBe(`writer ${outcomes.indexOf('created')}`);
  });

  it('puts what is large in parts, once, and leaves no part of a second', async () => {
    const bucket = open();
    const prefix = uniquePrefix('parts');
    const key = `${prefix}/large.parquet`;
    const body = Buffer.alloc(20 * 1024 * 1024 + 7, 'spanloom');
    expect(await bucket.putIfAbsent(key, body)).toBe('created');
    expect(await bucket.putIfAbsent(key, Buffer.alloc(body.length))).toBe('exists');
    expect(Buffer.from((await bucket.get(key)) as Uint8Array).equals(body)).toBe(true);
    expect(await bucket.abortUploads(`${prefix}/`, Date.now() + 60_000)).toBe(0);
  });

  it('lists over pages, in order, behind a name', async () => {
    const bucket = open();
    const prefix = uniquePrefix('list');
    const keys = Array.from({ length: 1_005 }, (_, i) => `${prefix}/${String(i).padStart(5, '0')}`);
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => bucket.put(key, Buffer.from('x'))));
    }
    const all: string[] = [];
    for await (const { key } of bucket.list(`${prefix}/`)) all.push(key);
    expect(all).toEqual(keys);
    const tail: string[] = [];
    for await (const { key } of bucket.list(`${prefix}/`, keys[1_002])) tail.push(key);
    expect(tail).toEqual(keys.slice(1_003));
  });

  it('says which setting to look at when it is refused, and does not call that worth another try', async () => {
    const wrongSecret = open({ AWS_SECRET_ACCESS_KEY: 'wrong-secret' });
    await expect(wrongSecret.put('a', Buffer.from('x'))).rejects.toMatchObject({
      code: 'S3_REFUSED',
      retryable: false,
    });
    const noBucket = open({ S3_BUCKET: 'no-such-bucket-here' });
    await expect(noBucket.put('a', Buffer.from('x'))).rejects.toThrow(/S3_BUCKET/);
    await expect(noBucket.get('a')).rejects.toThrow(/S3_BUCKET/);
  });

  it('gives up on a server that does not answer, in time', async () => {
    const endpoint = await serve(() => {});
    const bucket = open({ S3_ENDPOINT: endpoint, S3_REQUEST_TIMEOUT_MS: '1000', S3_ATTEMPTS_MAX: '1' });
    await expect(bucket.get('a')).rejects.toMatchObject({ code: 'S3_FAILED', retryable: true });
  });
});

describe('requireConditionalPut', () => {
  it('takes a store that honours If-None-Match, and leaves nothing behind', async () => {
    const bucket = open();
    const key = `${uniquePrefix('probe')}/probe`;
    expect(await honoursIfNoneMatch(bucket, key)).toBe(true);
    await requireConditionalPut(bucket, key, 'require');
    expect(await bucket.head(key)).toBeUndefined();
  });

  it('refuses one that overwrites, unless told to trust it', async () => {
    let stored: Buffer = Buffer.alloc(0);
    const endpoint = await serve((request, body, respond) => {
      if (request === 'PUT') stored = body;
      respond(stored);
    });
    const bucket = open({ S3_ENDPOINT: endpoint, S3_CHECKSUMS: 'when_required' });
    await expect(requireConditionalPut(bucket, 'probe', 'require')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await requireConditionalPut(bucket, 'probe', 'trust');
  });
});

/** A server that does what the run's own one cannot be made to do. */
async function serve(answer: (method: string, body: Buffer, respond: (body: Buffer) => void) => void): Promise<string> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () =>
      answer(request.method ?? '', Buffer.concat(parts), (body) => response.end(request.method === 'GET' ? body : '')),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closes.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
