import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Admin, Kafka, Producer } from 'kafkajs';
import { decodeOtlpObject, encodeOtlpObject } from '../../lib/archive/otlp-object.ts';
import { type ChainLink, readChain } from '../../lib/archive/read-chain.ts';
import { commonSettings } from '../../lib/config/common.ts';
import { s3Settings } from '../../lib/config/s3.ts';
import { defineSettings, readSettings } from '../../lib/config/settings.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { type Bucket, openBucket } from '../../lib/s3/bucket.ts';
import { assembledTrace, traceRecord } from '../../lib/testkit/assembled-trace.ts';
import { queryParquet } from '../../lib/testkit/duckdb.ts';
import { HttpProxy } from '../../lib/testkit/faults/http-proxy.ts';
import { EPOCH_MS, otlp } from '../../lib/testkit/otlp-builder.ts';
import { stackEnvironment } from '../../lib/testkit/stack/stack.ts';
import { prepareTopics } from '../../lib/topics/prepare-topics.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { Command } from '../../test/support/command.ts';
import { type ServiceUnderTest, startService } from '../../test/support/service.ts';
import { testStack, uniquePrefix } from '../../test/support/stack.ts';
import { waitForRecords } from '../../test/support/topic.ts';
import { archiver } from './main.ts';

let kafka: Kafka;
let producer: Producer;
let admin: Admin;
let bucket: Bucket;
const started: ServiceUnderTest[] = [];
const closes: (() => unknown)[] = [];

beforeAll(async () => {
  kafka = createKafka({ brokers: testStack().kafka, clientId: 'test-archiver' });
  producer = kafka.producer();
  admin = kafka.admin();
  await Promise.all([producer.connect(), admin.connect()]);
  const settings = readSettings(defineSettings(s3Settings), stackEnvironment(testStack()));
  bucket = openBucket(settings, { onClose: (close) => closes.push(close) });
});

afterEach(async () => {
  for (const service of started.splice(0)) await service.stop();
});

afterAll(async () => {
  for (const close of closes) await close();
  await Promise.all([producer.disconnect(), admin.disconnect()]);
});

function pipeline(name: string, env: Record<string, string> = {}) {
  const prefix = uniquePrefix(name);
  const { traces: topic } = topicNames(prefix);
  const chain = async () => {
    const links: ChainLink[] = [];
    for await (const link of readChain(bucket, prefix)) links.push(link);
    return links;
  };
  const rows = async (sql = 'SELECT trace_id, span_id FROM ?files') => {
    const files: Uint8Array[] = [];
    for await (const { key } of bucket.list(`${prefix}/spans/`)) {
      // S3Proxy lists `key-<uuid>` while a PUT runs, and no longer has it a moment later.
      const bytes = key.endsWith('.parquet') ? await bucket.get(key) : undefined;
      if (bytes !== undefined) files.push(bytes);
    }
    return files.length === 0 ? [] : queryParquet(files, sql);
  };
  return {
    prefix,
    topic,
    chain,
    rows,
    start: async () => {
      const service = await startService(archiver, {
        SPANLOOM_PREFIX: prefix,
        PARTITIONS: '1',
        ARCHIVE_RANGE_AGE_MAX_MS: '500',
        ...env,
      });
      started.push(service);
      return service;
    },
    stop: async (service: ServiceUnderTest) => {
      started.splice(started.indexOf(service), 1);
      await service.stop();
    },
    /** Traces [from, to), two spans each. */
    send: (from: number, to: number, startTime = EPOCH_MS * 1000) =>
      producer.send({
        topic,
        messages: Array.from({ length: to - from }, (_, i) => ({
          partition: 0,
          ...traceRecord(
            assembledTrace(otlp([{ service: 's', spans: [{ id: 1 }, { id: 2, parent: 1 }] }], { trace: from + i }), {
              startTime,
            }),
          ),
        })),
      }),
    archived: (count: number) => waitForRecords(rows, (found) => found.length >= count),
  };
}

/** Each of traces [1, traces] twice: two spans. */
function expectOnce(found: readonly Record<string, unknown>[], traces: number): void {
  expect(found).toHaveLength(traces * 2);
  expect(new Set(found.map((row) => `${row['trace_id']}/${row['span_id']}`)).size).toBe(traces * 2);
}

