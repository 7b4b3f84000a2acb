import type { Kafka } from 'kafkajs';
import { tailTopic } from '../cli/kafka/tail-topic.ts';
import { MessageSender } from '../cli/produce/message-sender.ts';
import { assembledTraceCodec } from '../lib/codec/records.ts';
import { createLogs } from '../lib/kafka/partition-log.ts';
import { topicNames } from '../lib/topics/topics.ts';
import { forEachSpanKey } from './messages.ts';
import { benchMessages } from './spans.ts';

/**
 * Sends a steady trickle and takes, for each trace, the time from the broker's acknowledgement of its last span to the
 * moment when a read-committed reader has the trace, less the idle time-out.
 *
 * @returns milliseconds, one for each trace.
 */
export async function measureLatency(
  kafka: Kafka,
  options: {
    prefix: string;
    ingestTopic: string;
    partitions: number;
    idleTimeoutMs: number;
    seed: number;
    progress: (line: string) => void;
  },
): Promise<number[]> {
  options.progress(`measuring latency at ${SPANS_PER_SECOND} spans per second for ${SECONDS} s`);
  const logs = createLogs(kafka);
  const abort = new AbortController();
  const lastAckMs = new Map<string, number>();
  const latencies: number[] = [];
  const tail = tailTopic({
    logs: Array.from({ length: options.partitions }, (_, partition) =>
      logs.open(topicNames(options.prefix).traces, partition),
    ),
    from: 'end',
    untilEnd: false,
    signal: abort.signal,
    onRecord: ({ value }) => {
      if (value === null) return;
      const { traceId } = assembledTraceCodec.decode(value);
      const ackMs = lastAckMs.get(traceId);
      if (ackMs !== undefined) latencies.push(performance.now() - ackMs - options.idleTimeoutMs);
    },
  });
  const sender = await MessageSender.connect(kafka, options.ingestTopic);
  const beganMs = performance.now();
  let sent = 0;
  // Another seed than the bulk's: these are other traces.
  for (const message of benchMessages(SPANS_PER_SECOND * SECONDS, options.seed + 1_000)) {
    const traces = new Set<string>();
    sent += forEachSpanKey(message, (key) => traces.add(Buffer.from(key.slice(0, 16), 'latin1').hexSlice()));
    const dueMs = beganMs + (sent / SPANS_PER_SECOND) * 1000;
    if (dueMs > performance.now()) await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
    await sender.add(message);
    await sender.flush();
    const ackMs = performance.now();
    for (const traceId of traces) lastAckMs.set(traceId, ackMs);
  }
  await sender.close();
  await new Promise((resolve) => setTimeout(resolve, options.idleTimeoutMs * 3 + 1_000));
  abort.abort();
  await tail;
  await logs.close();
  return latencies;
}

const SPANS_PER_SECOND = 2_000;
const SECONDS = 15;
