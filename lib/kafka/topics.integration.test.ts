import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testStack, uniquePrefix } from '../../test/support/stack.ts';
import { createKafka } from './client.ts';
import { KafkaFixture } from './testkit/kafka-fixture.ts';
import { ensureTopics, type TopicSpec } from './topics.ts';

let fixture: KafkaFixture;

beforeAll(async () => {
  fixture = await KafkaFixture.open('topics');
});

afterAll(() => fixture.close());

const spec = (name: string, over: Partial<TopicSpec> = {}): TopicSpec => ({
  name,
  partitions: 2,
  config: { 'retention.ms': '7200000', 'cleanup.policy': 'delete' },
  ...over,
});

const create = { create: true, replicationFactor: 1 };

describe('ensureTopics', () => {
  it('creates what is missing and finds nothing wrong with it, also when many do so at once', async () => {
    const prefix = uniquePrefix('ensure');
    const specs = Array.from({ length: 9 }, (_, i) => spec(`${prefix}.${i}`));
    const problems = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        ensureTopics(createKafka({ brokers: testStack().kafka, clientId: `starts-${i}` }), specs, create),
      ),
    );
    expect(problems.flat()).toEqual([]);
    const { topics } = await fixture.admin.fetchTopicMetadata({ topics: specs.map(({ name }) => name) });
    expect(topics.map(({ partitions }) => partitions.length)).toEqual(specs.map(() => 2));
  });

  it.each<[string, Partial<TopicSpec>, RegExp | undefined]>([
    ['another number of partitions', { partitions: 3 }, /has 2 partitions, but PARTITIONS is 3/],
    ['at least as many partitions as needed', { partitions: 5, partitionsMin: 1 }, undefined],
    ['another setting', { config: { 'retention.ms': '1' } }, /has retention\.ms=7200000, but 1 is needed/],
    ['more than is needed', { config: { 'retention.ms': '1' }, atLeast: ['retention.ms'] }, undefined],
    ['less than is needed', { config: { 'retention.ms': '9000000' }, atLeast: ['retention.ms'] }, /at least 9000000/],
  ])('says what is wrong with a topic that has %s', async (_, over, sentence) => {
    const name = `${uniquePrefix('check')}.t`;
    await ensureTopics(fixture.kafka, [spec(name)], create);
    const problems = await ensureTopics(fixture.kafka, [spec(name, over)], create);
    if (sentence === undefined) expect(problems).toEqual([]);
    else expect(problems).toEqual([expect.stringMatching(sentence)]);
  });

  it('creates nothing when it may not, and says what is missing', async () => {
    const name = `${uniquePrefix('missing')}.t`;
    const problems = await ensureTopics(fixture.kafka, [spec(name)], { create: false, replicationFactor: 1 });
    expect(problems).toEqual([expect.stringContaining(`Topic ${name} is missing`)]);
  });
});
