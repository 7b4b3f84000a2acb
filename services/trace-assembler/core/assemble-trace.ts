import type { AssembledTrace, CloseReason, ServiceCount } from '../../../lib/codec/records.ts';
import { scanOtlpRequest } from '../../../lib/trace/otlp-scan.ts';
import { SpanIdSet } from '../../../lib/trace/span-id-set.ts';
import { SpanTable } from '../../../lib/trace/span-table.ts';
import { RunList, readFragment } from '../../../lib/trace/window-fragment.ts';
import type { SpanContext } from './contexts.ts';
import { CopyFilter } from './copy-filter.ts';
import { writeTraceRequest } from './trace-request.ts';

export interface ClosedWindow {
  /** 32 hex characters. */
  readonly traceId: string;
  readonly closeReason: CloseReason;
  readonly revision: number;
  /** Hashes of the spans that earlier revisions emitted, eight bytes each. */
  readonly earlierHashes: Buffer;
  readonly contextLost: boolean;
  readonly inputs: readonly number[];
  /** Epoch milliseconds. */
  readonly lastAppendTime: number;
  readonly fragments: readonly Buffer[];
}

export interface Assembly {
  readonly trace: AssembledTrace;
  /** Hashes of the spans emitted here, eight bytes each. */
  readonly hashes: Buffer;
}

/**
 * Makes the trace record of a closed window: spans grouped by resource and scope, copies left out, and what a reader
 * wants to know without looking at spans.
 *
 * @returns `undefined` when the fragments are not whole: the store gave back something else than was put in.
 */
export function assembleTrace(
  closed: ClosedWindow,
  contextOf: (id: number) => SpanContext | undefined,
): Assembly | undefined {
  runs.clear();
  for (const fragment of closed.fragments) if (!readFragment(fragment, runs)) return undefined;
  let request = writeTraceRequest(runs, contextOf);
  if (request === undefined || scanOtlpRequest(request.bytes, table) !== undefined) return undefined;

  const copies = copyFilter.mark(request, table, closed.earlierHashes);
  if (copies > 0) {
    const kept = keptRuns(request, copyFilter.isCopy);
    request = writeTraceRequest(kept, contextOf);
    if (request === undefined || scanOtlpRequest(request.bytes, table) !== undefined) return undefined;
  }
  return { trace: describe(closed, request, copies), hashes: copyFilter.keptHashes(copies) };
}

/** An encoded request with, for each context row of its scan, the context it was written from. */
export interface TraceRequest {
  readonly bytes: Buffer;
  readonly contexts: readonly SpanContext[];
}

function keptRuns(request: TraceRequest, isCopy: Uint8Array): RunList {
  const kept = new RunList();
  for (let row = 0; row < table.count; row++) {
    if (isCopy[row] === 1) continue;
    const context = request.contexts[table.context[row] as number] as SpanContext;
    kept.add(context.id, request.bytes, table.fieldStart[row] as number, table.bodyEnd[row] as number);
  }
  return kept;
}

