import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import kafkajs from 'kafkajs';
import { isAlive } from '../../../test/support/is-alive.ts';
import { type Stack, type StackAddresses, startStack } from './stack.ts';

/** The test run's own stack is one that the provider started; these tests start others beside it. */
const native = process.env['SPANLOOM_TEST_STACK'] === 'native' ? describe : describe.skip;

native('a native stack', () => {
  let dir: string;
  const env = { ...process.env, SPANLOOM_STACK: 'native', KAFKA_BROKERS: '', REDIS_URL: '', S3_ENDPOINT: '' };

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'spanloom-stack-test-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('keeps topics, keys and objects in its folder, over a stop and over a kill', async () => {
    const first = await startStack({ env, dataDir: dir });
    try {
      await write(first.addresses);
    } finally {
      await first.stop();
    }

    // Another process takes the folder over, and dies.
    const script = join(import.meta.dirname, '../../../scripts/dev-stack.ts');
    const owner = spawn(process.execPath, [script, '--data', dir], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    const lines = createInterface(owner.stdout);
    const line = await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      owner.once('exit', () => reject(new Error('the second stack did not start')));
    });
    const second = JSON.parse(line) as StackAddresses & { pids: Record<string, number> };
    expect(await read(second)).toEqual(WRITTEN);
    const died = new Promise((resolve) => owner.once('close', resolve));
    owner.kill('SIGKILL');
    await died;
    lines.close();

    const third = await startStack({ env, dataDir: dir });
    try {
      expect(Object.values(second.pids).filter(isAlive)).toEqual([]);
      expect(await read(third.addresses)).toEqual(WRITTEN);
    } finally {
      await third.stop();
    }
  }, 120_000);

  it('starts only what is asked for, and takes given addresses', async () => {
    const lines: string[] = [];
    const options = { services: ['redis', 'kafka'] as const, onProgress: (line: string) => lines.push(line) };
    const stack: Stack = await startStack({ ...options, env: { ...env, KAFKA_BROKERS: '127.0.0.1:1' } });
    const { redis } = stack.pids;
    await stack.stop();
    await stack.stop();
    expect(stack.addresses).toMatchObject({ kafka: ['127.0.0.1:1'], s3: { endpoint: '' } });
    expect(Object.keys(stack.pids)).toEqual(['redis']);
    expect(isAlive(redis ?? 0)).toBe(false);
    expect(lines).toEqual([
      'kafka  address taken from the environment',
      'redis  starting',
      expect.stringMatching(/^redis {2}ready on 127\.0\.0\.1:\d+ \(\d+\.\d s\)$/),
    ]);
  }, 60_000);

  it('says in one sentence what is missing, and leaves nothing running', async () => {
    const nowhere = { ...env, PATH: '/nonexistent', JAVA_HOME: '' };
    await expect(startStack({ env: nowhere, services: ['kafka'] })).rejects.toMatchObject({
      code: 'STACK_TOOL_MISSING',
      message: expect.stringMatching(/^Kafka and the S3 server need Java 17 or newer, but 'java' does not run\./),
    });
    await expect(startStack({ env: { ...env, PATH: '/nonexistent' }, services: ['redis'] })).rejects.toMatchObject({
      code: 'STACK_TOOL_MISSING',
      message: expect.stringMatching(/^Redis is needed, but 'redis-server' is not installed\./),
    });
  }, 30_000);
});

const WRITTEN = { offset: '1', redis: 'kept', object: 'kept' };

async function write({ kafka, redis, s3 }: StackAddresses): Promise<void> {
  const producer = client(kafka).producer({ allowAutoTopicCreation: false });
  const admin = client(kafka).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'kept' }], waitForLeaders: true });
  await admin.disconnect();
  await producer.connect();
  await producer.send({ topic: 'kept', messages: [{ value: 'x' }] });
  await producer.disconnect();
  const connection = new Redis(redis);
  await connection.set('kept', 'kept');
  await connection.quit();
  const bucket = s3Client(s3);
  const put = { Bucket: s3.bucket, Key: 'a/kept', Body: 'kept', IfNoneMatch: '*' };
  await bucket.send(new PutObjectCommand(put));
  await expect(bucket.send(new PutObjectCommand(put))).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } });
  bucket.destroy();
  // The append-only file of Redis is written out once a second; a kill before that loses the newest second.
  await delay(1_100);
}

async function read({ kafka, redis, s3 }: StackAddresses): Promise<typeof WRITTEN> {
  const admin = client(kafka).admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets('kept');
  await admin.disconnect();
  const connection = new Redis(redis);
  const value = await connection.get('kept');
  await connection.quit();
  const bucket = s3Client(s3);
  const object = await bucket.send(new GetObjectCommand({ Bucket: s3.bucket, Key: 'a/kept' }));
  const body = await object.Body?.transformToString();
  bucket.destroy();
  const end = offsets.reduce((sum, { high }) => sum + Number(high), 0);
  return { offset: String(end), redis: String(value), object: String(body) };
}

function client(brokers: readonly string[]): kafkajs.Kafka {
  return new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
}

function s3Client({ endpoint, region, accessKeyId, secretAccessKey }: StackAddresses['s3']): S3Client {
  return new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
}
