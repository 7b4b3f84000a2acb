import type { AssembledTrace } from '../../codec/records.ts';
import type { RowBatch } from '../../parquet/write-parquet.ts';
import type { PromotedAttributes } from '../promoted.ts';
import { SpanRows } from './span-rows.ts';
import { TraceRows } from './trace-rows.ts';

/** The spans of traces as row groups, in the order of `inTraceOrder`. A batch is good until the next is asked for. */
export function* spanBatches(traces: readonly AssembledTrace[], promoted?: PromotedAttributes): Generator<RowBatch> {
  const rows = new SpanRows(promoted);
  for (const trace of inTraceOrder(traces)) {
    rows.add(trace);
    if (rows.count < ROW_GROUP_ROWS && rows.bytes < ROW_GROUP_BYTES) continue;
    yield { columns: rows.columns(), rows: rows.count };
    rows.clear();
  }
  if (rows.count > 0) yield { columns: rows.columns(), rows: rows.count };
}

/** @param spansObject key of the object that holds their spans. */
export function* traceBatches(traces: readonly AssembledTrace[], spansObject: string): Generator<RowBatch> {
  const rows = new TraceRows();
  for (const trace of inTraceOrder(traces)) {
    rows.add(trace, spansObject);
    if (rows.count < ROW_GROUP_ROWS) continue;
    yield { columns: rows.columns(), rows: rows.count };
    rows.clear();
  }
  if (rows.count > 0) yield { columns: rows.columns(), rows: rows.count };
}

/** Neighbours in the file are spans of one trace, which is how they are looked for. */
function inTraceOrder(traces: readonly AssembledTrace[]): readonly AssembledTrace[] {
  return traces.toSorted((a, b) => (a.traceId < b.traceId ? -1 : a.traceId > b.traceId ? 1 : a.revision - b.revision));
}

/** A row group ends with the trace that reaches one of these: what is in memory as columns is about 20 MB. */
const ROW_GROUP_ROWS = 50_000;
const ROW_GROUP_BYTES = 32 * 1024 * 1024;
