import { type Incident, incidentCodec } from '../../../lib/codec/incident-records.ts';
import { assembledTraceCodec, serviceEdgeDeltaCodec } from '../../../lib/codec/records.ts';
import { describeError } from '../../../lib/errors/spanloom-error.ts';
import type { LogRecord } from '../../../lib/kafka/types.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';
import type { Range } from '../core/api-types.ts';
import type { GraphStore } from './graph-store.ts';
import type { HotStore } from './hot-store.ts';
import type { IncidentStore } from './incident-store.ts';
import type { FeedSink } from './topic-feed.ts';

export interface SinkEvents {
  received(what: 'traces' | 'spans' | 'edges' | 'incidents', count: number): void;
  dropped(reason: 'undecodable' | 'expired' | 'unindexed' | 'subjects' | 'retention', count: number): void;
  refused(topic: string, partition: number, offset: number, why: string): void;
}

export interface SinkContext {
  readonly clock: Clock;
  readonly events: SinkEvents;
}

/** Traces into the hot store. */
export function traceSink(store: HotStore, retentionMs: number, { clock, events }: SinkContext): FeedSink {
  let sealedAtMs = clock.monotonicMs();
  const next = new Map<number, number>();
  const seal = (): void => {
    const { dropped } = store.seal(next);
    if (dropped > 0) events.dropped('retention', dropped);
    sealedAtMs = clock.monotonicMs();
  };
  return {
    position: (partition) => store.position(partition),
    apply(partition, records) {
      const oldestMs = clock.wallMs() - retentionMs;
      for (const record of records) {
        if (record.timestampMs < oldestMs) events.dropped('expired', 1);
        else {
          const trace = decode(assembledTraceCodec.decode, record);
          if (typeof trace === 'string') {
            events.dropped('undecodable', 1);
            events.refused('traces', partition, record.offset, trace);
          } else if (trace.spanCount > 0) {
            if (!store.add(trace, record.timestampMs)) events.dropped('unindexed', 1);
            events.received('traces', 1);
            events.received('spans', trace.spanCount);
          }
        }
        next.set(partition, record.offset + 1);
        // What is in the block and the position behind it go together, in the middle of a fetch as well.
        if (store.isFull) seal();
      }
    },
    commit(positions, due) {
      const isOld = clock.monotonicMs() - sealedAtMs >= SEAL_MS && store.openCount > 0;
      for (const [partition, position] of positions) next.set(partition, position);
      if (!isOld && !(due && store.openCount === 0)) return false;
      seal();
      return true;
    },
    close(positions) {
      for (const [partition, position] of positions) next.set(partition, position);
      seal();
    },
  };
}

/** Deltas into the graph. */
export function graphSink(
  store: GraphStore,
  told: { changed(range: Range): void; owner(service: string, team: string): void },
  { clock, events }: SinkContext,
): FeedSink {
  return {
    position: (partition) => store.position(partition),
    apply(partition, records) {
      for (const record of records) {
        const delta = decode(serviceEdgeDeltaCodec.decode, record);
        if (typeof delta === 'string') {
          events.dropped('undecodable', 1);
          events.refused('service-edges', partition, record.offset, delta);
          continue;
        }
        if (!store.add(delta, clock.wallMs())) events.dropped('subjects', 1);
        if (delta.owner !== '') told.owner(delta.server, delta.owner);
      }
      events.received('edges', records.length);
    },
    commit(positions, due) {
      if (!due && store.pendingCount < PENDING_MAX) return false;
      const changed = store.flush(positions);
      if (changed !== undefined) told.changed(changed);
      return true;
    },
    close: (positions) => void store.flush(positions),
  };
}

/** Announcements into the list of incidents. */
export function incidentSink(
  store: IncidentStore,
  onFresh: (incidents: readonly Incident[]) => void,
  { clock, events }: SinkContext,
): FeedSink {
  let waiting: Incident[] = [];
  return {
    position: (partition) => store.position(partition),
    apply(partition, records) {
      for (const record of records) {
        const incident = decode(incidentCodec.decode, record);
        if (typeof incident !== 'string') waiting.push(incident);
        else {
          events.dropped('undecodable', 1);
          events.refused('incidents', partition, record.offset, incident);
        }
      }
    },
    commit(positions, due) {
      if (!due && waiting.length === 0) return false;
      const fresh = store.add(waiting, positions, clock.wallMs());
      events.received('incidents', waiting.length);
      waiting = [];
      if (fresh.length > 0) onFresh(fresh);
      return true;
    },
    close: (positions) => void store.add(waiting, positions, clock.wallMs()),
  };
}

/** The value, or why it is none of ours: then the record is passed over, as an outcome. */
function decode<T>(read: (bytes: Buffer) => T, { value }: LogRecord): T | string {
  if (value === null) return 'it has no value';
  try {
    return read(value);
  } catch (error) {
    return describeError(error);
  }
}

/** How long a trace may wait in memory; until then it is in Kafka only, and found all the same. */
const SEAL_MS = 30_000;
/** Sums that wait in memory. */
const PENDING_MAX = 20_000;
