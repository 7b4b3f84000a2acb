import type { Kafka } from 'kafkajs';
import { SpanloomError } from '../errors/spanloom-error.ts';
import { isUnreachable, kafkaError, kafkaErrorType } from './errors.ts';
import {
  createCluster,
  errorOfCode,
  forgetVersions,
  type InnerBroker,
  type InnerCluster,
  type ProtocolRequest,
  protocolRequest,
  type RequestFor,
  sendToBroker,
} from './kafkajs-internals.ts';
import { METADATA_API_KEY, METADATA_WITH_IDS, metadataRequest, type TopicMetadata } from './metadata-protocol.ts';

/**
 * Connections to brokers, shared by everything of a process that talks through the same `Kafka` object.
 *
 * A broker works off one request of a connection at a time: a long-poll, a produce waiting for replicas or a JoinGroup holds
 * up everything behind it. So each request has a connection to itself while it runs, taken from a pool per broker that
 * grows to as many as run at once: a worker that polls four partitions has four sockets for it, and its commits,
 * heartbeats and look-ups share one or two more.
 */
export interface BrokerLinks {
  /** @throws kafkajs's errors: the protocol's have a `type`; a lost connection drops the link. */
  send<T>(nodeId: number, request: ProtocolRequest<T> | RequestFor<T>): Promise<T>;
  /** Sends to any broker that answers. */
  sendToAny<T>(request: ProtocolRequest<T> | RequestFor<T>): Promise<T>;
  /**
   * Node that leads the partition, from the cache or the cluster.
   * @throws Error with `type` UNKNOWN_TOPIC_OR_PARTITION or LEADER_NOT_AVAILABLE, both worth another try.
   */
  leaderOf(topic: string, partition: number): Promise<PartitionLeader>;
  /** Forgets what is known of a topic, after an error that says it is out of date. */
  forgetLeaders(topic: string): void;
  /** Node that coordinates a group or a transactional id. Not cached: callers keep it until an error. */
  coordinatorOf(kind: 'group' | 'transaction', key: string): Promise<number>;
  /** Partition counts of topics that exist; all topics when none is named. */
  partitionCounts(topics?: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Gives the links back. The last holder closes the sockets, waiting for requests under way. */
  release(): Promise<void>;
  /** Open sockets, for metrics and tests. */
  socketCount(): number;
}

export interface PartitionLeader {
  readonly nodeId: number;
  /** Of the topic, as the same answer had it; undefined where brokers have none. */
  readonly topicId: string | undefined;
}

/** The links of this `Kafka` object; every caller releases what it acquired. */
export function acquireLinks(kafka: Kafka): BrokerLinks {
  let pool = pools.get(kafka);
  if (pool === undefined) {
    pool = new LinkPool(createCluster(kafka), () => pools.delete(kafka));
    pools.set(kafka, pool);
  }
  return pool.hold();
}

const pools = new WeakMap<Kafka, LinkPool>();

/** More requests than this at once to one broker wait their turn. */
const LINKS_PER_BROKER_MAX = 128;

class LinkPool {
  readonly #cluster: InnerCluster;
  readonly #onClosed: () => void;
  readonly #nodes = new Map<number, Node>();
  readonly #topics = new Map<string, TopicMetadata>();
  readonly #refreshing = new Map<string, Promise<TopicMetadata>>();
  #holders = 0;

  constructor(cluster: InnerCluster, onClosed: () => void) {
    this.#cluster = cluster;
    this.#onClosed = onClosed;
  }

