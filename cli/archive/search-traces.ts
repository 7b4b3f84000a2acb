import type { ArchiveSql, SqlResult } from '../../lib/archive/archive-sql.ts';
import type { TimeRange } from '../../lib/archive/object-keys.ts';
import type { ArchivedRow } from '../../lib/archive/parquet-rows.ts';

export interface TraceFilter {
  readonly service: string | undefined;
  readonly operation: string | undefined;
  readonly error: boolean;
  readonly minDurationNs: bigint;
  readonly range: TimeRange;
  readonly limit: number;
}

export interface FoundTraces {
  readonly summary: SqlResult;
  /** The spans of each, in the order of the summary. */
  spans(): AsyncGenerator<ArchivedRow[]>;
}

/** The newest traces that match all of the filter. */
export async function searchTraces(sql: ArchiveSql, filter: TraceFilter): Promise<FoundTraces> {
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
  const summary = await sql.query(
    `SELECT trace_id, start_time, duration_ns / 1e6 AS duration_ms, root_service, root_operation, span_count, error_count
     FROM traces WHERE ${where.join(' AND ')} ORDER BY start_time DESC, trace_id LIMIT ${filter.limit}`,
    values,
  );
  return {
    summary,
    async *spans() {
      for (const [traceId] of summary.rows) {
        const { columns, rows } = await sql.query('SELECT * FROM spans WHERE trace_id = ? ORDER BY start_ns', [
          String(traceId),
        ]);
        yield rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
      }
    },
  };
}
