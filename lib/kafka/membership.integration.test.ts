import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitForRecords } from '../../test/support/topic.ts';
import { joinGroup } from './membership.ts';
import { KafkaFixture } from './testkit/kafka-fixture.ts';
import type { Membership } from './types.ts';

describe('joinGroup', () => {
  let fixture: KafkaFixture;
  const members: Membership[] = [];
  beforeAll(async () => {
    fixture = await KafkaFixture.open('membership');
  });
  afterAll(async () => {
    await Promise.all(members.map((member) => member.leave()));
    await fixture.close();
  });

  /** A member and the partitions that it has, as it was told. */
  async function join(groupId: string, topic: string) {
    const told: number[][] = [];
    const member = await joinGroup(fixture.kafka, {
      groupId,
      topics: [topic],
      onAssignment: (assigned) => told.push(assigned.map(({ partition }) => partition)),
      ...{ refreshMs: 200, offsetCommitMs: 100 },
    });
    members.push(member);
    return { member, told, partitions: () => told.at(-1) ?? [] };
  }

  const until = (holds: () => boolean) => waitForRecords(async () => holds(), Boolean);

  it('shares partitions out, moves as few as it must, and takes in new ones', async () => {
    const topic = await fixture.topic(6);
    const first = await join(topic, topic);
    expect(first.partitions()).toEqual([0, 1, 2, 3, 4, 5]);
    const second = await join(topic, topic);
    await until(() => first.partitions().length === 3 && second.partitions().length === 3);
    expect([...first.partitions(), ...second.partitions()].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    const before = [first, second].map(({ partitions }) => partitions());
    const third = await join(topic, topic);
    await until(() => [first, second, third].every(({ partitions }) => partitions().length === 2));
    // Each has given one away. Whoever shares out anew, in whatever order, leaves each with one of what it had.
    for (const [i, { partitions }] of [first, second].entries())
      expect(before[i]).toEqual(expect.arrayContaining(partitions()));
    const kept = first.partitions();
    await Promise.all([second, third].map(({ member }) => member.leave()));
    await until(() => first.partitions().length === 6);
    await fixture.admin.createPartitions({ topicPartitions: [{ topic, count: 7 }] });
    await until(() => first.partitions().length === 7);
    // At no time was anything taken away that the member had, but what the others got.
    for (const partitions of first.told) expect(partitions).toEqual(expect.arrayContaining(kept));
  });

  it('commits the offsets that it is told and no others, so nothing is ever reset (K7, K8)', async () => {
    const topic = await fixture.topic(2);
    const producer = fixture.kafka.producer();
    await producer.connect();
    for (const partition of [0, 1]) await producer.send({ topic, messages: [{ partition, value: 'x' }] });
    await producer.disconnect();
    // Out of range: a kafkajs consumer would put its own offset in the place of this one.
    await fixture.admin.setOffsets({ groupId: topic, topic, partitions: [{ partition: 1, offset: '99' }] });
    const { member } = await join(topic, topic);
    member.reportOffset({ topic, partition: 0 }, 1);
    const committed = async () => {
      const [offsets] = await fixture.admin.fetchOffsets({ groupId: topic, topics: [topic] });
      return Object.fromEntries((offsets?.partitions ?? []).map(({ partition, offset }) => [partition, offset]));
    };
    expect(await waitForRecords(committed, ({ 0: offset }) => offset === '1')).toEqual({ 0: '1', 1: '99' });
  });
});
