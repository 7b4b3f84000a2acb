import { SpanloomError } from '../errors/spanloom-error.ts';
import type { Bucket } from '../s3/bucket.ts';
import { encodeParquet } from './encode-parquet.ts';
import { openIdIndexes } from './id-index-reader.ts';
import { byPartition } from './likely-objects.ts';
import { listObjects, type OnProblem } from './list-objects.ts';
import { type ArchiveObject, HOUR_MS, isOtlpKey, type TimeRange } from './object-keys.ts';
import { recordsOfTrace } from './otlp-read.ts';
import { type ArchivedRow, allRows, rowsOfTrace } from './parquet-rows.ts';
import { spanBatches } from './rows/row-groups.ts';

/** A trace as the archive holds it: a row per revision, and the spans of all of them. */
export interface ArchivedTrace {
  readonly traceId: string;
  /** In the order of revisions. */
  readonly revisions: readonly ArchivedRow[];
  /** In the order of their start. */
  readonly spans: readonly ArchivedRow[];
  /** The same spans as encoded OTLP, as they came; undefined when some are archived as rows. */
  readonly otlp: Buffer | undefined;
}

interface FoundSpans {
  readonly rows: readonly ArchivedRow[];
  readonly otlp: Buffer | undefined;
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
  const readable = async (object: Pick<ArchiveObject, 'key' | 'bytes'>, traceId: string): Promise<FoundSpans> => {
    try {
      if (isOtlpKey(object.key)) return await otlpSpans(bucket, object, traceId);
      return { rows: await rowsOfTrace(bucket, object, traceId), otlp: undefined };
    } catch (error) {
      if (error instanceof SpanloomError) throw error;
      onProblem({ key: object.key, why: `it cannot be read: ${error instanceof Error ? error.message : error}` });
      return NOTHING;
    }
  };
  const spansOf = async (key: string, traceId: string) => {
    const size = await bucket.head(key);
    if (size !== undefined) return readable({ key, bytes: size.bytes }, traceId);
    onProblem({ key, why: 'the traces index names it, but it is not there' });
    return NOTHING;
  };
  const revisionsIn = async (objects: readonly ArchiveObject[], traceId: string) => {
    const revisions: ArchivedRow[] = [];
    let foundHourMs: number | undefined;
    const newestFirst = objects.toSorted((a, b) => b.hourMs - a.hourMs);
    for (let i = 0; i < newestFirst.length; i += OBJECTS_AT_A_TIME) {
      const oldestMs = foundHourMs === undefined ? Number.NEGATIVE_INFINITY : foundHourMs - HOUR_MS;
      const some = newestFirst.slice(i, i + OBJECTS_AT_A_TIME).filter(({ hourMs }) => hourMs >= oldestMs);
      if (some.length === 0) break;
      const found = await Promise.all(some.map((object) => readable(object, traceId)));
      for (const [n, { rows }] of found.entries()) {
        revisions.push(...rows);
        if (rows.length > 0) foundHourMs = some[n]?.hourMs;
      }
    }
    return revisions;
  };
  return {
    async get(traceId, range) {
      const objects = await listObjects(bucket, prefix, 'traces', range, onProblem);
      const { likely, others } = byPartition(objects, traceId);
      const indexes = await openIdIndexes(bucket, prefix, range, onProblem);
      const revisions = await revisionsIn(await indexes.candidates(likely, traceId), traceId);
      if (revisions.length === 0)
        revisions.push(...(await revisionsIn(await indexes.candidates(others, traceId), traceId)));
      if (revisions.length === 0) return undefined;
      revisions.sort((a, b) => Number(a['revision']) - Number(b['revision']));
      const keys = [...new Set(revisions.map((row) => String(row['spans_object'])))];
      const found = await Promise.all(keys.map((key) => spansOf(key, traceId)));
      const spans = found.flatMap(({ rows }) => rows);
      spans.sort((a, b) => Number((a['start_ns'] as bigint) - (b['start_ns'] as bigint)));
      const parts = found.map((one) => one.otlp).filter((otlp) => otlp !== undefined);
      return { traceId, revisions, spans, otlp: parts.length === found.length ? Buffer.concat(parts) : undefined };
    },
  };
}

async function otlpSpans(
  bucket: Bucket,
  object: Pick<ArchiveObject, 'key' | 'bytes'>,
  traceId: string,
): Promise<FoundSpans> {
  const traces = await recordsOfTrace(bucket, object, traceId);
  const rows = await allRows(await encodeParquet(spanBatches(traces)));
  return { rows, otlp: Buffer.concat(traces.map(({ otlp }) => otlp)) };
}

const NOTHING: FoundSpans = { rows: [], otlp: undefined };

const OBJECTS_AT_A_TIME = 8;
