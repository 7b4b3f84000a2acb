import kafkajs from 'kafkajs';
import { type ProtocolRequest, protocolRequest } from './kafkajs-internals.ts';
import { assignSticky, byTopicAndPartition, type GroupMember } from './sticky-assigner.ts';
import type { AssignedPartition } from './types.ts';

/*
 * Requests of Kafka's classic group protocol and what our members write into them. Versions: Kafka 2.4 and later, and
 * every 4.x so far.
 */

/** A process that was killed is missed after this time; below 6 s brokers refuse it unless they are set up for it. */
export const SESSION_MS = 8_000;
export const REBALANCE_MS = 10_000;

export interface JoinResponse {
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  /** Filled for the leader only. */
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}

/** What a member tells the group when it joins. */
export interface Subscription {
  readonly topics: readonly string[];
  readonly owned: readonly AssignedPartition[];
  readonly ownedGeneration: number;
}

export function joinRequest(
  groupId: string,
  memberId: string,
  subscription: Subscription,
): ProtocolRequest<JoinResponse> {
  return protocolRequest('JoinGroup', 5, {
    groupId,
    memberId,
    sessionTimeout: SESSION_MS,
    rebalanceTimeout: REBALANCE_MS,
    protocolType: 'consumer',
    groupProtocols: [{ name: PROTOCOL, metadata: encodeSubscription(subscription) }],
  });
}

/** @param groupAssignment empty from every member but the leader. */
export function syncRequest(
  membership: MemberOfGeneration,
  groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[],
): ProtocolRequest<{ memberAssignment: Buffer }> {
  const { groupId, memberId, generationId } = membership;
  // The answer comes when the leader has sent its assignment, which it may take the rebalance time-out for.
  return {
    ...protocolRequest<{ memberAssignment: Buffer }>('SyncGroup', 3, {
      groupId,
      memberId,
      generationId,
      groupAssignment,
    }),
    requestTimeout: REBALANCE_MS + 5_000,
  };
}

export function heartbeatRequest({ groupId, memberId, generationId }: MemberOfGeneration): ProtocolRequest<unknown> {
  return protocolRequest('Heartbeat', 3, { groupId, memberId, groupGenerationId: generationId });
}

export function leaveRequest(groupId: string, memberId: string): ProtocolRequest<unknown> {
  return protocolRequest('LeaveGroup', 3, { groupId, memberId });
}

export function offsetCommitRequest(
  { groupId, memberId, generationId }: MemberOfGeneration,
  offsets: readonly (AssignedPartition & { nextOffset: number; note?: string })[],
): ProtocolRequest<unknown> {
  const byTopic = Map.groupBy(offsets, ({ topic }) => topic);
  return protocolRequest('OffsetCommit', 5, {
    groupId,
    memberId,
    groupGenerationId: generationId,
    topics: [...byTopic].map(([topic, partitions]) => ({
      topic,
      partitions: partitions.map(({ partition, nextOffset, note = null }) => ({
        partition,
        offset: String(nextOffset),
        metadata: note,
      })),
    })),
  });
}

export interface MemberOfGeneration {
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
}

/**
 * The leader's part: an assignment for every member, as SyncGroup carries it. Its user data names the partitions that
 * another living member had, and will hand over; one that nobody had need not be waited for.
 */
export function assignmentsFor(
  members: JoinResponse['members'],
  partitionCounts: ReadonlyMap<string, number>,
): { memberId: string; memberAssignment: Buffer }[] {
  const known = members.map(decodeMember);
  return [...assignSticky(known, partitionCounts)].map(([memberId, partitions]) => {
    const others = known.filter((member) => member.memberId !== memberId);
    const hadByOthers = new Set(others.flatMap(({ owned }) => owned.map(nameOf)));
    const moving = partitions.filter((partition) => hadByOthers.has(nameOf(partition)));
    const userData: MovingUserData = { v: 1, moving: partitionsByTopic(moving) };
    return {
      memberId,
      memberAssignment: kafkajs.AssignerProtocol.MemberAssignment.encode({
        version: 0,
        assignment: partitionsByTopic(partitions),
        userData: Buffer.from(JSON.stringify(userData)),
      }),
    };
  });
}

export function topicsOfMembers(members: JoinResponse['members']): string[] {
  return [...new Set(members.flatMap((member) => decodeMember(member).topics))];
}

/** @returns sorted by topic and partition; none is `orphaned` when the leader's user data is not ours. */
export function decodeAssignment(memberAssignment: Buffer): AssignedPartition[] {
  const decoded =
    memberAssignment.length === 0 ? null : kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment);
  const byTopic = Object.entries(decoded?.assignment ?? {});
  const moving = movingIn(decoded?.userData);
  return byTopic
    .flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({
        topic,
        partition,
        orphaned: moving !== undefined && moving[topic]?.includes(partition) !== true,
      })),
    )
    .sort(byTopicAndPartition);
}

function movingIn(userData: Buffer | undefined): MovingUserData['moving'] | undefined {
  try {
    return (JSON.parse(String(userData)) as MovingUserData).moving;
  } catch {
    return undefined;
  }
}

export function encodeSubscription({ topics, owned, ownedGeneration }: Subscription): Buffer {
  const userData: OwnedUserData = { v: 1, generation: ownedGeneration, owned: partitionsByTopic(owned) };
  return kafkajs.AssignerProtocol.MemberMetadata.encode({
    version: 0,
    topics: [...topics],
    userData: Buffer.from(JSON.stringify(userData)),
  });
}

/** A member whose user data is not ours, from another release say, counts as owning nothing. */
export function decodeMember({ memberId, memberMetadata }: { memberId: string; memberMetadata: Buffer }): GroupMember {
  const decoded = kafkajs.AssignerProtocol.MemberMetadata.decode(memberMetadata);
  const topics = decoded?.topics ?? [];
  try {
    const { generation, owned } = JSON.parse(String(decoded?.userData)) as OwnedUserData;
    const partitions = Object.entries(owned).flatMap(([topic, list]) =>
      list.map((partition) => ({ topic, partition })),
    );
    return { memberId, topics, owned: partitions, ownedGeneration: generation };
  } catch {
    return { memberId, topics, owned: [], ownedGeneration: -1 };
  }
}

const PROTOCOL = 'spanloom-sticky';

interface MovingUserData {
  readonly v: 1;
  readonly moving: Readonly<Record<string, readonly number[]>>;
}

interface OwnedUserData {
  readonly v: 1;
  readonly generation: number;
  readonly owned: Readonly<Record<string, readonly number[]>>;
}

function partitionsByTopic(partitions: readonly AssignedPartition[]): Record<string, number[]> {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
  return Object.fromEntries([...byTopic].map(([topic, list]) => [topic, list.map(({ partition }) => partition)]));
}

function nameOf({ topic, partition }: AssignedPartition): string {
  return `${topic}/${partition}`;
}
