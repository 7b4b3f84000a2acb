import { describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { assignmentsFor, decodeAssignment, encodeSubscription } from './group-protocol.ts';

const TOPIC = 'spans';

/** As the leader gets it: who joins, and with which partitions of TOPIC. */
const joining = (memberId: string, ...owned: number[]) => ({
  memberId,
  memberMetadata: encodeSubscription({
    topics: [TOPIC],
    owned: owned.map((partition) => ({ topic: TOPIC, partition })),
    ownedGeneration: 1,
  }),
});

/** What each member is told, by its id: `2` is handed over by a living member or was its own, `2!` is orphaned. */
function told(partitions: number, ...members: ReturnType<typeof joining>[]): Record<string, string[]> {
  const given = assignmentsFor(members, new Map([[TOPIC, partitions]]));
  return Object.fromEntries(
    given.map(({ memberId, memberAssignment }) => [
      memberId,
      decodeAssignment(memberAssignment).map(({ partition, orphaned }) => `${partition}${orphaned ? '!' : ''}`),
    ]),
  );
}

describe('assignmentsFor', () => {
  it('tells a member that joins that the others hand their partitions over', () => {
    expect(told(4, joining('a', 0, 1, 2, 3), joining('b'))['b']).toEqual(['2', '3']);
  });

  it('tells those that take over from a dead member that nobody hands anything over', () => {
    expect(told(6, joining('a', 0, 3), joining('c', 2, 5))).toEqual({ a: ['0!', '1!', '3!'], c: ['2!', '4!', '5!'] });
  });

  it('tells the only member of a new group the same', () => {
    expect(told(2, joining('a'))).toEqual({ a: ['0!', '1!'] });
  });
});

describe('decodeAssignment', () => {
  it('takes nothing for orphaned when the leader is of another release', () => {
    const memberAssignment = kafkajs.AssignerProtocol.MemberAssignment.encode({
      version: 0,
      assignment: { [TOPIC]: [1, 0] },
      userData: Buffer.alloc(0),
    });
    expect(decodeAssignment(memberAssignment)).toEqual([
      { topic: TOPIC, partition: 0, orphaned: false },
      { topic: TOPIC, partition: 1, orphaned: false },
    ]);
  });
});
