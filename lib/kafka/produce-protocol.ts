import { type ProtocolRequest, protocolRequest } from './kafkajs-internals.ts';

export interface ProduceResponse {
  readonly topics: readonly { readonly partitions: readonly { readonly baseOffset: string }[] }[];
}

/**
 * Produce v7 (Kafka 2.1 and later, the first with zstd) of one batch to one partition, acknowledged by all in-sync
 * replicas. Only the encoder is ours: kafkajs's takes the records themselves and copies them seven times.
 */
export function produceRequest(produce: {
  transactionalId: string;
  topic: string;
  partition: number;
  batch: Buffer;
  /** How long the broker waits for replicas. */
  timeoutMs: number;
}): ProtocolRequest<ProduceResponse> {
  const { request, response } = protocolRequest<ProduceResponse>('Produce', 7, {
    acks: ALL_IN_SYNC,
    timeout: produce.timeoutMs,
    topicData: [],
  });
  return {
    request: {
      apiKey: request.apiKey,
      apiVersion: request.apiVersion,
      apiName: request.apiName,
      encode: async () => {
        const bytes = encodeProduce(produce);
        return { buf: bytes, buffer: bytes };
      },
    },
    response,
    requestTimeout: produce.timeoutMs + ANSWER_MS,
  };
}

const ALL_IN_SYNC = -1;
const ANSWER_MS = 5_000;

function encodeProduce(produce: {
  transactionalId: string;
  topic: string;
  partition: number;
  batch: Buffer;
  timeoutMs: number;
}): Buffer {
  const id = Buffer.from(produce.transactionalId, 'utf8');
  const topic = Buffer.from(produce.topic, 'utf8');
  const bytes = Buffer.allocUnsafe(2 + id.length + 2 + 4 + 4 + 2 + topic.length + 4 + 4 + 4 + produce.batch.length);
  let at = bytes.writeInt16BE(id.length, 0);
  at += id.copy(bytes, at);
  at = bytes.writeInt16BE(ALL_IN_SYNC, at);
  at = bytes.writeInt32BE(produce.timeoutMs, at);
  at = bytes.writeInt32BE(1, at);
  at = bytes.writeInt16BE(topic.length, at);
  at += topic.copy(bytes, at);
  at = bytes.writeInt32BE(1, at);
  at = bytes.writeInt32BE(produce.partition, at);
  at = bytes.writeInt32BE(produce.batch.length, at);
  produce.batch.copy(bytes, at);
  return bytes;
}
