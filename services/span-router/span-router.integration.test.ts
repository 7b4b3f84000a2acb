import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Admin, Producer } from 'kafkajs';
import { otlpToJson } from '../../lib/codec/otlp-to-json.ts';
import { type DeadLetter, deadLetterCodec } from '../../lib/codec/records.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { partitionOfTraceId } from '../../lib/kafka/murmur2.ts';
import type { LogRecord } from '../../lib/kafka/types.ts';
import { idBytes, otlp, type SpanLiteral } from '../../lib/testkit/otlp-builder.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { scanOtlpRequest } from '../../lib/trace/otlp-scan.ts';
import { SpanTable } from '../../lib/trace/span-table.ts';
import { type ServiceUnderTest, startService } from '../../test/support/service.ts';
import { testStack, uniquePrefix } from '../../test/support/stack.ts';
import { readTopic, waitForRecords } from '../../test/support/topic.ts';
import { spanRouter } from './main.ts';

const PARTITIONS = 3;
let producer: Producer;
let admin: Admin;
const started: ServiceUnderTest[] = [];

beforeAll(async () => {
  const kafka = createKafka({ brokers: testStack().kafka, clientId: 'test-tracer' });
  producer = kafka.producer();
  admin = kafka.admin();
  await Promise.all([producer.connect(), admin.connect()]);
});

afterEach(async () => {
  for (const service of started.splice(0)) await service.stop();
});

afterAll(async () => {
  await Promise.all([producer.disconnect(), admin.disconnect()]);
});

async function pipeline(name: string, env: Record<string, string> = {}) {
  const prefix = uniquePrefix(name);
  const topics = topicNames(prefix);
  const ingest = `${prefix}-otlp`;
  const configEntries = [{ name: 'max.message.bytes', value: String(16 * 1024 * 1024) }];
  const createIngest = (topic: string) =>
    admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 2, configEntries }] });
  await createIngest(ingest);
  return {
    ingest,
    createIngest,
    start: async () => {
      const service = await startService(spanRouter, {
        SPANLOOM_PREFIX: prefix,
        PARTITIONS: String(PARTITIONS),
        INGEST_TOPICS: ingest,
        ...env,
      });
      started.push(service);
      return service;
    },
    stop: async (service: ServiceUnderTest) => {
      started.splice(started.indexOf(service), 1);
      await service.stop();
    },
    send: (value: Buffer | null, topic = ingest) => producer.send({ topic, messages: [{ partition: 1, value }] }),
    /** Everything routed so far, once there are `count` spans or more. */
    routed: (count: number) =>
      waitForRecords<RoutedSpan[]>(
        async () => (await readTopic(topics.spans, PARTITIONS)).flatMap(spansOf),
        (spans) => spans.length >= count,
      ),
    letters: (count: number) =>
      waitForRecords<DeadLetter[]>(
        async () =>
          (await readTopic(topics.deadLetters, 1)).map(({ value }) => deadLetterCodec.decode(value as Buffer)),
        (letters) => letters.length >= count,
      ),
    bundles: () => readTopic(topics.spans, PARTITIONS),
  };
}

interface RoutedSpan {
  readonly id: string;
  readonly body: string;
}

function spansOf({ value }: LogRecord): RoutedSpan[] {
  const bytes = value as Buffer;
  const table = new SpanTable();
  if (scanOtlpRequest(bytes, table) !== undefined) throw new Error('the router wrote what it would refuse');
  return Array.from({ length: table.count }, (_, row) => ({
    id: `${bytes.hexSlice(table.traceId[row], (table.traceId[row] as number) + 16)}/${bytes.hexSlice(table.spanId[row], (table.spanId[row] as number) + 8)}`,
    body: bytes.latin1Slice(table.bodyStart[row], table.bodyEnd[row]),
  }));
}

const web = (...spans: SpanLiteral[]) => otlp([{ service: 'web', spans }]);
const idOf = (trace: number, span: number) =>
  `${idBytes(trace, 16).toString('hex')}/${idBytes(span, 8).toString('hex')}`;
const manyTraces = (count: number, from = 1) =>
  web(...Array.from({ length: count }, (_, i) => ({ id: 1, trace: from + i, kind: 'server' as const })));

