import type { AssembledTrace } from '../../codec/records.ts';
import type { RowBatch } from '../../parquet/write-parquet.ts';
import type { PromotedAttributes } from '../promoted.ts';
import { SpanRows } from './span-rows.ts';
import { TraceRows } from './trace-rows.ts';

/** Row groups as they are made; undefined after a slice of the work, so that who has others to answer can do it then. */
export type BatchSteps = Iterable<RowBatch | undefined>;

/** The spans of traces as row groups, in the order of `inTraceOrder`. A batch is good until the next is asked for. */
export function* spanBatches(
  traces: readonly AssembledTrace[],
  promoted?: PromotedAttributes,
): Generator<RowBatch | undefined> {
  const rows = takeSpanRows(promoted);
  let sliceEnd = SLICE_ROWS;
  for (const trace of inTraceOrder(traces)) {
    rows.add(trace);
    if (rows.count >= ROW_GROUP_ROWS || rows.bytes >= ROW_GROUP_BYTES) {
      yield { columns: rows.columns(), rows: rows.count };
      rows.clear();
      sliceEnd = SLICE_ROWS;
    } else if (rows.count >= sliceEnd) {
      yield undefined;
      sliceEnd = rows.count + SLICE_ROWS;
    }
  }
  if (rows.count > 0) yield { columns: rows.columns(), rows: rows.count };
  if (rows.bytes < KEPT_BYTES_MAX) kept = { promoted, rows };
}

/** The columns of the range before: memory that is there already costs neither the collector nor the kernel anything. */
let kept: { readonly promoted: PromotedAttributes | undefined; readonly rows: SpanRows } | undefined;

function takeSpanRows(promoted: PromotedAttributes | undefined): SpanRows {
  const own = kept?.promoted === promoted ? kept?.rows : undefined;
  if (own === undefined) return new SpanRows(promoted);
  kept = undefined;
  own.clear();
  return own;
}

/** @param spansObject key of the object that holds their spans. */
export function* traceBatches(traces: readonly AssembledTrace[], spansObject: string): Generator<RowBatch | undefined> {
  const rows = keptTraceRows ?? new TraceRows();
  keptTraceRows = undefined;
  rows.clear();
  for (const trace of inTraceOrder(traces)) {
    rows.add(trace, spansObject);
    if (rows.count >= ROW_GROUP_ROWS) {
      yield { columns: rows.columns(), rows: rows.count };
      rows.clear();
    } else if (rows.count % SLICE_ROWS === 0) yield undefined;
  }
  if (rows.count > 0) yield { columns: rows.columns(), rows: rows.count };
  keptTraceRows = rows;
}

let keptTraceRows: TraceRows | undefined;

/** Neighbours in the file are spans of one trace, which is how they are looked for. */
function inTraceOrder(traces: readonly AssembledTrace[]): readonly AssembledTrace[] {
  return traces.toSorted((a, b) => (a.traceId < b.traceId ? -1 : a.traceId > b.traceId ? 1 : a.revision - b.revision));
}

/** A row group ends with the trace that reaches one of these: what is in memory as columns is about 20 MB. */
const ROW_GROUP_ROWS = 50_000;
const ROW_GROUP_BYTES = 32 * 1024 * 1024;
/** Columns that have grown larger are left to the collector. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;
/** Some 10 ms of work. */
const SLICE_ROWS = 1_000;
