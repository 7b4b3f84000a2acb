import timers from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { describeError, SpanloomError } from '../errors/spanloom-error.ts';
import { acquireLinks, type BrokerLinks, isCoordinatorChange, retryBriefly } from './broker-links.ts';
import type { KafkaLog } from './client.ts';
import { kafkaErrorType } from './errors.ts';
import {
  assignmentsFor,
  decodeAssignment,
  heartbeatRequest,
  type JoinResponse,
  joinRequest,
  leaveRequest,
  type MemberOfGeneration,
  offsetCommitRequest,
  syncRequest,
  topicsOfMembers,
} from './group-protocol.ts';
import type { ProtocolRequest } from './kafkajs-internals.ts';
import { isPattern, matchTopics } from './topic-patterns.ts';
import type { AssignedPartition, Membership } from './types.ts';

export interface MembershipOptions {
  readonly groupId: string;
  /** Names, or `/patterns/` that whole names match; a function is asked again at every refresh. */
  readonly topics: readonly string[] | (() => Promise<readonly string[]>);
  /**
   * Called with everything this member now has, sorted, after each change of it, and with nothing when the group threw the
   * member out. What is missing from the list belongs to others from now on. Must not throw.
   */
  readonly onAssignment: (assigned: readonly AssignedPartition[]) => void;
  /** How often topics and partition counts are looked up again; default 30 000 ms. */
  readonly refreshMs?: number;
  /** How often reported offsets are committed for lag tools; default 5 000 ms. */
  readonly offsetCommitMs?: number;
  readonly log?: KafkaLog;
}

/**
 * Joins a consumer group for its assignment alone: no record is fetched, no offset read, reset or sought through it.
 *
 * The group protocol is spoken directly (join, sync, heartbeat, leave): kafkajs's consumer would fetch and reset offsets
 * unless paused in time, leaves the group to change its topics, and heartbeats only between fetches. Here a member keeps
 * its id when topics or partition counts change, and partitions stay with it while the group rebalances: whoever gets them
 * fences this member's writer, so two owners for a moment do no harm.
 *
 * Resolves once the first assignment is there and `onAssignment` was called with it.
 * @throws SpanloomError KAFKA_UNREACHABLE, KAFKA_NOT_ALLOWED, KAFKA_REQUEST_FAILED when the first join fails.
 */
export async function joinGroup(kafka: Kafka, options: MembershipOptions): Promise<Membership> {
  const member = new GroupMembership(acquireLinks(kafka), options);
  try {
    await member.join();
  } catch (error) {
    await member.leave();
    throw error;
  }
  member.stay();
  return member;
}

const HEARTBEAT_MS = 1_000;
const REFRESH_MS = 30_000;
const OFFSET_COMMIT_MS = 5_000;
const JOIN_MS = 15_000;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 2_000;
const LEAVE_MS = 3_000;

class GroupMembership implements Membership {
  readonly #links: BrokerLinks;
  readonly #options: MembershipOptions;
  readonly #offsets = new Map<string, AssignedPartition & { nextOffset: number }>();
  readonly #left = new AbortController();
  #staying: Promise<void> = Promise.resolve();
  #coordinator: number | undefined;
  #memberId = '';
  #generationId = -1;
  #topics: readonly string[] = [];
  /** Partition counts of the topics as of the last join; a change means a new join. */
  #shape = '';
  #assigned: readonly AssignedPartition[] | undefined;
  #assignedGeneration = -1;
  #refreshedAtMs = 0;
  #committedAtMs = performance.now();

  constructor(links: BrokerLinks, options: MembershipOptions) {
    this.#links = links;
    this.#options = options;
  }

  reportOffset({ topic, partition }: AssignedPartition, nextOffset: number): void {
    this.#offsets.set(`${topic}/${partition}`, { topic, partition, nextOffset });
  }

  async commit({ topic, partition }: AssignedPartition, nextOffset: number, note: string): Promise<void> {
    // What was reported before is behind this.
    this.#offsets.delete(`${topic}/${partition}`);
    await this.#request(offsetCommitRequest(this.#generation(), [{ topic, partition, nextOffset, note }]));
  }

