import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs, { type Transaction as KafkajsTransaction } from 'kafkajs';
import { UndecodableBatchError } from './errors.ts';
import { openFencedWriter } from './fenced-writer.ts';
import { KafkaFixture, readToEnd, textOf } from './testkit/kafka-fixture.ts';

const MIB = 1024 * 1024;

describe('PartitionLog', () => {
  let fixture: KafkaFixture;
  beforeAll(async () => {
    fixture = await KafkaFixture.open('partition-log');
  });
  afterAll(() => fixture.close());

  /** Transactions of kafkajs's own producer, so that reading is not only tested against our writing. */
  const foreignProducer = async (name: string): Promise<{ begin(): Promise<KafkajsTransaction> }> => {
    const producer = fixture.kafka.producer({ transactionalId: `${fixture.prefix}-${name}`, maxInFlightRequests: 1 });
    await producer.connect();
    fixture.closing({ close: () => producer.disconnect() });
    return { begin: () => producer.transaction() };
  };
  const send = (txn: KafkajsTransaction, topic: string, ...values: string[]) =>
    txn.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) });

  it('reads keys, values, headers and times of other clients, with every codec', async () => {
    const topic = await fixture.topic();
    const producer = fixture.kafka.producer();
    await producer.connect();
    for (const compression of [
      kafkajs.CompressionTypes.None,
      kafkajs.CompressionTypes.GZIP,
      kafkajs.CompressionTypes.ZSTD,
    ]) {
      const headers = JSON.parse('{"__proto__":"own","constructor":"plain"}') as Record<string, string>;
      const value = `codec ${compression} ${'x'.repeat(2_000)}`;
      await producer.send({ topic, compression, messages: [{ key: 'k', value, headers, timestamp: '1700000000000' }] });
    }
    await producer.disconnect();
    const records = await readToEnd(fixture.logs().open(topic, 0));
    expect(records.map(({ offset }) => offset)).toEqual([0, 1, 2]);
    for (const record of records) {
      expect(record.key?.toString()).toBe('k');
      expect(record.timestampMs).toBe(1_700_000_000_000);
      expect(record.value?.length).toBe(2_008);
      expect(record.headers.get('__proto__')?.toString()).toBe('own');
      expect(record.headers.get('constructor')?.toString()).toBe('plain');
    }
  });

  it('gives the append time of the broker on a LogAppendTime topic', async () => {
    const topic = await fixture.topic(1, { 'message.timestamp.type': 'LogAppendTime' });
    const producer = fixture.kafka.producer();
    await producer.connect();
    const before = Date.now();
    await producer.send({ topic, messages: [{ value: 'x', timestamp: '1000' }] });
    await producer.disconnect();
    const [record] = await readToEnd(fixture.logs().open(topic, 0));
    expect(record?.timestampMs).toBeGreaterThan(before - 5_000);
    expect(record?.timestampMs).toBeLessThan(Date.now() + 5_000);
  });

  it('shows nothing of aborted transactions of two producers, from whatever offset it starts', async () => {
    const topic = await fixture.topic();
    const [one, two] = await Promise.all([foreignProducer('abort-1'), foreignProducer('abort-2')]);
    const a = await one.begin();
    const b = await two.begin();
    for (let i = 0; i < 3; i++) {
      await send(a, topic, `lost a${i}`);
      await send(b, topic, `lost b${i}`);
    }
    await b.abort();
    await a.abort();
    const kept = await one.begin();
    await send(kept, topic, 'kept 1', 'kept 2');
    const lost = await two.begin();
    await send(lost, topic, 'lost again');
    await kept.commit();
    await lost.abort();

    const log = fixture.logs().open(topic, 0);
    const { start, end } = await log.bounds();
    const all = await readToEnd(log);
    expect(textOf(all)).toEqual(['kept 1', 'kept 2']);
    for (let from = start; from < end; from++) {
      const expected = all.filter(({ offset }) => offset >= from);
      expect(textOf(await readToEnd(log, from))).toEqual(textOf(expected));
    }
  });

  it('takes a key of four zero bytes for data (K2)', async () => {
    const topic = await fixture.topic();
    const producer = await foreignProducer('zero-key');
    const aborted = await producer.begin();
    await aborted.send({ topic, messages: [{ key: Buffer.alloc(4), value: 'lost' }, { value: 'lost too' }] });
    await aborted.abort();
    const committed = await producer.begin();
    await committed.send({ topic, messages: [{ key: Buffer.alloc(4), value: 'kept' }] });
    await committed.commit();
    expect(textOf(await readToEnd(fixture.logs().open(topic, 0)))).toEqual(['kept']);
  });

  it('stops at the first open transaction and goes on when it ends', async () => {
    const topic = await fixture.topic();
    const producer = await foreignProducer('open');
    const first = await producer.begin();
    await send(first, topic, 'done');
    await first.commit();
    const open = await producer.begin();
    await send(open, topic, 'open');
    const log = fixture.logs().open(topic, 0);
    expect(await log.bounds()).toEqual({ start: 0, end: 2 });
    const before = await log.fetch({ offset: 0, maxBytes: MIB, maxWaitMs: 0 });
    expect(textOf(before.records)).toEqual(['done']);
    expect(before).toMatchObject({ nextOffset: 2, lastStableOffset: 2, highWatermark: 3, logStartOffset: 0 });
    await open.commit();
    const after = await log.fetch({ offset: 2, maxBytes: MIB, maxWaitMs: 5_000 });
    expect(textOf(after.records)).toEqual(['open']);
  });

  it('reaches the exact end when only markers follow', async () => {
    const topic = await fixture.topic();
    const producer = await foreignProducer('markers');
    const aborted = await producer.begin();
    await send(aborted, topic, 'lost');
    await aborted.abort();
    const log = fixture.logs().open(topic, 0);
    const fetched = await log.fetch({ offset: 0, maxBytes: MIB, maxWaitMs: 1_000 });
    expect(fetched.records).toEqual([]);
    expect(fetched.nextOffset).toBe(2);
    expect(fetched.nextOffset).toBe(fetched.lastStableOffset);
  });

  it('waits for a record as long as asked, and no longer', async () => {
    const topic = await fixture.topic();
    const log = fixture.logs().open(topic, 0);
    const idleFrom = performance.now();
    const nothing = await log.fetch({ offset: 0, maxBytes: MIB, maxWaitMs: 300 });
    expect(nothing).toMatchObject({ records: [], nextOffset: 0, lastStableOffset: 0 });
    expect(performance.now() - idleFrom).toBeGreaterThan(250);

    const waiting = log.fetch({ offset: 0, maxBytes: MIB, maxWaitMs: 20_000 });
    const producer = fixture.kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ value: 'awaited' }] });
    await producer.disconnect();
    expect(textOf((await waiting).records)).toEqual(['awaited']);
    expect(performance.now() - idleFrom).toBeLessThan(10_000);
  });

  it('does not hold up one partition behind the long poll of another', async () => {
    const topic = await fixture.topic(8);
    const logs = fixture.logs();
    const polls = Array.from({ length: 8 }, (_, p) =>
      logs.open(topic, p).fetch({ offset: 0, maxBytes: MIB, maxWaitMs: 1_500 }),
    );
    const from = performance.now();
    await logs.open(topic, 0).bounds();
    expect(performance.now() - from).toBeLessThan(1_000);
    await Promise.all(polls);
    expect(performance.now() - from).toBeLessThan(4_000);
  });

  it('says that an offset is gone, below the start and above the end', async () => {
    const topic = await fixture.topic();
    const writer = fixture.closing(
      await openFencedWriter(fixture.kafka, { transactionalId: `${fixture.prefix}-gone` }),
    );
    await writer.transaction(async (txn) => {
      await txn.send(
        topic,
        0,
        ['a', 'b', 'c'].map((value) => ({ key: null, value: Buffer.from(value) })),
      );
    });
    // kafkajs only deletes from topics that its admin client has looked at.
    await fixture.admin.fetchTopicOffsets(topic);
    await fixture.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] });
    const log = fixture.logs().open(topic, 0);
    await expect(log.fetch({ offset: 1, maxBytes: MIB, maxWaitMs: 0 })).rejects.toMatchObject({
      code: 'KAFKA_OFFSET_GONE',
      retryable: false,
      message: expect.stringMatching(/Offset 1 .* from 2 to 4/),
    });
    await expect(log.fetch({ offset: 5, maxBytes: MIB, maxWaitMs: 0 })).rejects.toMatchObject({
      code: 'KAFKA_OFFSET_GONE',
    });
    expect(textOf((await log.fetch({ offset: 2, maxBytes: MIB, maxWaitMs: 0 })).records)).toEqual(['c']);
  });

  it('reads a record of 10 MiB although maxBytes is smaller', async () => {
    const topic = await fixture.topic(1, { 'max.message.bytes': String(12 * MIB) });
    const value = Buffer.alloc(10 * MIB, 'long ');
    const producer = fixture.kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ value }, { value: 'after' }] });
    await producer.disconnect();
    const [big, after] = await readToEnd(fixture.logs().open(topic, 0));
    expect(big?.value?.equals(value)).toBe(true);
    expect(after?.value?.toString()).toBe('after');
  });

  it('refuses bombs within bounded memory, and reads on behind them', async () => {
    const topic = await fixture.topic();
    const bomb = Buffer.alloc(256 * MIB);
    const producer = fixture.kafka.producer();
    await producer.connect();
    // One record of 256 MiB of zeroes, packed to 256 KiB; the broker checks its size as packed.
    const boundedZstd = fixture.kafka.producer();
    await boundedZstd.connect();
    await boundedZstd.send({ topic, compression: kafkajs.CompressionTypes.ZSTD, messages: [{ value: bomb }] });
    await boundedZstd.disconnect();
    await producer.send({
      topic,
      compression: kafkajs.CompressionTypes.GZIP,
      messages: [{ value: bomb.subarray(0, 128 * MIB) }],
    });
    await producer.send({ topic, messages: [{ value: gzipSync('after') }] });
    await producer.disconnect();

    const log = fixture.logs({ decompressedBytesMax: 16 * MIB }).open(topic, 0);
    const rssBefore = process.memoryUsage().rss;
    for (const offset of [0, 1]) {
      const failure = await log.fetch({ offset, maxBytes: MIB, maxWaitMs: 0 }).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(UndecodableBatchError);
      expect(failure).toMatchObject({
        code: 'KAFKA_BATCH_UNDECODABLE',
        retryable: false,
        topic,
        partition: 0,
        firstOffset: offset,
        nextOffset: offset + 1,
        message: expect.stringContaining('more than 16777216 bytes'),
      });
    }
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(100 * MIB);
    expect((await log.fetch({ offset: 2, maxBytes: MIB, maxWaitMs: 0 })).records).toHaveLength(1);
  });

  it('fails soon and retryably when the topic does not exist', async () => {
    const log = fixture.logs({ retryMs: 200 }).open(`${fixture.prefix}.nowhere`, 0);
    await expect(log.bounds()).rejects.toMatchObject({ code: 'KAFKA_TOPIC_MISSING', retryable: true });
    const topic = await fixture.topic(1);
    const other = fixture.logs({ retryMs: 200 }).open(topic, 7);
    await expect(other.bounds()).rejects.toMatchObject({ retryable: true });
  });

  it('finds a topic that is created while it waits', async () => {
    const topic = `${fixture.prefix}.late`;
    const bounds = fixture.logs().open(topic, 0).bounds();
    await fixture.admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
    expect(await bounds).toEqual({ start: 0, end: 0 });
  });
});