/** Reads the scan of `request` in `table`. */
function describe(closed: ClosedWindow, request: TraceRequest, duplicateCount: number): AssembledTrace {
  spanIds.reset(table.count);
  for (let row = 0; row < table.count; row++) spanIds.add(request.bytes, table.spanId[row] as number);

  let first = -1;
  let last = -1;
  let root = -1;
  let orphanCount = 0;
  let errorCount = 0;
  const services: ServiceCount[] = [];
  for (let row = 0; row < table.count; row++) {
    if (first < 0 || startsBefore(row, first)) first = row;
    if (last < 0 || endsAfter(row, last)) last = row;
    const parent = table.parentSpanId[row] as number;
    if (parent < 0) {
      if (root < 0 || startsBefore(row, root)) root = row;
    } else if (!spanIds.has(request.bytes, parent)) orphanCount++;
    const failed = table.statusCode[row] === STATUS_ERROR;
    if (failed) errorCount++;
    count(services, (request.contexts[table.context[row] as number] as SpanContext).serviceName, failed);
  }
  const incompleteReasons: string[] = [];
  if (table.count > 0 && root < 0) incompleteReasons.push('no_root');
  if (orphanCount > 0) incompleteReasons.push('orphans');

  const startNano = first < 0 ? 0n : clampNanos(table.startHi[first] as number, table.startLo[first] as number);
  const endNano = last < 0 ? 0n : clampNanos(table.endHi[last] as number, table.endLo[last] as number);
  const rootContext = root < 0 ? undefined : request.contexts[table.context[root] as number];
  return {
    traceId: closed.traceId,
    revision: closed.revision,
    closeReason: closed.revision > 1 && closed.closeReason === 'idle' ? 'late' : closed.closeReason,
    complete: table.count > 0 && incompleteReasons.length === 0,
    incompleteReasons,
    startTime: Math.min(Number(startNano / 1000n), MICROS_MAX),
    startTimeUnixNano: startNano,
    durationNano: endNano > startNano ? endNano - startNano : 0n,
    rootService: rootContext === undefined ? null : rootContext.serviceName,
    rootOperation: root < 0 ? null : operationName(request.bytes, root),
    rootSpanId: root < 0 ? null : request.bytes.hexSlice(table.spanId[root], (table.spanId[root] as number) + 8),
    spanCount: table.count,
    errorCount,
    orphanCount,
    duplicateCount,
    services,
    contextLost: closed.contextLost,
    lastAppendTime: closed.lastAppendTime,
    inputs: closed.inputs as number[],
    otlp: request.bytes,
  };
}

function count(services: ServiceCount[], service: string, failed: boolean): void {
  let entry: ServiceCount | undefined;
  for (const known of services) if (known.service === service) entry = known;
  if (entry === undefined) {
    // A trace that names thousands of services is a mistake of its sender; the sum still adds up under one name.
    entry =
      services.length < SERVICES_PER_TRACE_MAX
        ? { service, spanCount: 0, errorCount: 0 }
        : (services.find((known) => known.service === OTHER_SERVICES) ?? {
            service: OTHER_SERVICES,
            spanCount: 0,
            errorCount: 0,
          });
    if (!services.includes(entry)) services.push(entry);
  }
  entry.spanCount++;
  if (failed) entry.errorCount++;
}

function operationName(bytes: Buffer, row: number): string {
  const start = table.nameStart[row] as number;
  return bytes.utf8Slice(start, Math.min(table.nameEnd[row] as number, start + OPERATION_BYTES_MAX));
}

function startsBefore(a: number, b: number): boolean {
  const hi = (table.startHi[a] as number) - (table.startHi[b] as number);
  return hi < 0 || (hi === 0 && (table.startLo[a] as number) < (table.startLo[b] as number));
}

function endsAfter(a: number, b: number): boolean {
  const hi = (table.endHi[a] as number) - (table.endHi[b] as number);
  return hi > 0 || (hi === 0 && (table.endLo[a] as number) > (table.endLo[b] as number));
}

/** OTLP times are unsigned 64 bits, Avro longs are signed: what exceeds them (the year 2262) is held at the limit. */
function clampNanos(hi: number, lo: number): bigint {
  return hi > 0x7fffffff ? INT64_MAX : (BigInt(hi) << 32n) | BigInt(lo);
}

const STATUS_ERROR = 2;
const INT64_MAX = 2n ** 63n - 1n;
/** The largest number that avsc writes as a long; as microseconds the year 2255. startTimeUnixNano is exact beyond. */
const MICROS_MAX = 9_007_199_254_740_990;
const SERVICES_PER_TRACE_MAX = 500;
const OTHER_SERVICES = '__other__';
const OPERATION_BYTES_MAX = 1024;

/** Scratch, filled again for every trace. */
const runs = new RunList();
const table = new SpanTable();
const spanIds = new SpanIdSet();
const copyFilter = new CopyFilter();