  hold(): BrokerLinks {
    this.#holders++;
    let released = false;
    const open = (): this => {
      if (released) throw new Error('the connections to Kafka were closed by this caller');
      return this;
    };
    return {
      send: async (nodeId, request) => open().#send(nodeId, request),
      sendToAny: async (request) => open().#sendToAny(request),
      leaderOf: async (topic, partition) => open().#leaderOf(topic, partition),
      forgetLeaders: (topic) => this.#topics.delete(topic),
      coordinatorOf: async (kind, key) => open().#coordinatorOf(kind, key),
      partitionCounts: async (topics) => open().#partitionCounts(topics ?? []),
      socketCount: () => this.#socketCount(),
      release: async () => {
        if (released) return;
        released = true;
        this.#holders--;
        if (this.#holders === 0) await this.#close();
      },
    };
  }

  async #send<T>(nodeId: number, request: ProtocolRequest<T> | RequestFor<T>): Promise<T> {
    const node = this.#nodes.get(nodeId);
    if (node === undefined) throw errorOfType('BROKER_NOT_AVAILABLE');
    await node.enter();
    try {
      const broker = node.idle.pop() ?? (await this.#newLink(node, nodeId));
      try {
        return await sendToBroker(broker, request);
      } catch (error) {
        // A request that timed out may still be answered later, so nothing else must wait behind it.
        if (isUnreachable(error)) node.drop(broker);
        throw error;
      } finally {
        if (node.all.has(broker)) node.idle.push(broker);
      }
    } finally {
      node.leave();
    }
  }

  async #newLink(node: Node, nodeId: number): Promise<InnerBroker> {
    const { brokerPool, connectionPoolBuilder } = this.#cluster;
    const broker = brokerPool.createBroker({
      connectionPool: await connectionPoolBuilder.build(node),
      logger: brokerPool.rootLogger,
      nodeId,
    });
    node.all.add(broker);
    return broker;
  }

  /** The seed broker of kafkajs's cluster: one of `brokers`, and another of them when that one fails. */
  async #sendToAny<T>(request: ProtocolRequest<T> | RequestFor<T>): Promise<T> {
    const { brokerPool } = this.#cluster;
    forgetVersions(brokerPool.seedBroker);
    await brokerPool.connect();
    const { seedBroker } = brokerPool;
    if (seedBroker === undefined) throw new Error('kafkajs connected without a seed broker');
    try {
      return await sendToBroker(seedBroker, request);
    } catch (error) {
      // Disconnected, it is tried once more and then gives way to the next of `brokers`.
      if (isUnreachable(error)) await seedBroker.disconnect();
      throw error;
    }
  }

