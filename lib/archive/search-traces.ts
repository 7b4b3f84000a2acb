import type { ArchiveSql } from './archive-sql.ts';
import type { TimeRange } from './object-keys.ts';
import type { ArchivedRow } from './parquet-rows.ts';

export interface TraceFilter {
  /** With a span of this service. */
  readonly service: string | undefined;
  /** With a span of this name, of `service` when that is given. */
  readonly operation: string | undefined;
  /** With a failed span. */
  readonly error: boolean;
  readonly minDurationNs: bigint;
  /** Traces that began in it. */
  readonly range: TimeRange;
  /** Traces at most, the newest. */
  readonly limit: number;
}

/** A trace with all of its revisions taken together. */
export interface TraceSummary {
  readonly traceId: string;
  readonly startTime: Date;
  readonly durationNs: bigint;
  /** Null when the root never came. */
  readonly rootService: string | null;
  readonly rootOperation: string | null;
  readonly spanCount: number;
  readonly errorCount: number;
  /** In alphabetical order. */
  readonly services: readonly string[];
  readonly complete: boolean;
  /** Keys of the objects that hold its spans. */
  readonly spansObjects: readonly string[];
}

/** The newest traces that match all of the filter. */
export async function searchTraces(sql: ArchiveSql, filter: TraceFilter): Promise<TraceSummary[]> {
  const { sinceMs, untilMs } = filter.range;
  const where = ['start_time >= epoch_ms(?::BIGINT)::TIMESTAMPTZ', 'start_time < epoch_ms(?::BIGINT)::TIMESTAMPTZ'];
  const values: (string | number | bigint)[] = [BigInt(sinceMs), BigInt(untilMs)];
  if (filter.minDurationNs > 0n) {
    where.push('duration_ns >= ?::BIGINT');
    values.push(filter.minDurationNs);
  }
  if (filter.error) where.push('error_count > 0');
  if (filter.operation !== undefined) {
    const ofService = filter.service === undefined ? '' : ' AND service = ?';
    where.push(`trace_id IN (SELECT trace_id FROM spans WHERE operation = ?${ofService})`);
    values.push(filter.operation, ...(filter.service === undefined ? [] : [filter.service]));
  } else if (filter.service !== undefined) {
    where.push('list_contains(services, ?)');
    values.push(filter.service);
  }
  const { rows } = await sql.query(
    `SELECT trace_id, start_time, duration_ns, root_service, root_operation, span_count, error_count, services, complete,
            spans_objects
     FROM traces WHERE ${where.join(' AND ')} ORDER BY start_time DESC, trace_id LIMIT ${filter.limit}`,
    values,
  );
  return rows.map(
    ([traceId, startTime, durationNs, rootService, rootOperation, spans, errors, services, complete, objects]) => ({
      traceId: String(traceId),
      startTime: startTime as Date,
      durationNs: durationNs as bigint,
      rootService: rootService as string | null,
      rootOperation: rootOperation as string | null,
      spanCount: Number(spans),
      errorCount: Number(errors),
      services: services as string[],
      complete: complete === true,
      spansObjects: objects as string[],
    }),
  );
}

/** The spans of each trace, in the order of the ids; within a trace in that of their start. */
export async function* spansOfTraces(sql: ArchiveSql, traceIds: readonly string[]): AsyncGenerator<ArchivedRow[]> {
  for (const traceId of traceIds) {
    const { columns, rows } = await sql.query('SELECT * FROM spans WHERE trace_id = ? ORDER BY start_ns', [traceId]);
    yield rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
  }
}
