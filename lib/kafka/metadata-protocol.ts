import { type ProtocolRequest, protocolRequest } from './kafkajs-internals.ts';
import { WireCursor } from './wire-cursor.ts';
import { WireWriter } from './wire-writer.ts';

export interface ClusterMetadata {
  readonly brokers: readonly BrokerAddress[];
  readonly topics: readonly TopicMetadata[];
}

export interface BrokerAddress {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface TopicMetadata {
  /** 0, or the protocol's error code. */
  readonly errorCode: number;
  readonly topic: string;
  /** Undefined where it was not asked for, and of a topic that is not there. */
  readonly topicId: string | undefined;
  /** Leader's node by partition; of some none is known at the moment. */
  readonly leaders: ReadonlyMap<number, number>;
  readonly partitionCount: number;
}

/** The first version of Metadata that is asked for topic ids (Kafka 3.1 and later). */
export const METADATA_WITH_IDS = 12;
export const METADATA_API_KEY = 3;

/**
 * Metadata: v12 with topic ids, or v6 (Kafka 2.0 and later). kafkajs's own decoder knows no ids, and fails the whole answer
 * for one partition without a leader.
 * @param topics all when there are none.
 */
export function metadataRequest(topics: readonly string[], withIds: boolean): ProtocolRequest<ClusterMetadata> {
  return {
    request: withIds ? requestWithIds(topics) : requestOf6(topics),
    response: {
      decode: async (payload) => decodeMetadata(payload, withIds),
      parse: async (decoded) => decoded as ClusterMetadata,
    },
  };
}

type MetadataRequest = ProtocolRequest<ClusterMetadata>['request'];

function requestOf6(topics: readonly string[]): MetadataRequest {
  return protocolRequest<never>('Metadata', 6, { topics, allowAutoTopicCreation: false }).request;
}

function requestWithIds(topics: readonly string[]): MetadataRequest {
  const to = new WireWriter();
  to.tags(); // of the request's header
  to.count(topics.length === 0 ? undefined : topics.length);
  for (const topic of topics) to.uuid(undefined).string(topic).tags();
  to.boolean(false); // create topics that are not there
  to.boolean(false); // say what we may do with topics
  to.tags();
  const bytes = to.bytes();
  return {
    apiKey: METADATA_API_KEY,
    apiVersion: METADATA_WITH_IDS,
    apiName: 'Metadata',
    encode: async () => ({ buf: bytes, buffer: bytes }),
  };
}

function decodeMetadata(
  payload: Buffer,
  withIds: boolean,
): ClusterMetadata & { readonly clientSideThrottleTime: number } {
  const from = new WireCursor(payload, withIds ? 'flexible' : 'fixed');
  from.tags(); // of the answer's header
  const clientSideThrottleTime = from.int32();
  const brokers = listOf(from, () => {
    const broker = { nodeId: from.int32(), host: from.string(), port: from.int32(), rack: from.string() || null };
    from.tags();
    return broker;
  });
  from.string(); // cluster id
  from.int32(); // controller
  const topics = listOf(from, () => decodeTopic(from, withIds));
  return { clientSideThrottleTime, brokers, topics };
}

function decodeTopic(from: WireCursor, withIds: boolean): TopicMetadata {
  const errorCode = from.int16();
  const topic = from.string();
  const topicId = withIds ? from.uuid() : NO_ID;
  from.boolean(); // internal to Kafka
  const leaders = new Map<number, number>();
  const partitions = listOf(from, () => {
    from.int16(); // what is wrong with the partition: without a leader, nothing else matters here
    const partition = from.int32();
    const leader = from.int32();
    if (leader >= 0) leaders.set(partition, leader);
    if (withIds) from.int32(); // leader epoch
    // Replicas, those in sync, those offline.
    for (let list = 0; list < 3; list++) listOf(from, () => from.int32());
    from.tags();
    return partition;
  });
  if (withIds) from.int32(); // what we may do with it
  from.tags();
  return {
    errorCode,
    topic,
    topicId: topicId === NO_ID ? undefined : topicId,
    leaders,
    partitionCount: partitions.length,
  };
}

function listOf<T>(from: WireCursor, decode: () => T): T[] {
  return Array.from({ length: from.count() }, decode);
}

/** All zeros. */
const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';
