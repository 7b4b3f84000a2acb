import { otlpFromJson } from '../codec/otlp-from-json.ts';
import type { AssembledTrace } from '../codec/records.ts';
import { SpanloomError } from '../errors/spanloom-error.ts';
import type { Bucket } from '../s3/bucket.ts';
import type { ArchiveSql } from './archive-sql.ts';
import type { OnProblem } from './list-objects.ts';
import { isOtlpKey } from './object-keys.ts';
import { decodeOtlpObject } from './otlp-object.ts';
import type { ArchivedRow } from './parquet-rows.ts';
import { rowsToOtlp } from './rows-to-otlp.ts';
import { spansOfTraces, type TraceSummary } from './search-traces.ts';

/** The spans of a trace as encoded OTLP, made of its rows. @throws SpanloomError OTLP_DECODE, which is a fault of ours. */
export function otlpOfRows(rows: readonly ArchivedRow[]): Buffer {
  const encoded = otlpFromJson(Buffer.from(JSON.stringify(rowsToOtlp(rows))));
  if (encoded.ok) return encoded.bytes;
  throw new SpanloomError('OTLP_DECODE', `Archived trace ${rows[0]?.['trace_id']}: ${encoded.detail}`);
}

/**
 * Each trace as one encoded OTLP request. What is archived as OTLP comes as it was, byte by byte, object after object;
 * the others are made from their rows, in the order that was asked for.
 */
export async function* otlpOfTraces(
  bucket: Bucket,
  sql: ArchiveSql,
  found: readonly TraceSummary[],
  onProblem: OnProblem,
): AsyncGenerator<{ traceId: string; bytes: Buffer }> {
  const isWhole = ({ spansObjects }: TraceSummary) => spansObjects.every(isOtlpKey);
  yield* fromRows(
    sql,
    found.filter((trace) => !isWhole(trace)).map(({ traceId }) => traceId),
  );
  const byObjects = Map.groupBy(found.filter(isWhole), ({ spansObjects }) => spansObjects.toSorted().join('\n'));
  for (const [keys, traces] of byObjects) {
    const parts = new Map<string, Buffer[]>();
    for (const key of keys.split('\n')) {
      for (const { traceId, otlp } of await recordsOf(bucket, key, onProblem)) {
        parts.set(traceId, [...(parts.get(traceId) ?? []), otlp]);
      }
    }
    for (const { traceId } of traces) {
      const own = parts.get(traceId);
      if (own !== undefined) yield { traceId, bytes: Buffer.concat(own) };
    }
  }
}

async function* fromRows(sql: ArchiveSql, traceIds: readonly string[]) {
  for await (const rows of spansOfTraces(sql, traceIds)) {
    yield { traceId: String(rows[0]?.['trace_id']), bytes: otlpOfRows(rows) };
  }
}

async function recordsOf(bucket: Bucket, key: string, onProblem: OnProblem): Promise<AssembledTrace[]> {
  const bytes = await bucket.get(key);
  if (bytes === undefined) onProblem({ key, why: 'the traces index names it, but it is not there' });
  else {
    try {
      return decodeOtlpObject(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    } catch (error) {
      onProblem({ key, why: `it cannot be read: ${error instanceof Error ? error.message : error}` });
    }
  }
  return [];
}
