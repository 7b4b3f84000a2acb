import { type ProtocolRequest, protocolRequest, READ_COMMITTED } from './kafkajs-internals.ts';
import type { AbortedTransaction } from './read-committed.ts';
import { WireCursor } from './wire-cursor.ts';
import { WireWriter } from './wire-writer.ts';

/** The one partition of a fetch response, its records not yet decoded. */
export interface FetchedPartition {
  /** 0, or the protocol's error code. */
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  readonly batches: Buffer;
}

export interface FetchPlan {
  readonly topic: string;
  /** Where brokers have them: the topic is read by its id, and one of the same name that was made anew is refused. */
  readonly topicId: string | undefined;
  readonly partition: number;
  readonly offset: number;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
}

/** The first version of Fetch that names topics by id (KIP-516, Kafka 3.1 and later). */
export const FETCH_BY_ID = 13;

/**
 * Fetch for one partition, read committed: v13 by the topic's id, v11 (Kafka 2.3 and later) by its name. The decoder is
 * ours: kafkajs's takes a BigInt and two strings per record, decompresses without bound, and drops the batch borders that
 * tell where to read on.
 *
 * The answer is `undefined` when the broker throttled us and sent nothing.
 */
export function fetchRequest(fetch: FetchPlan): ProtocolRequest<FetchedPartition | undefined> {
  const { topicId } = fetch;
  return {
    request: topicId === undefined ? requestByName(fetch) : requestById(fetch, topicId),
    response: {
      decode: async (payload) => decodeFetchResponse(payload, topicId === undefined ? 'by-name' : 'by-id'),
      parse: async (decoded) => (decoded as DecodedFetch).partition,
    },
    requestTimeout: fetch.maxWaitMs + ANSWER_MS,
  };
}

type FetchRequest = ProtocolRequest<FetchedPartition | undefined>['request'];

function requestByName(fetch: FetchPlan): FetchRequest {
  const { request } = protocolRequest<never>('Fetch', 11, {
    maxWaitTime: fetch.maxWaitMs,
    minBytes: 1,
    maxBytes: fetch.maxBytes,
    isolationLevel: READ_COMMITTED,
    topics: [
      {
        topic: fetch.topic,
        partitions: [{ partition: fetch.partition, fetchOffset: fetch.offset, maxBytes: fetch.maxBytes }],
      },
    ],
    rackId: '',
  });
  return request;
}

function requestById(fetch: FetchPlan, topicId: string): FetchRequest {
  const bytes = new WireWriter()
    .tags() // of the request's header
    .int32(CONSUMER)
    .int32(fetch.maxWaitMs)
    .int32(1) // bytes to wait for
    .int32(fetch.maxBytes)
    .int8(READ_COMMITTED)
    .int32(0) // session id, and
    .int32(NO_SESSION)
    .count(1)
    .uuid(topicId)
    .count(1)
    .int32(fetch.partition)
    .int32(UNKNOWN) // leader epoch as we know it
    .int64(fetch.offset)
    .int32(UNKNOWN) // epoch of the last record read
    .int64(UNKNOWN) // log start of followers
    .int32(fetch.maxBytes)
    .tags()
    .tags()
    .count(0) // topics to forget in the session
    .string('') // rack
    .tags()
    .bytes();
  return {
    apiKey: FETCH_API_KEY,
    apiVersion: FETCH_BY_ID,
    apiName: 'Fetch',
    encode: async () => ({ buf: bytes, buffer: bytes }),
  };
}

export const FETCH_API_KEY = 1;
const CONSUMER = -1;
const NO_SESSION = -1;
const UNKNOWN = -1;

/** Time for the answer beyond what the broker waits for data. */
const ANSWER_MS = 10_000;

interface DecodedFetch {
  /** Milliseconds this client must wait before its next request; kafkajs's connection sees to it. */
  readonly clientSideThrottleTime: number;
  readonly partition: FetchedPartition | undefined;
}

function decodeFetchResponse(payload: Buffer, how: 'by-name' | 'by-id'): DecodedFetch {
  const from = new WireCursor(payload, how === 'by-id' ? 'flexible' : 'fixed');
  from.tags(); // of the answer's header
  const clientSideThrottleTime = from.int32();
  const errorCode = from.int16();
  from.int32(); // session id: sessions are not used
  if (from.count() === 0) return { clientSideThrottleTime, partition: failed(errorCode) };
  if (how === 'by-id') from.uuid();
  else from.string();
  if (from.count() === 0) return { clientSideThrottleTime, partition: failed(errorCode) };
  return { clientSideThrottleTime, partition: decodePartition(from) };
}

function decodePartition(from: WireCursor): FetchedPartition {
  from.int32(); // partition: only one was asked for
  const errorCode = from.int16();
  const highWatermark = from.offset();
  const lastStableOffset = from.offset();
  const logStartOffset = from.offset();
  const aborted: AbortedTransaction[] = [];
  for (let left = from.count(); left > 0; left--) {
    aborted.push({ producerId: Number(from.int64()), firstOffset: from.offset() });
    from.tags();
  }
  from.int32(); // preferred read replica: only named to clients that name their rack
  return { errorCode, highWatermark, lastStableOffset, logStartOffset, aborted, batches: from.blob() };
}

/** The whole request was refused; undefined when it was not, and the broker only had to throttle us. */
function failed(errorCode: number): FetchedPartition | undefined {
  if (errorCode === 0) return undefined;
  const batches = Buffer.alloc(0);
  return { errorCode, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1, aborted: [], batches };
}
