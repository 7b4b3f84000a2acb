import type { AssembledTrace, ServiceEdgeDelta } from '../../lib/codec/records.ts';
import { otlp, type SpanLiteral } from '../../lib/testkit/otlp-builder.ts';

/** Records for the demo's tests: what a case is about is given, the rest is plausible. */

export function traceRecord(
  trace: number,
  spans: readonly SpanLiteral[],
  fields: Partial<AssembledTrace> = {},
): AssembledTrace {
  return {
    traceId: trace.toString(16).padStart(32, '0'),
    revision: 1,
    closeReason: 'idle',
    complete: true,
    incompleteReasons: [],
    startTime: 0,
    startTimeUnixNano: 0n,
    durationNano: 0n,
    rootService: 'api-gateway',
    rootOperation: 'GET /products/{id}',
    rootSpanId: null,
    spanCount: spans.length,
    errorCount: 0,
    orphanCount: 0,
    duplicateCount: 0,
    services: [],
    contextLost: false,
    lastAppendTime: 0,
    inputs: [0],
    otlp: otlp([{ service: 'api-gateway', spans }], { trace }),
    ...fields,
  };
}

export function edgeDelta(fields: Partial<ServiceEdgeDelta>): ServiceEdgeDelta {
  return {
    subject: 'edge',
    windowStart: 0,
    client: 'backend-service',
    server: 'database',
    connectionType: 'database',
    peerKind: 'database',
    clientOperation: '',
    serverOperation: '',
    confidence: 'virtual',
    calls: 0,
    errors: 0,
    errors4xx: 0,
    traces: 0,
    clientDuration: null,
    serverDuration: null,
    networkGap: null,
    queueDelay: null,
    exemplars: [],
    failures: [],
    slowTraces: [],
    incompleteTraces: 0,
    orphanSpans: 0,
    versions: [],
    owner: '',
    ...fields,
  };
}
