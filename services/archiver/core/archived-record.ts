import { type AssembledTrace, assembledTraceViewCodec } from '../../../lib/codec/records.ts';
import type { LogRecord } from '../../../lib/kafka/types.ts';
import { scanOtlpRequest } from '../../../lib/trace/otlp-scan.ts';
import { SpanTable } from '../../../lib/trace/span-table.ts';

/** A record of the traces topic as the archive takes it. */
export interface ArchivedRecord {
  readonly record: LogRecord;
  /** Undefined when no trace-assembler wrote it; then it is in no object. */
  readonly trace: AssembledTrace | undefined;
  /** Start of the event hour, epoch milliseconds; undefined when the record has no rows. */
  readonly hourMs: number | undefined;
}

export function readRecord(record: LogRecord): ArchivedRecord {
  const trace = decode(record);
  const hasRows = trace !== undefined && trace.spanCount > 0;
  return { record, trace, hourMs: hasRows ? hourOf(trace) : undefined };
}

/** The start of the event hour that a trace belongs to, epoch milliseconds. */
export function hourOf(trace: Pick<AssembledTrace, 'startTime'>): number {
  return Math.floor(trace.startTime / 1000 / HOUR_MS) * HOUR_MS;
}

function decode(record: LogRecord): AssembledTrace | undefined {
  if (record.value === null) return undefined;
  let trace: AssembledTrace;
  try {
    trace = assembledTraceViewCodec.decode(record.value);
  } catch {
    return undefined;
  }
  if (scanOtlpRequest(trace.otlp, table) !== undefined || table.count !== trace.spanCount) return undefined;
  for (let row = 0; row < table.count; row++) if (table.problem[row] !== 0) return undefined;
  return trace;
}

const HOUR_MS = 3_600_000;
const table = new SpanTable();
