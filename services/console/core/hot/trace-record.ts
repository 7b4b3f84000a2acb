import type { AssembledTrace, ServiceCount } from '../../../../lib/codec/records.ts';

/** What a list of traces shows of one record of the traces topic, and what merging its revisions needs. */
export interface TraceRecord {
  readonly traceId: string;
  readonly revision: number;
  /** Nanoseconds since 1970. */
  readonly startNs: bigint;
  readonly durationNs: number;
  readonly rootService: string | null;
  readonly rootOperation: string | null;
  readonly spanCount: number;
  readonly errorCount: number;
  readonly orphanCount: number;
  readonly services: readonly ServiceCount[];
  readonly complete: boolean;
  /** Its revision may not be its true one. */
  readonly contextLost: boolean;
}

export function recordOf(trace: AssembledTrace): TraceRecord {
  return { ...trace, startNs: trace.startTimeUnixNano, durationNs: Number(trace.durationNano) };
}

/** Where a trace's OTLP bytes stand in the chunks of its block. */
export interface BytesPlace {
  readonly chunk: number;
  readonly offset: number;
  readonly length: number;
}

/** One line of text, read again by `readRecordLine`. */
export function recordLine(record: TraceRecord, place: BytesPlace): string {
  return JSON.stringify([
    record.traceId,
    record.revision,
    String(record.startNs),
    record.durationNs,
    record.rootService,
    record.rootOperation,
    record.spanCount,
    record.errorCount,
    record.orphanCount,
    record.services.flatMap(({ service, spanCount, errorCount }) => [service, spanCount, errorCount]),
    (record.complete ? COMPLETE : 0) + (record.contextLost ? CONTEXT_LOST : 0),
    place.chunk,
    place.offset,
    place.length,
  ]);
}

export function readRecordLine(line: string): { record: TraceRecord; place: BytesPlace } {
  const f = JSON.parse(line) as RecordFields;
  const services: ServiceCount[] = [];
  for (let i = 0; i < f[9].length; i += 3) {
    services.push({ service: String(f[9][i]), spanCount: Number(f[9][i + 1]), errorCount: Number(f[9][i + 2]) });
  }
  return {
    record: {
      traceId: f[0],
      revision: f[1],
      startNs: BigInt(f[2]),
      durationNs: f[3],
      rootService: f[4],
      rootOperation: f[5],
      spanCount: f[6],
      errorCount: f[7],
      orphanCount: f[8],
      services,
      complete: (f[10] & COMPLETE) !== 0,
      contextLost: (f[10] & CONTEXT_LOST) !== 0,
    },
    place: { chunk: f[11], offset: f[12], length: f[13] },
  };
}

type RecordFields = [
  string,
  number,
  string,
  number,
  string | null,
  string | null,
  number,
  number,
  number,
  (string | number)[],
  number,
  number,
  number,
  number,
];

const COMPLETE = 1;
const CONTEXT_LOST = 2;
