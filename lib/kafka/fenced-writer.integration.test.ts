import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openFencedWriter, RECORD_BYTES_MAX } from './fenced-writer.ts';
import { KafkaFixture, readToEnd, textOf } from './testkit/kafka-fixture.ts';
import type { OutRecord } from './types.ts';

const MIB = 1024 * 1024;
const record = (value: string | Buffer): OutRecord => ({ key: null, value: Buffer.from(value) });

describe('FencedWriter', () => {
  let fixture: KafkaFixture;
  let ids = 0;
  beforeAll(async () => {
    fixture = await KafkaFixture.open('fenced-writer');
  });
  afterAll(() => fixture.close());

  const newId = (): string => `${fixture.prefix}-${ids++}`;
  const open = async (transactionalId: string, options: { transactionTimeoutMs?: number } = {}) =>
    fixture.closing(await openFencedWriter(fixture.kafka, { transactionalId, ...options }));

  it('writes to several partitions together and answers with offsets', async () => {
    const [topic, ledger] = [await fixture.topic(2), await fixture.topic(1, { 'cleanup.policy': 'compact' })];
    const writer = await open(newId());
    for (let i = 0; i < 3; i++) {
      await writer.transaction(async (txn) => {
        // A transaction leaves two offsets behind: the record and its marker; the other partition has two records.
        expect(await txn.send(topic, 0, [record(`a${i}`)])).toEqual({ baseOffset: i * 2 });
        expect(await txn.send(topic, 1, [record(`b${i}`), record(`c${i}`)])).toEqual({ baseOffset: i * 3 });
        expect(await txn.send(ledger, 0, [{ key: 'entry', value: Buffer.from(`${i}`), headers: { h: 'v' } }])).toEqual({
          baseOffset: i * 2,
        });
      });
    }
    const logs = fixture.logs();
    expect(textOf(await readToEnd(logs.open(topic, 0)))).toEqual(['a0', 'a1', 'a2']);
    expect(textOf(await readToEnd(logs.open(topic, 1)))).toEqual(['b0', 'c0', 'b1', 'c1', 'b2', 'c2']);
    const [entry] = await readToEnd(logs.open(ledger, 0), 4);
    expect([entry?.key?.toString(), entry?.value?.toString(), entry?.headers.get('h')?.toString()]).toEqual([
      'entry',
      '2',
      'v',
    ]);
  });

  it('is read by other clients', async () => {
    const topic = await fixture.topic();
    const writer = await open(newId());
    await writer.transaction(async (txn) => {
      await txn.send(topic, 0, [{ key: 'key', value: Buffer.from('x'.repeat(5_000)), headers: { name: 'value' } }]);
    });
    const consumer = fixture.kafka.consumer({ groupId: newId() });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const seen = await new Promise<string[]>((resolve) => {
      void consumer.run({
        eachMessage: async ({ message }) => {
          resolve([String(message.key), String(message.value?.length), String(message.headers?.['name'])]);
        },
      });
    });
    await consumer.disconnect();
    expect(seen).toEqual(['key', '5000', 'value']);
  });

  it('fences its predecessor when it opens, and ends what that left open', async () => {
    const topic = await fixture.topic();
    const id = newId();
    const old = await open(id);
    let oldSent = (): void => undefined;
    let goOn = (): void => undefined;
    const sent = new Promise<void>((resolve) => {
      oldSent = resolve;
    });
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const zombie = old.transaction(async (txn) => {
      await txn.send(topic, 0, [record('of the zombie')]);
      oldSent();
      await gate;
      await txn.send(topic, 0, [record('of the zombie, later')]);
    });
    await sent;
    const young = await open(id);
    const log = fixture.logs().open(topic, 0);
    // Fenced at open, before the successor sends anything: the open transaction is aborted already.
    expect(await log.bounds()).toEqual({ start: 0, end: 2 });
    goOn();
    await expect(zombie).rejects.toMatchObject({ code: 'KAFKA_FENCED', retryable: false });
    await expect(old.transaction(async () => undefined)).rejects.toMatchObject({ code: 'KAFKA_WRITER_DEAD' });
    await young.transaction(async (txn) => {
      await txn.send(topic, 0, [record('of the successor')]);
    });
    expect(textOf(await readToEnd(log))).toEqual(['of the successor']);
  });

  it('fences a predecessor that only has its commit left to do', async () => {
    const topic = await fixture.topic();
    const id = newId();
    const old = await open(id);
    const zombie = old.transaction(async (txn) => {
      await txn.send(topic, 0, [record('too late')]);
      await open(id);
    });
    await expect(zombie).rejects.toMatchObject({ code: 'KAFKA_FENCED' });
    expect(await readToEnd(fixture.logs().open(topic, 0))).toEqual([]);
  });

  it('aborts at once and is dead when the caller fails in the middle', async () => {
    const topic = await fixture.topic();
    const writer = await open(newId());
    const failure = new Error('of the caller');
    const failed = writer.transaction(async (txn) => {
      await txn.send(topic, 0, [record('lost')]);
      throw failure;
    });
    await expect(failed).rejects.toBe(failure);
    const from = performance.now();
    expect((await fixture.logs().open(topic, 0).fetch({ offset: 0, maxBytes: MIB, maxWaitMs: 5_000 })).nextOffset).toBe(
      2,
    );
    expect(performance.now() - from).toBeLessThan(2_000);
    await expect(writer.transaction(async () => undefined)).rejects.toMatchObject({ code: 'KAFKA_WRITER_DEAD' });
  });

  it('is fenced by the broker when its transaction takes too long, so readers wait no longer than that', async () => {
    const topic = await fixture.topic();
    const writer = await open(newId(), { transactionTimeoutMs: 1_000 });
    const slow = writer.transaction(async (txn) => {
      await txn.send(topic, 0, [record('slow')]);
      // The broker looks for expired transactions every ten seconds.
      await fixture.logs().open(topic, 0).fetch({ offset: 0, maxBytes: MIB, maxWaitMs: 20_000 });
    });
    await expect(slow).rejects.toMatchObject({ code: 'KAFKA_FENCED' });
    expect(await readToEnd(fixture.logs().open(topic, 0))).toEqual([]);
  }, 40_000);

  it('splits a large send into batches that the topic takes', async () => {
    const topic = await fixture.topic(1, { 'max.message.bytes': String(4 * MIB) });
    const writer = fixture.closing(
      await openFencedWriter(fixture.kafka, { transactionalId: newId(), compression: 'none' }),
    );
    const values = Array.from({ length: 40 }, (_, i) => Buffer.alloc(300_000, i));
    await writer.transaction(async (txn) => {
      expect(await txn.send(topic, 0, values.map(record))).toEqual({ baseOffset: 0 });
      expect(await txn.send(topic, 0, [record('last')])).toEqual({ baseOffset: 40 });
    });
    const read = await readToEnd(fixture.logs().open(topic, 0));
    expect(read.map(({ offset }) => offset)).toEqual(Array.from({ length: 41 }, (_, i) => i));
    for (const [i, value] of values.entries()) expect(read[i]?.value?.equals(value)).toBe(true);
  });

  it('takes a record up to its limit and refuses a larger one before sending', async () => {
    const topic = await fixture.topic(1, { 'max.message.bytes': String(4 * MIB) });
    const writer = fixture.closing(
      await openFencedWriter(fixture.kafka, { transactionalId: newId(), compression: 'none' }),
    );
    await writer.transaction(async (txn) => {
      await txn.send(topic, 0, [record(Buffer.alloc(RECORD_BYTES_MAX - 100, 1)), record('small')]);
    });
    const tooLarge = writer.transaction(async (txn) => {
      await txn.send(topic, 0, [record('fits'), record(Buffer.alloc(RECORD_BYTES_MAX + 1))]);
    });
    await expect(tooLarge).rejects.toMatchObject({ code: 'KAFKA_RECORD_TOO_LARGE', retryable: false });
    expect(await readToEnd(fixture.logs().open(topic, 0))).toHaveLength(2);
  });

  it('keeps the order of sends that are started together', async () => {
    const topic = await fixture.topic(2);
    const writer = await open(newId());
    await writer.transaction(async (txn) => {
      await Promise.all(Array.from({ length: 10 }, (_, i) => txn.send(topic, i % 2, [record(String(i))])));
    });
    const logs = fixture.logs();
    expect(textOf(await readToEnd(logs.open(topic, 0)))).toEqual(['0', '2', '4', '6', '8']);
    expect(textOf(await readToEnd(logs.open(topic, 1)))).toEqual(['1', '3', '5', '7', '9']);
  });

  it('waits for a send that the caller forgot, and takes none after the end', async () => {
    const topic = await fixture.topic();
    const writer = await open(newId());
    let late: (() => Promise<unknown>) | undefined;
    await writer.transaction(async (txn) => {
      void txn.send(topic, 0, [record('forgotten')]);
      late = () => txn.send(topic, 0, [record('late')]);
    });
    await expect(late?.()).rejects.toThrow('this transaction has ended');
    expect(textOf(await readToEnd(fixture.logs().open(topic, 0)))).toEqual(['forgotten']);
  });

  it('costs the broker nothing when nothing was sent', async () => {
    const writer = await open(newId());
    const from = performance.now();
    for (let i = 0; i < 50; i++) await writer.transaction(async () => undefined);
    expect(performance.now() - from).toBeLessThan(100);
  });

  it('fails with the reason when the topic does not exist', async () => {
    const writer = await open(newId(), { transactionTimeoutMs: 1_000 });
    const failed = writer.transaction(async (txn) => {
      await txn.send(`${fixture.prefix}.nowhere`, 0, [record('x')]);
    });
    await expect(failed).rejects.toMatchObject({ code: 'KAFKA_TOPIC_MISSING', retryable: true });
  });
});