describe('archiver', () => {
  it('writes every span once, over restarts, in a chain without holes', async () => {
    const { start, stop, send, archived, chain } = pipeline('archive');
    const first = await start();
    await send(1, 51);
    await archived(100);
    await stop(first);
    await send(51, 81);
    await start();
    await archived(160);
    await send(81, 101, (EPOCH_MS + 3_600_000) * 1000);
    expectOnce(await archived(200), 100);
    const links = await chain();
    expect(links.map(({ entry }) => entry.end).at(-1)).toBe(100);
    expect(links.reduce((sum, { entry }) => sum + entry.records, 0)).toBe(100);
  });

  it.each(['after-chain', 'after-object'])('makes what a process that died %s had promised', async (point) => {
    const { start, stop, send, archived, chain, rows } = pipeline(`died-${point}`);
    const first = await start();
    await send(1, 21);
    await archived(40);
    await stop(first);
    // What the dead process left: an entry, and not (all of) its objects.
    const [link] = await chain();
    const keys = link?.entry.objects.map(({ key }) => key) as string[];
    const before = await rows('SELECT * FROM ?files ORDER BY trace_id, span_id');
    for (const key of point === 'after-chain' ? keys : keys.slice(1)) await bucket.delete(key);
    await send(21, 31);
    await start();
    expectOnce(await archived(60), 30);
    const after = await rows('SELECT * FROM ?files ORDER BY trace_id, span_id');
    expect(after.slice(0, 40)).toEqual(before);
    expect((await chain())[0]).toEqual(link);
  });

  it('leaves no row double or missing to who globs the bucket, killed at every point', async () => {
    const points = ['before-chain', 'after-chain', 'after-object:1', 'after-object:2', 'after-objects'];
    // All at once: a dead process holds its partition until its session has ended.
    const killed = points.map(async (point) => {
      const { prefix, start, send, archived, rows } = pipeline(`killed-${point.replace(':', '-')}`);
      const env = { SPANLOOM_PREFIX: prefix, PARTITIONS: '1', ARCHIVE_RANGE_AGE_MAX_MS: '500', CRASH_AT: point };
      await prepareTopics(
        kafka,
        readSettings(defineSettings(commonSettings), { ...stackEnvironment(testStack()), ...env }),
      );
      await send(1, 21);
      const process = new Command(['service', 'archiver'], env);
      await process.exited;
      const left = await rows();
      await send(21, 31);
      await start();
      return { point, log: process.stdout.concat(process.stderr).join('\n'), left, rows: await archived(60) };
    });
    for (const { point, log, left, rows } of await Promise.all(killed)) {
      expect(log).toContain('this process kills itself on purpose');
      expect({ point, left: left.length }).toEqual({ point, left: /object/.test(point) ? 40 : 0 });
      expectOnce(rows, 30);
    }
  }, 180_000);

  it('writes OTLP when set to, and makes what was promised as OTLP also when that has changed', async () => {
    const env = { ARCHIVE_FORMAT: 'otlp' };
    const { prefix, start, stop, send, archived, chain, rows } = pipeline('otlp', env);
    const spans = async () => {
      const found = [];
      for await (const { key } of bucket.list(`${prefix}/spans_otlp/`)) {
        const bytes = key.endsWith('.otlp.zst') ? await bucket.get(key) : undefined;
        if (bytes !== undefined) found.push(...decodeOtlpObject(Buffer.from(bytes)));
      }
      return found.map(({ traceId, spanCount }) => ({ traceId, spanCount }));
    };
    const first = await start();
    await send(1, 21);
    await waitForRecords(spans, (found) => found.length >= 20);
    expect(await rows()).toEqual([]);
    await stop(first);
    const links = await chain();
    const before = await spans();
    for (const { entry } of links) for (const { key } of entry.objects) await bucket.delete(key);
    env.ARCHIVE_FORMAT = 'parquet';
    await send(21, 31);
    await start();
    await archived(20);
    expect(await spans()).toEqual(before);
    expect(new Set(before.map(({ traceId }) => traceId)).size).toBe(20);
    expect((await chain()).slice(0, links.length)).toEqual(links);
  });

  it('makes the columns that an entry says, whatever it is set to itself', async () => {
    const env: Record<string, string> = { ARCHIVE_PROMOTED_ATTRIBUTES: 'default,tenant.id' };
    const { start, stop, send, archived, chain, rows } = pipeline('promoted', env);
    const first = await start();
    await send(1, 11);
    await archived(20);
    await stop(first);
    const links = await chain();
    for (const { entry } of links) for (const { key } of entry.objects) await bucket.delete(key);
    delete env['ARCHIVE_PROMOTED_ATTRIBUTES'];
    await start();
    await archived(20);
    expect(links.map(({ entry }) => entry.promoted)).toEqual(links.map(() => ['default', 'tenant.id']));
    expect((await rows('SELECT * FROM ?files LIMIT 1'))[0]).toHaveProperty('tenant_id', null);
    await send(11, 21);
    expectOnce(await archived(40), 20);
    expect((await chain()).at(-1)?.entry).not.toHaveProperty('promoted');
  });

  it('marks what can no longer be made, and goes on', async () => {
    const { topic, start, stop, send, archived, chain } = pipeline('lost');
    const first = await start();
    await send(1, 11);
    await archived(20);
    await stop(first);
    const [link] = await chain();
    for (const { key } of link?.entry.objects ?? []) await bucket.delete(key);
    await send(11, 21);
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '15' }] });
    const second = await start();
    await archived(10);
    const [gap, next] = await waitForRecords(chain, (links) => links.length >= 2);
    expect(gap?.gap?.missing).toHaveLength(2);
    expect(next?.entry).toMatchObject({ first: 15, gapBefore: { from: 10, to: 15 } });
    expect(second.warnings.join()).toContain('can no longer be made');
    expect(second.warnings.join()).toContain('before they were archived');
  });

  it('writes rows once when two archivers work on one partition', async () => {
    const { prefix, topic, send, chain, rows } = pipeline('two');
    const start = () =>
      startService(archiver, { SPANLOOM_PREFIX: prefix, PARTITIONS: '1', ARCHIVE_RANGE_AGE_MAX_MS: '300' });
    const owner = await start();
    started.push(owner);
    const zombie = await zombieOf(prefix, topic);
    for (let from = 1; from < 201; from += 20) {
      await send(from, from + 20);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expectOnce(await waitForRecords(rows, (found) => found.length >= 400), 200);
    await zombie.stop();
    const links = await chain();
    expect(links.reduce((sum, { entry }) => sum + entry.records, 0)).toBe(200);
    // Whoever wrote an object, it has the columns of the entry that decided.
    for (const { key, entry } of links) {
      const [object] = entry.objects.filter(({ dataset }) => dataset === 'spans');
      const bytes = (await bucket.get(object?.key as string)) as Uint8Array;
      const [row = {}] = await queryParquet([bytes], 'SELECT * FROM ?files LIMIT 1');
      expect({ key, zombie: 'zombie_id' in row }).toEqual({ key, zombie: entry.promoted !== undefined });
    }
  });

  it('begins a new generation when the topic is another one', async () => {
    const { topic, start, stop, send, archived, chain } = pipeline('recreated');
    const first = await start();
    await send(1, 11);
    await archived(20);
    await stop(first);
    await admin.deleteTopics({ topics: [topic] });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const second = await start();
    await send(11, 21);
    expectOnce(await archived(40), 20);
    expect((await chain()).map(({ generation }) => generation)).toEqual([1, 2]);
    expect(second.warnings.join()).toContain('another log');
  });

  it('says how far it is behind while the store takes nothing', async () => {
    const proxy = await HttpProxy.open(testStack().s3.endpoint);
    closes.push(() => proxy.close());
    const { start, send, archived } = pipeline('store-down', { S3_ENDPOINT: proxy.url });
    const service = await start();
    await send(1, 3);
    await archived(4);
    const down = proxy.arm({ fault: { status: 503, code: 'ServiceUnavailable' } });
    await send(3, 13);
    const lag = () => service.metrics.registry.metrics();
    await waitForRecords(lag, (text) => /^spanloom_archiver_lag_records\{.*\} 10$/m.test(text), 60_000);
    down.remove();
    expectOnce(await archived(24), 12);
  }, 120_000);

  it('leaves out a record that no trace-assembler wrote, and says so', async () => {
    const { topic, start, send, archived, chain } = pipeline('foreign');
    const service = await start();
    await producer.send({ topic, messages: [{ partition: 0, value: 'nonsense' }] });
    await send(1, 3);
    expectOnce(await archived(4), 2);
    expect((await chain()).reduce((sum, { entry }) => sum + entry.refused, 0)).toBe(1);
    expect(await service.metrics.registry.metrics()).toContain('dropped_total{reason="foreign_record"} 1');
  });
});

