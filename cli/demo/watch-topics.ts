import type { Kafka } from 'kafkajs';
import { incidentCodec } from '../../lib/codec/incident-records.ts';
import { assembledTraceCodec, deadLetterCodec, serviceEdgeDeltaCodec } from '../../lib/codec/records.ts';
import type { TopicNames } from '../../lib/topics/topics.ts';
import { type OpenTopic, openTopic } from '../kafka/open-topic.ts';
import { tailTopic } from '../kafka/tail-topic.ts';
import type { Observed } from './observed.ts';

export interface TopicsWatch {
  /** Settles when watching ends: by the signal, or with what went wrong. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** Follows the derived topics into `observed`. Resolves when nothing written from now on can be missed. */
export async function watchTopics(
  kafka: Kafka,
  names: TopicNames,
  observed: Observed,
  from: 'start' | 'end',
  signal: AbortSignal,
): Promise<TopicsWatch> {
  const takers: [string, (value: Buffer) => void][] = [
    [names.traces, (value) => observed.trace(assembledTraceCodec.decode(value))],
    [names.serviceEdges, (value) => observed.edge(serviceEdgeDeltaCodec.decode(value))],
    [names.incidents, (value) => observed.incident(incidentCodec.decode(value))],
    [names.deadLetters, (value) => observed.deadLetter(deadLetterCodec.decode(value))],
  ];
  const topics: OpenTopic[] = [];
  const positioned: Promise<void>[] = [];
  const tails: Promise<void>[] = [];
  for (const [name, take] of takers) {
    const topic = await openTopic(kafka, name);
    topics.push(topic);
    const { promise, resolve } = Promise.withResolvers<void>();
    const tail = tailTopic({
      logs: topic.logs,
      from,
      untilEnd: false,
      signal,
      onRecord: ({ value }) => {
        if (value !== null) take(value);
      },
      onPositioned: resolve,
    });
    tails.push(tail);
    positioned.push(Promise.race([promise, tail]));
  }
  await Promise.all(positioned);
  return {
    ended: Promise.all(tails).then(() => {}),
    close: async () => {
      await Promise.all(topics.map((topic) => topic.close()));
    },
  };
}
