/**
 * The TypeScript face of schemas/*.avsc. A field's meaning stands in its schema; here stands what code sees: enums are
 * strings, longs are safe integers, longs marked exactNanos are bigint, bytes are Buffer.
 */
import { avroCodec } from './avro.ts';

export type CloseReason = 'idle' | 'age' | 'size' | 'late' | 'drain';

export interface ServiceCount {
  service: string;
  spanCount: number;
  errorCount: number;
}

export interface AssembledTrace {
  traceId: string;
  revision: number;
  closeReason: CloseReason;
  complete: boolean;
  incompleteReasons: string[];
  /** Microseconds. */
  startTime: number;
  startTimeUnixNano: bigint;
  durationNano: bigint;
  rootService: string | null;
  rootOperation: string | null;
  rootSpanId: string | null;
  spanCount: number;
  errorCount: number;
  orphanCount: number;
  duplicateCount: number;
  services: ServiceCount[];
  contextLost: boolean;
  /** Epoch milliseconds. */
  lastAppendTime: number;
  inputs: number[];
  otlp: Buffer;
}

export interface DeadLetter {
  topic: string;
  partition: number;
  offset: number;
  index: number | null;
  reason: string;
  code: string;
  detail: string;
  size: number;
  sha256: string;
  encoding: string;
  service: string;
  /** Epoch milliseconds. */
  time: number;
  payload: Buffer | null;
}

export interface HandOff {
  namespace: string;
  nonce: string;
}

export interface LedgerEntry {
  kind: 'claim' | 'entry';
  nonce: string;
  applied: number;
  low: number;
  outputPosition: number;
  outputEnd: number;
  handOff: HandOff | null;
  counters: Record<string, number>;
  /** Epoch milliseconds. */
  streamTime: number;
  state: Buffer | null;
}

export interface DurationHistogram {
  buckets: number[];
  counts: number[];
  zeroCount: number;
  sumMicros: number;
}

export interface Exemplar {
  traceId: string;
  spanId: string;
  kind: string;
  durationMicros: number;
}

export interface ErrorOrigin {
  service: string;
  operation: string;
  caller: string;
  class: string;
  peerKind: string;
  weight: number;
  masked: boolean;
  spanId: string;
  version: string;
  signature: string;
  path: string[];
}

export interface FailingTrace {
  traceId: string;
  sign: number;
  userVisible: boolean;
  /** Microseconds. */
  startTime: number;
  origins: ErrorOrigin[];
  path: string[];
}

/** All calls of one service to another in a trace. */
export interface SlowCall {
  client: string;
  server: string;
  operation: string;
  peerKind: string;
  calls: number;
  clientMicros: number;
  serverMicros: number;
}

export interface SlowTrace {
  traceId: string;
  spanId: string;
  /** Microseconds. */
  startTime: number;
  durationMicros: number;
  calls: SlowCall[];
}

export interface ServiceEdgeDelta {
  subject: 'edge' | 'service' | 'entry';
  /** Microseconds. */
  windowStart: number;
  client: string;
  server: string;
  connectionType: string;
  peerKind: string;
  clientOperation: string;
  serverOperation: string;
  confidence: string;
  calls: number;
  errors: number;
  errors4xx: number;
  traces: number;
  clientDuration: DurationHistogram | null;
  serverDuration: DurationHistogram | null;
  networkGap: DurationHistogram | null;
  queueDelay: DurationHistogram | null;
  exemplars: Exemplar[];
  failures: FailingTrace[];
  slowTraces: SlowTrace[];
  incompleteTraces: number;
  orphanSpans: number;
  versions: string[];
  owner: string;
}

export const assembledTraceCodec = avroCodec<AssembledTrace>('assembled-trace');
/** For who keeps the record anyway: `otlp`, which is nearly all of it, is not copied. */
export const assembledTraceViewCodec = avroCodec<AssembledTrace>('assembled-trace', { bytesAsViews: true });
export const deadLetterCodec = avroCodec<DeadLetter>('dead-letter');
export const ledgerEntryCodec = avroCodec<LedgerEntry>('ledger-entry');
export const serviceEdgeDeltaCodec = avroCodec<ServiceEdgeDelta>('service-edge-delta');