  async #leaderOf(topic: string, partition: number): Promise<PartitionLeader> {
    const { leaders, topicId } = this.#topics.get(topic) ?? (await this.#refresh(topic));
    const nodeId = leaders.get(partition);
    if (nodeId !== undefined) return { nodeId, topicId };
    this.#topics.delete(topic);
    throw errorOfType('LEADER_NOT_AVAILABLE');
  }

  #refresh(topic: string): Promise<TopicMetadata> {
    const underWay = this.#refreshing.get(topic);
    if (underWay !== undefined) return underWay;
    const refresh = this.#metadata([topic])
      .then((topics) => {
        const found = topics.get(topic);
        if (found === undefined) throw errorOfType('UNKNOWN_TOPIC_OR_PARTITION');
        this.#topics.set(topic, found);
        return found;
      })
      .finally(() => this.#refreshing.delete(topic));
    this.#refreshing.set(topic, refresh);
    return refresh;
  }

  async #partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const metadata = await this.#metadata(topics);
    return new Map([...metadata].map(([topic, { partitionCount }]) => [topic, partitionCount]));
  }

  async #metadata(topics: readonly string[]): Promise<Map<string, TopicMetadata>> {
    const metadata = await this.#sendToAny((offers) =>
      metadataRequest(topics, offers(METADATA_API_KEY, METADATA_WITH_IDS)),
    );
    for (const { nodeId, host, port, rack } of metadata.brokers) this.#learnNode(nodeId, host, port, rack);
    const found = new Map<string, TopicMetadata>();
    for (const topic of metadata.topics) {
      if (topic.errorCode === UNKNOWN_TOPIC) continue;
      if (topic.errorCode !== 0 && topic.partitionCount === 0) throw errorOfCode(topic.errorCode);
      found.set(topic.topic, topic);
    }
    return found;
  }

  async #coordinatorOf(kind: 'group' | 'transaction', key: string): Promise<number> {
    const { coordinator } = await this.#sendToAny(
      protocolRequest<CoordinatorResponse>('GroupCoordinator', 2, {
        groupId: key,
        coordinatorType: kind === 'group' ? 0 : 1,
      }),
    );
    this.#learnNode(coordinator.nodeId, coordinator.host, coordinator.port, null);
    return coordinator.nodeId;
  }

  #learnNode(nodeId: number, host: string, port: number, rack: string | null): void {
    const known = this.#nodes.get(nodeId);
    if (known !== undefined && known.host === host && known.port === port) return;
    known?.dropAll();
    this.#nodes.set(nodeId, new Node(host, port, rack));
  }

  #socketCount(): number {
    let count = this.#cluster.brokerPool.seedBroker?.isConnected() === true ? 1 : 0;
    for (const node of this.#nodes.values()) count += [...node.all].filter((broker) => broker.isConnected()).length;
    return count;
  }

  async #close(): Promise<void> {
    this.#onClosed();
    const brokers = [...this.#nodes.values()].flatMap((node) => [...node.all]);
    this.#nodes.clear();
    await Promise.all([...brokers.map((broker) => broker.disconnect()), this.#cluster.disconnect()]);
  }
}

/** One broker of the cluster and our connections to it. */
class Node {
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
  readonly all = new Set<InnerBroker>();
  readonly idle: InnerBroker[] = [];
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(host: string, port: number, rack: string | null) {
    this.host = host;
    this.port = port;
    this.rack = rack;
  }

  async enter(): Promise<void> {
    if (this.#running < LINKS_PER_BROKER_MAX) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Hands the place to who waits longest. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }

  drop(broker: InnerBroker): void {
    this.all.delete(broker);
    broker.disconnect().catch(() => undefined);
  }

  dropAll(): void {
    for (const broker of this.all) this.drop(broker);
    this.idle.length = 0;
  }
}

/**
 * Runs `attempt` until it succeeds, while what it throws is worth another try, with pauses of 10 ms growing to 250 ms.
 * @param until `performance.now()` after which nothing is tried again.
 * @throws SpanloomError of the last failure; `doing` completes "Kafka failed while …".
 */
export async function retryBriefly<T>(
  attempt: () => Promise<T>,
  options: { doing: string; until: number; isWorthRetry: (error: unknown) => boolean },
): Promise<T> {
  for (let pauseMs = 10; ; pauseMs = Math.min(pauseMs * 1.5, 250)) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof SpanloomError) throw error;
      if (!options.isWorthRetry(error) || performance.now() + pauseMs > options.until)
        throw kafkaError(error, options.doing);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Leadership moved, or the broker or the connection went away: the same request can succeed at once elsewhere. */
export function isLeaderChange(error: unknown): boolean {
  const type = kafkaErrorType(error);
  return isUnreachable(error) || (type !== undefined && LEADER_CHANGE_TYPES.has(type));
}

/** The same for a coordinator of a group or a transactional id. */
export function isCoordinatorChange(error: unknown): boolean {
  const type = kafkaErrorType(error);
  return isUnreachable(error) || (type !== undefined && COORDINATOR_CHANGE_TYPES.has(type));
}

const LEADER_CHANGE_TYPES = new Set([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'REPLICA_NOT_AVAILABLE',
  'BROKER_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
]);

const COORDINATOR_CHANGE_TYPES = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
  'BROKER_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
]);

const UNKNOWN_TOPIC = 3;

function errorOfType(type: 'UNKNOWN_TOPIC_OR_PARTITION' | 'LEADER_NOT_AVAILABLE' | 'BROKER_NOT_AVAILABLE'): Error {
  return errorOfCode({ UNKNOWN_TOPIC_OR_PARTITION: 3, LEADER_NOT_AVAILABLE: 5, BROKER_NOT_AVAILABLE: 8 }[type]);
}

interface CoordinatorResponse {
  readonly coordinator: { readonly nodeId: number; readonly host: string; readonly port: number };
}
