import { type ProtocolRequest, protocolRequest, READ_COMMITTED } from './kafkajs-internals.ts';
import type { AbortedTransaction } from './read-committed.ts';
import { safeOffset } from './record-batch.ts';

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

/**
 * Fetch v11 (Kafka 2.3 and later) for one partition, read committed. The decoder is ours: kafkajs's takes a BigInt and
 * two strings per record, decompresses without bound, and drops the batch borders that tell where to read on.
 *
 * The answer is `undefined` when the broker throttled us and sent nothing.
 */
export function fetchRequest(fetch: {
  topic: string;
  partition: number;
  offset: number;
  maxBytes: number;
  maxWaitMs: number;
}): ProtocolRequest<FetchedPartition | undefined> {
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
  return {
    request,
    response: {
      decode: async (payload) => decodeFetchResponse(payload),
      parse: async (decoded) => (decoded as DecodedFetch).partition,
    },
    requestTimeout: fetch.maxWaitMs + ANSWER_MS,
  };
}

/** Time for the answer beyond what the broker waits for data. */
const ANSWER_MS = 10_000;

interface DecodedFetch {
  /** Milliseconds this client must wait before its next request; kafkajs's connection sees to it. */
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly partition: FetchedPartition | undefined;
}

/** Exported for its test. */
export function decodeFetchResponse(payload: Buffer): DecodedFetch {
  let at = 0;
  const i32 = (): number => {
    at += 4;
    return payload.readInt32BE(at - 4);
  };
  const i16 = (): number => {
    at += 2;
    return payload.readInt16BE(at - 2);
  };
  const i64 = (): bigint => {
    at += 8;
    return payload.readBigInt64BE(at - 8);
  };
  const clientSideThrottleTime = i32();
  const errorCode = i16();
  i32(); // session id: sessions are not used
  if (i32() === 0) return { clientSideThrottleTime, errorCode, partition: undefined };
  const topicBytes = i16();
  at += topicBytes;
  if (i32() === 0) return { clientSideThrottleTime, errorCode, partition: undefined };
  i32(); // partition: only one was asked for
  const partitionError = i16();
  const highWatermark = safeOffset(i64());
  const lastStableOffset = safeOffset(i64());
  const logStartOffset = safeOffset(i64());
  const aborted: AbortedTransaction[] = [];
  for (let left = i32(); left > 0; left--) {
    const producerId = Number(i64());
    aborted.push({ producerId, firstOffset: safeOffset(i64()) });
  }
  i32(); // preferred read replica: only named to clients that name their rack
  const size = Math.max(0, i32());
  const batches = payload.subarray(at, at + size);
  return {
    clientSideThrottleTime,
    errorCode,
    partition: { errorCode: partitionError, highWatermark, lastStableOffset, logStartOffset, aborted, batches },
  };
}