/** A second archiver of the same partition that is in no group. */
async function zombieOf(prefix: string, topic: string): Promise<{ stop(): Promise<void> }> {
  const { createLogs } = await import('../../lib/kafka/partition-log.ts');
  const { PartitionArchiver } = await import('./adapters/partition-archiver.ts');
  const { encodeParquet } = await import('../../lib/archive/encode-parquet.ts');
  const { BytesBudget } = await import('./core/bytes-budget.ts');
  const { systemClock } = await import('../../lib/runtime/clock.ts');
  const { createHash } = await import('node:crypto');
  const logs = createLogs(createKafka({ brokers: testStack().kafka, clientId: 'zombie' }));
  const { clusterId } = await admin.describeCluster();
  const silent = () => {};
  const worker = new PartitionArchiver(
    {
      prefix,
      clusterId,
      topic,
      partition: 0,
      partitions: 1,
      writer: 'zombie',
      format: 'parquet',
      promoted: ['default', 'zombie.id'],
      limits: { bytesMax: 1024 * 1024, ageMaxMs: 200 },
      fetchBytesMax: 1024 * 1024,
    },
    {
      bucket,
      traces: logs.open(topic, 0),
      clock: systemClock,
      encodeParquet,
      encodeOtlp: encodeOtlpObject,
      digest: (parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex'),
      exclusively: (work) => work(),
      crashPoint: silent,
      events: {
        opened: silent,
        newGeneration: silent,
        gap: silent,
        lost: silent,
        unindexed: silent,
        written: silent,
        progress: silent,
        failed: silent,
        stopped: silent,
      },
    },
    new BytesBudget(64 * 1024 * 1024),
    silent,
  );
  const done = worker.run();
  return {
    stop: async () => {
      worker.stop();
      await done;
      await logs.close();
    },
  };
}
