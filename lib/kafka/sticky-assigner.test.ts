import { describe, expect, it } from '@jest/globals';
import { assignSticky, type GroupMember } from './sticky-assigner.ts';
import type { AssignedPartition } from './types.ts';

type Assignment = Map<string, AssignedPartition[]>;

const member = (
  memberId: string,
  topics: string[],
  owned: AssignedPartition[] = [],
  ownedGeneration = 1,
): GroupMember => ({
  memberId,
  topics,
  owned,
  ownedGeneration,
});
const partitions = (topic: string, ...numbers: number[]): AssignedPartition[] =>
  numbers.map((partition) => ({ topic, partition }));
const names = (assignment: Assignment): Record<string, string[]> =>
  Object.fromEntries(
    [...assignment].map(([id, list]) => [id, list.map(({ topic, partition }) => `${topic}${partition}`)]),
  );

describe('assignSticky', () => {
  it('spreads one topic over new members', () => {
    const assignment = assignSticky([member('b', ['t']), member('a', ['t'])], new Map([['t', 5]]));
    expect(names(assignment)).toEqual({ a: ['t0', 't2', 't4'], b: ['t1', 't3'] });
  });

  it('gives a joining member its share and moves nothing else', () => {
    const before = partitions('t', 0, 1, 2, 3);
    const assignment = assignSticky([member('a', ['t'], before), member('b', ['t'])], new Map([['t', 4]]));
    expect(names(assignment)).toEqual({ a: ['t0', 't1'], b: ['t2', 't3'] });
  });

  it('spreads what a leaving member had and moves nothing else', () => {
    const assignment = assignSticky(
      [member('a', ['t'], partitions('t', 0, 3)), member('c', ['t'], partitions('t', 2, 5))],
      new Map([['t', 6]]),
    );
    expect(names(assignment)).toEqual({ a: ['t0', 't1', 't3'], c: ['t2', 't4', 't5'] });
  });

  it('gives a member without previous partitions nothing when there are too few', () => {
    const assignment = assignSticky([member('b', ['t']), member('a', ['t'], partitions('t', 0))], new Map([['t', 1]]));
    expect(names(assignment)).toEqual({ a: ['t0'], b: [] });
  });

  it('believes the later generation when two members claim a partition', () => {
    const assignment = assignSticky(
      [member('a', ['t'], partitions('t', 0, 1), 3), member('b', ['t'], partitions('t', 0, 1), 4)],
      new Map([['t', 2]]),
    );
    expect(names(assignment)).toEqual({ a: ['t1'], b: ['t0'] });
  });

  it('gives partitions only to who subscribed to their topic', () => {
    const assignment = assignSticky(
      [member('a', ['t', 'u']), member('b', ['u'], partitions('t', 0, 1))],
      new Map([
        ['t', 4],
        ['u', 2],
      ]),
    );
    expect(names(assignment)).toEqual({ a: ['t0', 't1', 't2', 't3'], b: ['u0', 'u1'] });
  });

  it('spreads each of several topics, not only their sum', () => {
    const counts = new Map(['big', 'small'].map((topic) => [topic, 6]));
    const all = [...partitions('big', 0, 1, 2, 3, 4, 5), ...partitions('small', 0, 1, 2, 3, 4, 5)];
    const assignment = assignSticky([member('a', ['big', 'small'], all), member('b', ['big', 'small'])], counts);
    for (const list of assignment.values()) {
      expect(list.filter(({ topic }) => topic === 'big')).toHaveLength(3);
      expect(list.filter(({ topic }) => topic === 'small')).toHaveLength(3);
    }
  });

  it('takes in new partitions and topics without moving the old ones', () => {
    const before = assignSticky([member('a', ['t']), member('b', ['t'])], new Map([['t', 4]]));
    const members = ['a', 'b'].map((id) => member(id, ['t', 'u'], before.get(id)));
    const after = assignSticky(
      members,
      new Map([
        ['t', 6],
        ['u', 2],
      ]),
    );
    expect(moved(before, after)).toBe(0);
    expect(sizes(after)).toEqual([4, 4]);
  });

  it('ignores topics that do not exist and claims on partitions that are gone', () => {
    const assignment = assignSticky([member('a', ['t', 'nowhere'], partitions('t', 0, 9))], new Map([['t', 1]]));
    expect(names(assignment)).toEqual({ a: ['t0'] });
  });

  it('is balanced, complete and stable through any series of joins and leaves', () => {
    const next = lcg(42);
    for (let round = 0; round < 150; round++) {
      const topics = ['t', 'u', 'v'].slice(0, 1 + (next() % 3));
      const counts = new Map(topics.map((topic) => [topic, 1 + (next() % 13)]));
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      let ids = ['m0', 'm1'];
      let before: Assignment = new Map();
      for (let step = 0; step < 6; step++) {
        const left = before.size > 0 && next() % 2 === 0 && ids.length > 1 ? ids[next() % ids.length] : undefined;
        ids = left === undefined ? [...ids, `m${round}-${step}`] : ids.filter((id) => id !== left);
        const members = ids.map((id) => member(id, topics, before.get(id) ?? [], step));
        const after = assignSticky(members, counts);
        expect(names(assignSticky([...members].reverse(), counts))).toEqual(names(after));
        const given = [...after.values()].flat().map(({ topic, partition }) => `${topic}/${partition}`);
        expect(new Set(given).size).toBe(total);
        expect(given).toHaveLength(total);
        const all = sizes(after);
        expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(1);
        expect(moved(before, after)).toBe(fewestMoves(before, ids, total));
        before = after;
      }
    }
  });
});

function sizes(assignment: Assignment): number[] {
  return [...assignment.values()].map((list) => list.length);
}

/** Partitions that a member that stays had and now another has. */
function moved(before: Assignment, after: Assignment): number {
  let count = 0;
  for (const [id, list] of before) {
    const now = after.get(id);
    if (now === undefined) continue;
    const kept = new Set(now.map(({ topic, partition }) => `${topic}/${partition}`));
    count += list.filter(({ topic, partition }) => !kept.has(`${topic}/${partition}`)).length;
  }
  return count;
}

/** The staying members may keep as many as a balanced assignment allows, the fullest of them one more. */
function fewestMoves(before: Assignment, ids: readonly string[], total: number): number {
  const floor = Math.floor(total / ids.length);
  let extra = total % ids.length;
  let moves = 0;
  for (const had of ids.map((id) => before.get(id)?.length ?? 0).sort((a, b) => b - a)) {
    const keeps = had > floor && extra > 0 ? floor + 1 : floor;
    if (keeps > floor) extra--;
    moves += Math.max(0, had - keeps);
  }
  return moves;
}

function lcg(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state >>> 8;
  };
}
