import { kindAndStatus, RowDigest, SPAN_WORDS } from '../../../lib/archive/row-digest.ts';
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
  /** Of its rows in the spans dataset. */
  readonly spanDigest: RowDigest;
}

export function readRecord(record: LogRecord): ArchivedRecord {
  const spanDigest = new RowDigest();
  const trace = decode(record, spanDigest);
  const hasRows = trace !== undefined && trace.spanCount > 0;
  return { record, trace, hourMs: hasRows ? hourOf(trace) : undefined, spanDigest };
}

/** The start of the event hour that a trace belongs to, epoch milliseconds. */
export function hourOf(trace: Pick<AssembledTrace, 'startTime'>): number {
  return Math.floor(trace.startTime / 1000 / HOUR_MS) * HOUR_MS;
}

function decode(record: LogRecord, digest: RowDigest): AssembledTrace | undefined {
  if (record.value === null) return undefined;
  let trace: AssembledTrace;
  try {
    trace = assembledTraceViewCodec.decode(record.value);
  } catch {
    return undefined;
  }
  if (scanOtlpRequest(trace.otlp, table) !== undefined || table.count !== trace.spanCount) return undefined;
  for (let row = 0; row < table.count; row++) if (table.problem[row] !== 0) return undefined;
  addSpans(digest, trace.otlp);
  return trace;
}

function addSpans(digest: RowDigest, bytes: Buffer): void {
  for (let row = 0; row < table.count; row++) {
    const traceId = table.traceId[row] as number;
    const spanId = table.spanId[row] as number;
    for (let word = 0; word < 4; word++) words[word] = bytes.readInt32BE(traceId + 4 * word);
    words[4] = bytes.readInt32BE(spanId);
    words[5] = bytes.readInt32BE(spanId + 4);
    const startLo = table.startLo[row] as number;
    const startHi = table.startHi[row] as number;
    const lo = (table.endLo[row] as number) - startLo;
    words[6] = startLo;
    words[7] = startHi;
    words[8] = lo;
    words[9] = (table.endHi[row] as number) - startHi - (lo < 0 ? 1 : 0);
    words[10] = kindAndStatus(table.kind[row] as number, table.statusCode[row] as number);
    digest.add(words);
  }
}

const HOUR_MS = 3_600_000;
const words = new Int32Array(SPAN_WORDS);
const table = new SpanTable();
