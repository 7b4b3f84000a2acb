import type { AssignedPartition } from './types.ts';

/** What the leader of a group knows of one member. */
export interface GroupMember {
  readonly memberId: string;
  readonly topics: readonly string[];
  /** What the member had when it joined, and in which generation of the group it was given that. */
  readonly owned: readonly AssignedPartition[];
  readonly ownedGeneration: number;
}

/**
 * Gives every partition of the members' topics to one member that subscribed to its topic.
 *
 * A partition stays where it is unless that leaves the members more than one partition apart; then as few as possible move,
 * from the fullest to the emptiest. Moving a partition costs a drain, a fence and, for the assembler, a hand-over of its
 * open windows. Among equals the topic of which the taker has least counts, so that several topics spread too.
 * Two members that claim one partition: the claim of the later generation counts.
 *
 * @param partitionCounts by topic; topics without an entry do not exist and are left out.
 * @returns by member id, sorted by topic and partition; the same input gives the same answer whatever the order.
 */
export function assignSticky(
  members: readonly GroupMember[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, AssignedPartition[]> {
  const takers = [...members]
    .sort((a, b) => compare(a.memberId, b.memberId))
    .map((member) => new Taker(member.memberId, new Set(member.topics)));
  const free = allPartitions(members, partitionCounts);
  for (const { key, taker } of standingClaims(members, takers)) {
    const partition = free.get(key);
    if (partition === undefined) continue;
    taker.take(partition);
    free.delete(key);
  }
  for (const partition of free.values()) emptiest(takers, partition.topic)?.take(partition);
  for (let move = nextMove(takers); move !== undefined; move = nextMove(takers)) {
    move.from.give(move.partition);
    move.to.take(move.partition);
  }
  return new Map(takers.map((taker) => [taker.memberId, taker.sorted()]));
}

class Taker {
  readonly memberId: string;
  readonly topics: ReadonlySet<string>;
  readonly #partitions = new Map<string, AssignedPartition>();
  readonly #countByTopic = new Map<string, number>();

  constructor(memberId: string, topics: ReadonlySet<string>) {
    this.memberId = memberId;
    this.topics = topics;
  }

  get count(): number {
    return this.#partitions.size;
  }

  countOf(topic: string): number {
    return this.#countByTopic.get(topic) ?? 0;
  }

  take(partition: AssignedPartition): void {
    this.#partitions.set(keyOf(partition), partition);
    this.#countByTopic.set(partition.topic, this.countOf(partition.topic) + 1);
  }

  give(partition: AssignedPartition): void {
    this.#partitions.delete(keyOf(partition));
    this.#countByTopic.set(partition.topic, this.countOf(partition.topic) - 1);
  }

  sorted(): AssignedPartition[] {
    return [...this.#partitions.values()].sort(byTopicAndPartition);
  }
}

function allPartitions(
  members: readonly GroupMember[],
  counts: ReadonlyMap<string, number>,
): Map<string, AssignedPartition> {
  const topics = [...new Set(members.flatMap((member) => member.topics))].sort(compare);
  const all = new Map<string, AssignedPartition>();
  for (const topic of topics) {
    for (let partition = 0; partition < (counts.get(topic) ?? 0); partition++) {
      all.set(keyOf({ topic, partition }), { topic, partition });
    }
  }
  return all;
}

/** One claim per partition, of a member that still subscribes to the topic. */
function standingClaims(
  members: readonly GroupMember[],
  takers: readonly Taker[],
): Iterable<{ key: string; taker: Taker }> {
  const takerOf = new Map(takers.map((taker) => [taker.memberId, taker]));
  const claims = new Map<string, { key: string; taker: Taker; generation: number }>();
  for (const member of members) {
    const taker = takerOf.get(member.memberId);
    for (const partition of member.owned) {
      if (taker === undefined || !taker.topics.has(partition.topic)) continue;
      const key = keyOf(partition);
      const rival = claims.get(key);
      const wins =
        rival === undefined ||
        member.ownedGeneration > rival.generation ||
        (member.ownedGeneration === rival.generation && compare(member.memberId, rival.taker.memberId) < 0);
      if (wins) claims.set(key, { key, taker, generation: member.ownedGeneration });
    }
  }
  return claims.values();
}

function emptiest(takers: readonly Taker[], topic: string): Taker | undefined {
  let best: Taker | undefined;
  for (const taker of takers) {
    if (!taker.topics.has(topic)) continue;
    if (
      best === undefined ||
      taker.count < best.count ||
      (taker.count === best.count && taker.countOf(topic) < best.countOf(topic))
    ) {
      best = taker;
    }
  }
  return best;
}

/** A partition whose holder has at least two more than another subscriber; of the fullest holder, to the emptiest. */
function nextMove(takers: readonly Taker[]): { from: Taker; to: Taker; partition: AssignedPartition } | undefined {
  const fullestFirst = [...takers].sort((a, b) => b.count - a.count);
  for (const from of fullestFirst) {
    let best: { from: Taker; to: Taker; partition: AssignedPartition; surplus: number } | undefined;
    for (const partition of from.sorted().reverse()) {
      const to = emptiest(takers, partition.topic);
      if (to === undefined || from.count - to.count < 2) continue;
      const surplus = from.countOf(partition.topic) - to.countOf(partition.topic);
      if (best === undefined || to.count < best.to.count || (to.count === best.to.count && surplus > best.surplus)) {
        best = { from, to, partition, surplus };
      }
    }
    if (best !== undefined) return best;
  }
  return undefined;
}

function keyOf({ topic, partition }: AssignedPartition): string {
  return `${topic}/${partition}`;
}

export function byTopicAndPartition(a: AssignedPartition, b: AssignedPartition): number {
  return compare(a.topic, b.topic) || a.partition - b.partition;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