  async leave(): Promise<void> {
    if (this.#left.signal.aborted) return;
    this.#left.abort();
    await Promise.race([this.#goAway(), timers.setTimeout(LEAVE_MS, undefined, { ref: false })]);
  }

  async #goAway(): Promise<void> {
    if (this.#generationId >= 0) await this.#commitOffsets();
    if (this.#memberId !== '' && this.#coordinator !== undefined) {
      // The coordinator then also answers a join that still waits for the others.
      const request = leaveRequest(this.#options.groupId, this.#memberId);
      await this.#links.send(this.#coordinator, request).catch((error) => this.#warn('leaving', error));
    }
    await this.#staying;
    await this.#links.release();
  }

  /** One pass of join and sync, repeated while the group moves on meanwhile. */
  async join(): Promise<void> {
    const { groupId } = this.#options;
    await this.#lookUpTopics();
    const until = performance.now() + JOIN_MS;
    const assignment = await retryBriefly(
      async () => {
        const joined = await this.#joinOnce();
        const leads = joined.leaderId === joined.memberId;
        const groupAssignment = leads
          ? assignmentsFor(joined.members, await this.#partitionCounts(topicsOfMembers(joined.members)))
          : [];
        const { memberAssignment } = await this.#request(syncRequest(this.#generation(), groupAssignment));
        return decodeAssignment(memberAssignment);
      },
      {
        doing: `joining group ${groupId}`,
        until,
        isWorthRetry: (error) => !this.#left.signal.aborted && this.#mayRejoin(error),
      },
    );
    this.#assign(assignment);
  }

  /** Heartbeats, refreshes and joins again until `leave`. */
  stay(): void {
    this.#staying = this.#stay();
  }

  async #stay(): Promise<void> {
    let pauseMs = HEARTBEAT_MS;
    let mustJoin = false;
    while (await this.#pause(pauseMs)) {
      try {
        if (mustJoin || (await this.#topicsChanged())) {
          mustJoin = true;
          await this.join();
          mustJoin = false;
        } else {
          await this.#request(heartbeatRequest(this.#generation()));
          if (performance.now() - this.#committedAtMs >= (this.#options.offsetCommitMs ?? OFFSET_COMMIT_MS))
            await this.#commitOffsets();
        }
        pauseMs = HEARTBEAT_MS;
      } catch (error) {
        if (this.#left.signal.aborted) return;
        const mayRejoin = this.#mayRejoin(error);
        const moved = mayRejoin && !isCoordinatorChange(error);
        mustJoin ||= moved;
        pauseMs = moved ? 0 : Math.min(RETRY_MAX_MS, Math.max(pauseMs, RETRY_MIN_MS) * 2);
        if (!moved) this.#warn('staying', error);
      }
    }
  }

  async #joinOnce(): Promise<JoinResponse> {
    const { groupId } = this.#options;
    const subscription = {
      topics: this.#topics,
      owned: this.#assigned ?? [],
      ownedGeneration: this.#assignedGeneration,
    };
    let joined: JoinResponse;
    try {
      joined = await this.#request(joinRequest(groupId, this.#memberId, subscription));
    } catch (error) {
      // A new member is first told its id, so that a join that is sent twice does not leave a ghost in the group.
      const memberId = (error as { memberId?: unknown }).memberId;
      if (typeof memberId !== 'string' || memberId === '') throw error;
      this.#memberId = memberId;
      joined = await this.#request(joinRequest(groupId, memberId, subscription));
    }
    this.#memberId = joined.memberId;
    this.#generationId = joined.generationId;
    return joined;
  }

  async #request<T>(request: ProtocolRequest<T>): Promise<T> {
    this.#coordinator ??= await this.#links.coordinatorOf('group', this.#options.groupId);
    return this.#links.send(this.#coordinator, request);
  }

  /** Brings the member's state in line with the error; true when joining again is the answer to it. */
  #mayRejoin(error: unknown): boolean {
    if (isCoordinatorChange(error)) {
      this.#coordinator = undefined;
      return true;
    }
    const type = kafkaErrorType(error);
    if (type === 'UNKNOWN_MEMBER_ID' || type === 'ILLEGAL_GENERATION') {
      // The group went on without this member: others have its partitions by now.
      if (type === 'UNKNOWN_MEMBER_ID') this.#memberId = '';
      this.#generationId = -1;
      if (this.#assigned !== undefined && this.#assigned.length > 0) this.#assign([]);
      return true;
    }
    return type === 'REBALANCE_IN_PROGRESS' || type === 'MEMBER_ID_REQUIRED';
  }

  #assign(assigned: readonly AssignedPartition[]): void {
    if (this.#left.signal.aborted) return;
    const unchanged = this.#assigned !== undefined && nameOf(assigned) === nameOf(this.#assigned);
    this.#assigned = assigned;
    this.#assignedGeneration = this.#generationId;
    const held = new Set(assigned.map(({ topic, partition }) => `${topic}/${partition}`));
    for (const key of this.#offsets.keys()) if (!held.has(key)) this.#offsets.delete(key);
    if (!unchanged) this.#options.onAssignment(assigned);
  }

  async #lookUpTopics(): Promise<void> {
    const { topics: named } = this.#options;
    const wanted = typeof named === 'function' ? await named() : named;
    const counts = await this.#partitionCounts(wanted.some(isPattern) ? undefined : wanted);
    this.#topics = matchTopics(wanted, counts.keys());
    this.#shape = this.#topics.map((topic) => `${topic}:${counts.get(topic) ?? 0}`).join();
    this.#refreshedAtMs = performance.now();
  }

  async #topicsChanged(): Promise<boolean> {
    if (performance.now() - this.#refreshedAtMs < (this.#options.refreshMs ?? REFRESH_MS)) return false;
    const before = this.#shape;
    await this.#lookUpTopics();
    return this.#shape !== before;
  }

  async #partitionCounts(topics: readonly string[] | undefined): Promise<ReadonlyMap<string, number>> {
    // An empty list would ask for all topics.
    return topics?.length === 0 ? new Map() : this.#links.partitionCounts(topics);
  }

  async #commitOffsets(): Promise<void> {
    this.#committedAtMs = performance.now();
    const offsets = [...this.#offsets.values()];
    if (offsets.length === 0) return;
    this.#offsets.clear();
    await this.#request(offsetCommitRequest(this.#generation(), offsets)).catch((error) =>
      this.#warn('committing offsets', error),
    );
  }

  #generation(): MemberOfGeneration {
    return { groupId: this.#options.groupId, memberId: this.#memberId, generationId: this.#generationId };
  }

  /** False when the member left instead. */
  async #pause(ms: number): Promise<boolean> {
    const { signal } = this.#left;
    if (ms > 0) await timers.setTimeout(ms, undefined, { signal }).catch(() => undefined);
    return !signal.aborted;
  }

  #warn(doing: string, error: unknown): void {
    const cause = error instanceof SpanloomError ? error.code : kafkaErrorType(error);
    this.#options.log?.('warn', `Group ${this.#options.groupId}: ${doing} failed: ${describeError(error)}`, { cause });
  }
}

function nameOf(assigned: readonly AssignedPartition[]): string {
  return assigned.map(({ topic, partition }) => `${topic}/${partition}`).join();
}
