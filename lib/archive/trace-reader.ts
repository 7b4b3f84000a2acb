import { SpanloomError } from '../errors/spanloom-error.ts';
import type { Bucket } from '../s3/bucket.ts';
import { listObjects, type OnProblem } from './list-objects.ts';
import { type ArchiveObject, HOUR_MS, type TimeRange } from './object-keys.ts';
import { type ArchivedRow, rowsOfTrace } from './parquet-rows.ts';

/** A trace as the archive holds it: a row per revision, and the spans of all of them. */
export interface ArchivedTrace {
  readonly traceId: string;
  /** In the order of revisions. */
  readonly revisions: readonly ArchivedRow[];
  /** In the order of their start. */
  readonly spans: readonly ArchivedRow[];
}

/** Finds single traces by id. */
export interface TraceReader {
  /**
   * Looks through the hours from the newest to the oldest, and stops at the first that has the trace and its neighbours:
   * late spans can move the start of a trace over the hour.
   *
   * @param traceId 32 hex digits, lower case.
   */
  get(traceId: string, range: TimeRange): Promise<ArchivedTrace | undefined>;
}

/** Reads from the bucket alone. Objects that cannot be read are left out and told to `onProblem`. */
export function openTraceReader(bucket: Bucket, prefix: string, onProblem: OnProblem): TraceReader {
  const readable = async (object: Pick<ArchiveObject, 'key' | 'bytes'>, traceId: string) => {
    try {
      return await rowsOfTrace(bucket, object, traceId);
    } catch (error) {
      if (error instanceof SpanloomError) throw error;
      onProblem({ key: object.key, why: `it cannot be read: ${error instanceof Error ? error.message : error}` });
      return [];
    }
  };
  const spansOf = async (key: string, traceId: string) => {
    const size = await bucket.head(key);
    if (size !== undefined) return readable({ key, bytes: size.bytes }, traceId);
    onProblem({ key, why: 'the traces index names it, but it is not there' });
    return [];
  };
  return {
    async get(traceId, range) {
      const objects = await listObjects(bucket, prefix, 'traces', range, onProblem);
      const revisions: ArchivedRow[] = [];
      let foundHourMs: number | undefined;
      for (const hour of newestFirst(objects)) {
        const hourMs = (hour[0] as ArchiveObject).hourMs;
        if (foundHourMs !== undefined && hourMs < foundHourMs - HOUR_MS) break;
        for (let i = 0; i < hour.length; i += OBJECTS_AT_A_TIME) {
          const some = hour.slice(i, i + OBJECTS_AT_A_TIME);
          const rows = (await Promise.all(some.map((object) => readable(object, traceId)))).flat();
          revisions.push(...rows);
          if (rows.length > 0) foundHourMs = hourMs;
        }
      }
      if (revisions.length === 0) return undefined;
      revisions.sort((a, b) => Number(a['revision']) - Number(b['revision']));
      const keys = [...new Set(revisions.map((row) => String(row['spans_object'])))];
      const spans = (await Promise.all(keys.map((key) => spansOf(key, traceId)))).flat();
      spans.sort((a, b) => Number((a['start_ns'] as bigint) - (b['start_ns'] as bigint)));
      return { traceId, revisions, spans };
    },
  };
}

function newestFirst(objects: readonly ArchiveObject[]): ArchiveObject[][] {
  const hours = new Map<number, ArchiveObject[]>();
  for (const object of objects) hours.set(object.hourMs, [...(hours.get(object.hourMs) ?? []), object]);
  return [...hours].sort(([a], [b]) => b - a).map(([, list]) => list);
}

const OBJECTS_AT_A_TIME = 8;
