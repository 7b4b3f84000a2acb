import type { Trace } from '../api-types.ts';

/** A trace as Jaeger's API v3 lists it; 64-bit numbers are text. */
export function traceSummary(trace: Omit<Trace, 'notices'>) {
  const { traceId, startNs, durationNs, rootService, rootOperation, services } = trace;
  return {
    traceId,
    rootServiceName: rootService ?? '',
    rootOperationName: rootOperation ?? '',
    minStartTimeUnixNano: startNs,
    maxEndTimeUnixNano: String(BigInt(startNs) + BigInt(durationNs)),
    spanCount: trace.spanCount,
    errorSpanCount: trace.errorCount,
    orphanSpanCount: trace.orphanCount,
    services: services.map(({ name, spanCount, errorCount }) => ({ name, spanCount, errorSpanCount: errorCount })),
  };
}
