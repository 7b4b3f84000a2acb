import { type AssembledTrace, assembledTraceCodec } from '../codec/records.ts';
import type { LogRecord } from '../kafka/types.ts';
import { scanOtlpRequest } from '../trace/otlp-scan.ts';
import { SpanTable } from '../trace/span-table.ts';
import { EPOCH_MS } from './otlp-builder.ts';

/** A trace record around `otlp`, as an assembler would write it; what a case is about is given in `overrides`. */
export function assembledTrace(otlp: Buffer, overrides: Partial<AssembledTrace> = {}): AssembledTrace {
  const table = new SpanTable();
  const problem = scanOtlpRequest(otlp, table);
  if (problem !== undefined) throw new Error(`not an OTLP request: ${problem.reason}`);
  const idAt = table.traceId[0] as number;
  return {
    traceId: table.count === 0 ? '0'.repeat(31).concat('1') : otlp.hexSlice(idAt, idAt + 16),
    revision: 1,
    closeReason: 'idle',
    complete: true,
    incompleteReasons: [],
    startTime: EPOCH_MS * 1000,
    startTimeUnixNano: BigInt(EPOCH_MS) * 1_000_000n,
    durationNano: 1_000_000n,
    rootService: null,
    rootOperation: null,
    rootSpanId: null,
    spanCount: table.count,
    errorCount: 0,
    orphanCount: 0,
    duplicateCount: 0,
    services: [],
    contextLost: false,
    lastAppendTime: EPOCH_MS,
    inputs: [0],
    otlp,
    ...overrides,
  };
}

/** As it is sent to the traces topic. */
export function traceRecord(trace: AssembledTrace): { key: Buffer; value: Buffer } {
  return { key: Buffer.from(trace.traceId), value: assembledTraceCodec.encode(trace) };
}

/** As it is read from there. */
export function traceLogRecord(trace: AssembledTrace, offset: number, timestampMs = EPOCH_MS): LogRecord {
  return { offset, timestampMs, headers: new Map(), ...traceRecord(trace) };
}
