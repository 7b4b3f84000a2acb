import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { testStack } from '../../test/support/stack.ts';
import { API_KEYS, type ForgeAnswer, KafkaProxy } from '../testkit/faults/kafka-proxy.ts';
import { FETCH_BY_ID } from './fetch-protocol.ts';
import { KafkaFixture, readToEnd, textOf } from './testkit/kafka-fixture.ts';

const FETCH = { maxBytes: 1024 * 1024, maxWaitMs: 0 };

describe('a topic that is deleted and made anew', () => {
  let fixture: KafkaFixture;
  beforeAll(async () => {
    fixture = await KafkaFixture.open('topic-ids');
  });
  afterAll(() => fixture.close());

  it('is told from the one before by whoever reads on, once, though it holds as much', async () => {
    const topic = await fixture.topic();
    await send(fixture, topic, ['a', 'b']);
    const log = fixture.logs().open(topic, 0);
    const before = await log.id();
    expect(textOf((await log.fetch({ ...FETCH, offset: 0 })).records)).toEqual(['a', 'b']);

    await makeAnew(fixture, topic);
    await send(fixture, topic, ['c', 'd', 'e']);
    await expect(log.fetch({ ...FETCH, offset: 2 })).rejects.toMatchObject({
      code: 'KAFKA_TOPIC_RECREATED',
      retryable: true,
      message: expect.stringContaining(`had the id ${before}`),
    });
    expect(textOf((await log.fetch({ ...FETCH, offset: 2 })).records)).toEqual(['e']);
    expect(await log.id()).not.toBe(before);
    expect(await fixture.logs().open(topic, 0).id()).toBe(await log.id());
  });

  it('is told by a fetch that waits for records while it happens', async () => {
    const topic = await fixture.topic();
    await send(fixture, topic, ['a']);
    const log = fixture.logs().open(topic, 0);
    const waiting = log.fetch({ ...FETCH, offset: 1, maxWaitMs: 20_000 }).catch((error: unknown) => error);
    await makeAnew(fixture, topic);
    await send(fixture, topic, ['b', 'c']);
    expect(await waiting).toMatchObject({ code: 'KAFKA_TOPIC_RECREATED' });
  });
});

describe('through brokers that say other things', () => {
  let proxy: KafkaProxy;
  let fixture: KafkaFixture;
  let forge: ForgeAnswer;
  beforeEach(async () => {
    forge = () => {};
    const [host = '', port] = testStack().kafka[0]?.split(':') ?? [];
    proxy = await KafkaProxy.open({ host, port: Number(port) }, (apiKey, frame) => forge(apiKey, frame));
    fixture = await KafkaFixture.open('topic-ids', { brokers: [`127.0.0.1:${proxy.tcp.port}`] });
  });
  afterEach(async () => {
    await fixture.close();
    await proxy.close();
  });

  it('the id that its leader answers to is believed, not what a broker names that has not heard of it', async () => {
    const topic = await fixture.topic();
    const log = fixture.logs().open(topic, 0);
    const before = (await log.id()) as string;
    await makeAnew(fixture, topic);
    const after = await log.id().catch(() => log.id());
    forge = (apiKey, frame) => {
      const at = apiKey === API_KEYS.Metadata ? frame.indexOf(Buffer.from(after as string, 'base64url')) : -1;
      if (at >= 0) Buffer.from(before, 'base64url').copy(frame, at);
    };
    // Another client, which knows nothing yet.
    const other = await KafkaFixture.open('topic-ids', { brokers: [`127.0.0.1:${proxy.tcp.port}`] });
    const asked = other.logs().open(topic, 0);
    const answer = asked.id().catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 300));
    forge = () => {};
    expect(await answer).toMatchObject({ code: 'KAFKA_TOPIC_RECREATED' });
    expect(await asked.id()).toBe(after);
    await other.close();
  });

  it('without topic ids a topic is read by its name', async () => {
    forge = withoutFetchById;
    const topic = await fixture.topic(2);
    await send(fixture, topic, ['a', 'b']);
    const log = fixture.logs().open(topic, 0);
    expect(await log.id()).toBeUndefined();
    expect(textOf(await readToEnd(log))).toEqual(['a', 'b']);
    await makeAnew(fixture, topic);
    await send(fixture, topic, ['c', 'd', 'e']);
    expect(textOf((await log.fetch({ ...FETCH, offset: 2 })).records)).toEqual(['e']);
    await expect(log.fetch({ ...FETCH, offset: 9 })).rejects.toMatchObject({ code: 'KAFKA_OFFSET_GONE' });
  });
});

/** Of the encoding that kafkajs asks for: a count, then entries of api key, least and most version. */
function withoutFetchById(apiKey: number, frame: Buffer): void {
  if (apiKey !== API_KEYS.ApiVersions) return;
  for (let entry = 0, at = VERSIONS_AT; entry < frame.readInt32BE(VERSIONS_AT - 4); entry++, at += 6)
    if (frame.readInt16BE(at) === API_KEYS.Fetch) frame.writeInt16BE(FETCH_BY_ID - 1, at + 4);
}

/** Behind the frame's length, the correlation id, the error code and the count. */
const VERSIONS_AT = 4 + 4 + 2 + 4;

async function send(fixture: KafkaFixture, topic: string, values: readonly string[]): Promise<void> {
  const producer = fixture.kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) });
  await producer.disconnect();
}

/** Deletion goes on behind its answer: until it is done, the name is taken. */
async function makeAnew({ admin }: KafkaFixture, topic: string): Promise<void> {
  await admin.deleteTopics({ topics: [topic] });
  for (let attempt = 0; attempt < 100; attempt++) {
    const made = await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] }).catch(() => false);
    if (made) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${topic} could not be made anew`);
}