describe('span-router', () => {
  it('puts each span of protobuf and JSON requests on the partition of its trace, with where it came from', async () => {
    const { ingest, start, send, routed, bundles } = await pipeline('route');
    await start();
    await send(manyTraces(20));
    await send(Buffer.from(JSON.stringify(otlpToJson(manyTraces(20, 21)))));
    expect(new Set((await routed(40)).map(({ id }) => id))).toEqual(
      new Set(Array.from({ length: 40 }, (_, i) => idOf(i + 1, 1))),
    );
    for (const { value, headers } of await bundles()) {
      const bytes = value as Buffer;
      const table = new SpanTable();
      scanOtlpRequest(bytes, table);
      const partitions = Array.from({ length: table.count }, (_, row) =>
        partitionOfTraceId(bytes, table.traceId[row] as number, PARTITIONS),
      );
      expect(new Set(partitions).size).toBe(1);
      expect(headers.get('spanloom-source')?.toString()).toMatch(new RegExp(`^${ingest}/1/\\d+-\\d+$`));
    }
  });

  it('goes on where it was after a restart: nothing lost, nothing twice', async () => {
    const { start, stop, send, routed } = await pipeline('restart');
    await send(manyTraces(10));
    const first = await start();
    await routed(10);
    await stop(first);
    await send(manyTraces(10, 11));
    await start();
    await send(manyTraces(10, 21));
    await routed(30);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await routed(30)).map(({ id }) => id).sort()).toEqual(
      Array.from({ length: 30 }, (_, i) => idOf(i + 1, 1)).sort(),
    );
  });

  it('takes two routers: each reads its own partitions, every span comes out once', async () => {
    const { ingest, start, routed } = await pipeline('two');
    await start();
    await start();
    for (let i = 0; i < 20; i++) {
      await producer.send({ topic: ingest, messages: [{ partition: i % 2, value: manyTraces(5, 1 + i * 5) }] });
    }
    expect(new Set((await routed(100)).map(({ id }) => id)).size).toBe(100);
    expect(await routed(100)).toHaveLength(100);
  });

  it('takes the words out of what must not be kept', async () => {
    const attributes = { 'http.request.header.authorization': 'Bearer hidden', 'user.id': 'u-1', 'http.route': '/a' };
    const { start, send, routed } = await pipeline('redact', { REDACT_HASH: 'user.id', REDACT_HASH_KEY: 'k' });
    await start();
    await send(web({ id: 1, attributes }));
    const [span] = await routed(1);
    expect(span?.body).not.toContain('hidden');
    expect(span?.body).not.toContain('u-1');
    expect(span?.body).toContain('hmac:');
    expect(span?.body).toContain('/a');
  });

  it('reports offsets that were deleted before it could read them, by their exact number', async () => {
    const { ingest, start, stop, send, routed, letters } = await pipeline('gap');
    const first = await start();
    await send(manyTraces(1));
    await routed(1);
    await stop(first);
    for (let i = 0; i < 6; i++) await send(manyTraces(1, 2 + i));
    // kafkajs looks for leaders only in what it knows already.
    await admin.fetchTopicOffsets(ingest);
    await admin.deleteTopicRecords({ topic: ingest, partitions: [{ partition: 1, offset: '5' }] });
    const second = await start();
    await routed(3);
    expect(await letters(1)).toMatchObject([{ reason: 'offsets_lost', offset: 1, partition: 1 }]);
    expect(await second.metrics.registry.getSingleMetricAsString('spanloom_span_router_dropped_total')).toContain(
      '{reason="offsets_lost"} 4',
    );
  });
});

describe('span-router, given bad input', () => {
  const big = (bytes: number) => 'x'.repeat(bytes);
  const hundred = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`a${i}`, big(60 * 1024)]));
  const good = () => web({ id: 255, trace: 255 });

  it.each<[string, Buffer | null, { spans?: string[]; letters?: string[]; cut?: boolean }]>([
    ['undecodable bytes', Buffer.from([0xff, 0xfe, 0xfd, 0x00]), { letters: ['invalid_wire'] }],
    ['truncated protobuf', web({ id: 1 }).subarray(0, 40), { letters: ['truncated'] }],
    ['broken JSON', Buffer.from('{"resourceSpans":[{'), { letters: ['invalid_json'] }],
    ['an empty request', Buffer.alloc(0), { letters: ['empty_request'] }],
    ['a tombstone', null, { letters: ['empty_request'] }],
    [
      'an all-zero trace id',
      web({ id: 1, trace: '0'.repeat(32) }, { id: 2 }),
      { letters: ['trace_id_zero'], spans: [idOf(1, 2)] },
    ],
    ['an all-zero span id', web({ id: '0'.repeat(16) }, { id: 2 }), { letters: ['span_id_zero'], spans: [idOf(1, 2)] }],
    [
      'a short trace id',
      web({ id: 1, trace: 'abcd' }, { id: 2 }),
      { letters: ['trace_id_length'], spans: [idOf(1, 2)] },
    ],
    ['a short span id', web({ id: 'abcd' }, { id: 2 }), { letters: ['span_id_length'], spans: [idOf(1, 2)] }],
    ['a 5 MB attribute', web({ id: 1, attributes: { big: big(5_000_000) } }), { spans: [idOf(1, 1)], cut: true }],
    ['100 attributes of 60 KB', web({ id: 1, attributes: hundred }), { spans: [idOf(1, 1)], cut: true }],
    [
      'a 10 MB record',
      web(...Array.from({ length: 100 }, (_, i) => ({ id: i + 1, attributes: { body: big(100_000) } }))),
      { spans: Array.from({ length: 100 }, (_, i) => idOf(1, i + 1)) },
    ],
    ['a span stamped 1970', otlp([{ spans: [{ id: 1 }] }], { epochMs: 0 }), { spans: [idOf(1, 1)] }],
    ['a span stamped 2099', otlp([{ spans: [{ id: 1 }] }], { epochMs: 4_090_000_000_000 }), { spans: [idOf(1, 1)] }],
  ])('%s', async (name, value, { spans = [], letters = [], cut = false }) => {
    const pipe = await pipeline(
      `bad-${name
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, '-')
        .slice(0, 30)}`,
    );
    await pipe.start();
    await pipe.send(value);
    await pipe.send(good());
    const routed = await pipe.routed(spans.length + 1);
    expect(routed.map(({ id }) => id).sort()).toEqual([...spans, idOf(255, 255)].sort());
    expect((await pipe.letters(letters.length)).map(({ reason }) => reason)).toEqual(letters);
    if (cut) {
      const span = routed.find(({ id }) => id === spans[0]) as RoutedSpan;
      expect(span.body.length).toBeLessThanOrEqual(256 * 1024);
      expect(span.body).toContain('spanloom.truncated');
    }
    expect(started.flatMap(({ warnings }) => warnings)).toEqual([]);
  });

  it('the same batch twice: both go on, for the assembler to count once', async () => {
    const { start, send, routed } = await pipeline('twice');
    await start();
    await send(manyTraces(5));
    await send(manyTraces(5));
    const spans = await routed(10);
    expect(spans).toHaveLength(10);
    expect(new Set(spans.map(({ body }) => body)).size).toBe(5);
  });
});
