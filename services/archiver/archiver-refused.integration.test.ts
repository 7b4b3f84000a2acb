import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Admin, Kafka, Producer } from 'kafkajs';
import { readChain } from '../../lib/archive/read-chain.ts';
import { commonSettings } from '../../lib/config/common.ts';
import { defineSettings, readSettings } from '../../lib/config/settings.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import type { Bucket } from '../../lib/s3/bucket.ts';
import { assembledTrace, traceRecord } from '../../lib/testkit/assembled-trace.ts';
import { HttpProxy } from '../../lib/testkit/faults/http-proxy.ts';
import { otlp } from '../../lib/testkit/otlp-builder.ts';
import { stackEnvironment } from '../../lib/testkit/stack/stack.ts';
import { prepareTopics } from '../../lib/topics/prepare-topics.ts';
import { groupId, topicNames } from '../../lib/topics/topics.ts';
import { openTestBucket } from '../../test/support/archived-bucket.ts';
import { Command } from '../../test/support/command.ts';
import { testStack, uniquePrefix } from '../../test/support/stack.ts';
import { waitForRecords } from '../../test/support/topic.ts';

// Processes of their own, on machines that are busy with other work.
jest.setTimeout(180_000);

const TRACES = 6;
let kafka: Kafka;
let producer: Producer;
let admin: Admin;
let bucket: Bucket;
let closeBucket: () => Promise<void>;
let running: Command | undefined;

beforeAll(async () => {
  kafka = createKafka({ brokers: testStack().kafka, clientId: 'test-refused' });
  producer = kafka.producer();
  admin = kafka.admin();
  await Promise.all([producer.connect(), admin.connect()]);
  ({ bucket, close: closeBucket } = openTestBucket());
});

afterEach(async () => {
  running?.signal('SIGTERM');
  await running?.exited;
  running = undefined;
});

afterAll(async () => {
  await Promise.all([producer.disconnect(), admin.disconnect(), closeBucket()]);
});

/** A topic with traces that wait to be archived. */
async function waiting(name: string): Promise<{ prefix: string; env: Record<string, string> }> {
  const prefix = uniquePrefix(name);
  const env = { SPANLOOM_PREFIX: prefix, PARTITIONS: '1', ARCHIVE_RANGE_AGE_MAX_MS: '300', S3_ATTEMPTS_MAX: '1' };
  await prepareTopics(
    kafka,
    readSettings(defineSettings(commonSettings), { ...stackEnvironment(testStack()), ...env }),
  );
  await producer.send({
    topic: topicNames(prefix).traces,
    messages: Array.from({ length: TRACES }, (_, i) => ({
      partition: 0,
      ...traceRecord(assembledTrace(otlp([{ service: 's', spans: [{ id: 1 }] }], { trace: i + 1 }))),
    })),
  });
  return { prefix, env };
}

/** What the archiver has left behind in the bucket and in Kafka. */
async function committed(prefix: string): Promise<{ objects: string[]; offset: string | undefined }> {
  const objects: string[] = [];
  for await (const { key } of bucket.list(`${prefix}/`)) objects.push(key);
  const topics = [topicNames(prefix).traces];
  const offsets = () => admin.fetchOffsets({ groupId: groupId(prefix, 'archiver'), topics });
  // A group that nobody has asked for yet gets its coordinator by the first question.
  const [topic] = await offsets().catch(async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return offsets();
  });
  return { objects, offset: topic?.partitions[0]?.offset };
}

const NOTHING = { objects: [], offset: '-1' };

function linesOf(command: Command, level: string): { message: string; error?: string; code?: string }[] {
  return [...command.stdout, ...command.stderr]
    .filter((line) => line.includes(`"level":"${level}"`))
    .map((line) => JSON.parse(line));
}

describe('an archiver that must not, or cannot, write', () => {
  it.each([
    ['wrong keys', { AWS_SECRET_ACCESS_KEY: 'wrong' }, /the object store refuses it; check the keys/],
    ['a key that nobody has', { AWS_ACCESS_KEY_ID: 'nobody' }, /the object store refuses it; check the keys/],
    ['a missing bucket', { S3_BUCKET: 'no-such-bucket-here' }, /there is no such bucket; create it or set S3_BUCKET/],
  ])('does not start with %s, says why in one sentence, and commits nothing', async (_, wrong, sentence) => {
    const { prefix, env } = await waiting('refused');
    running = new Command(['service', 'archiver'], { ...env, LOG_FORMAT: 'json', ...wrong });
    expect(await running.exited).toBe(78);
    expect(linesOf(running, 'error')).toEqual([
      expect.objectContaining({ message: 'cannot start', code: 'S3_REFUSED', error: expect.stringMatching(sentence) }),
    ]);
    expect(await committed(prefix)).toEqual(NOTHING);
  });

  it.each([
    ['is full', { status: 507, code: 'InsufficientStorage' }, /now: the object store has no room left/],
    ['fails as a full one may', { status: 500, code: 'InternalError' }, /Cannot write .* now/],
    ['takes the keys away', { status: 403, code: 'AccessDenied' }, /the object store refuses it; check the keys/],
  ])('commits nothing while the store %s, and all once it takes objects again', async (_, fault, sentence) => {
    const { prefix, env } = await waiting('full');
    const proxy = await HttpProxy.open(testStack().s3.endpoint);
    try {
      const chainIsRefused = proxy.arm({ method: 'PUT', path: /\/_chain\//, fault });
      running = new Command(['service', 'archiver'], { ...env, LOG_FORMAT: 'json', S3_ENDPOINT: proxy.url });
      const warned = await waitForRecords(
        async () => linesOf(running as Command, 'warn').filter(({ message }) => message === 'partition begins again'),
        (lines) => lines.length > 0,
        60_000,
      );
      expect(warned[0]?.error).toMatch(sentence);
      expect(await committed(prefix)).toEqual(NOTHING);
      chainIsRefused.remove();
      // The entry stands now, but not its objects: the position is still before them.
      const objectsAreRefused = proxy.arm({ method: 'PUT', path: /\/spans\//, fault });
      await waitForRecords(
        async () => objectsAreRefused.hits,
        (hits) => hits > 0,
        60_000,
      );
      expect((await committed(prefix)).offset).toBe('-1');
      objectsAreRefused.remove();
      await waitForRecords(
        () => committed(prefix),
        ({ offset }) => offset === String(TRACES),
        60_000,
      );
      let rows = 0;
      for await (const { entry } of readChain(bucket, prefix)) rows += entry.records;
      expect(rows).toBe(TRACES);
    } finally {
      await proxy.close();
    }
  });
});
