import type { TimedLog } from '../../lib/kafka/partition-log.ts';
import { openTopic } from '../kafka/open-topic.ts';
import type { AuditOptions } from './context.ts';
import { EVERYTHING, type Extent, type Extents } from './extent.ts';
import { ingestPartitions } from './ingest-partitions.ts';

/**
 * The part of every stage's input that was appended between two times. Outputs are read from the earlier time on, and the
 * bundles from an hour before it, because producers date the records of most ingest topics by their own clocks.
 *
 * @param fromMs epoch milliseconds; undefined: from the beginning. @param toMs undefined: to what is committed.
 */
export async function extentsBetween(
  options: AuditOptions,
  fromMs: number | undefined,
  toMs: number | undefined,
): Promise<Extents> {
  const closes: (() => Promise<void>)[] = [];
  const open = async (topic: string) => {
    const opened = await openTopic(options.kafka, topic);
    closes.push(() => opened.close());
    return opened.logs;
  };
  try {
    const { topics } = options;
    const ingest = await ingestPartitions({ ...options, extent: EVERYTHING, open });
    const inputs = new Map(ingest.map(({ place, log }) => [place, log]));
    const spans = named(topics.spans, await open(topics.spans));
    const traces = named(topics.traces, await open(topics.traces));
    const edges = named(topics.serviceEdges, await open(topics.serviceEdges));
    const letters = named(topics.deadLetters, await open(topics.deadLetters));
    const extent = async (own: Logs, outputs: Logs, slackMs = 0): Promise<Extent> => ({
      from: fromMs === undefined ? new Map() : await offsetsAt(own, fromMs),
      to: toMs === undefined ? new Map() : await offsetsAt(own, toMs),
      outputFrom: fromMs === undefined ? new Map() : await offsetsAt(outputs, fromMs - slackMs),
      outputSeen: new Map(),
    });
    return {
      bundles: await extent(inputs, new Map([...spans, ...letters]), PRODUCER_CLOCKS_MS),
      traces: await extent(spans, traces),
      edges: {
        ...(await extent(traces, new Map())),
        outputSince: fromMs === undefined ? new Map() : await offsetsAt(edges, fromMs - BROKER_CLOCKS_MS),
      },
      archive: await extent(traces, new Map()),
    };
  } finally {
    for (const close of closes.reverse()) await close();
  }
}

type Logs = ReadonlyMap<string, TimedLog>;

function named(topic: string, logs: readonly TimedLog[]): Logs {
  return new Map(logs.map((log, partition) => [`${topic}/${partition}`, log]));
}

async function offsetsAt(logs: Logs, timeMs: number): Promise<Map<string, number>> {
  const offsets = new Map<string, number>();
  for (const [place, log] of logs) offsets.set(place, await log.offsetAt(timeMs));
  return offsets;
}

const PRODUCER_CLOCKS_MS = 3_600_000;
/** Our own topics are dated by their leaders. */
const BROKER_CLOCKS_MS = 10_000;
