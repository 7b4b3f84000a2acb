import type { SourceName, Trace, TraceSummary } from '../api-types.ts';
import type { TraceRecord } from '../hot/trace-record.ts';

/** One line for each trace of the records, which come with the revisions of a trace in any order; newest first. */
export function summariesOf(records: readonly TraceRecord[], source: SourceName): TraceSummary[] {
  const byTrace = new Map<string, TraceRecord[]>();
  for (const record of records) byTrace.set(record.traceId, [...(byTrace.get(record.traceId) ?? []), record]);
  const summaries = [...byTrace.values()].map((revisions) => summaryOf(revisions, source));
  return summaries.sort((a, b) => b.startMs - a.startMs);
}

/** Those of both; what several sources have is shown as the first one has it. Newest first. */
export function mergeSummaries(lists: readonly (readonly TraceSummary[])[], limit: number): TraceSummary[] {
  const byTrace = new Map<string, TraceSummary>();
  for (const summary of lists.flat()) if (!byTrace.has(summary.traceId)) byTrace.set(summary.traceId, summary);
  return [...byTrace.values()].sort((a, b) => b.startMs - a.startMs).slice(0, limit);
}

export function summaryOfTrace(trace: Omit<Trace, 'notices'>): TraceSummary {
  const { traceId, startMs, rootService, rootOperation, spanCount, errorCount, orphanCount, complete, open } = trace;
  const facts = { traceId, startMs, rootService, rootOperation, spanCount, errorCount, orphanCount, complete, open };
  const services = [...trace.services].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { ...facts, durationMs: trace.durationNs / 1e6, services, source: trace.sources[0] as SourceName };
}

function summaryOf(revisions: readonly TraceRecord[], source: SourceName): TraceSummary {
  const sorted = [...revisions].sort((a, b) => a.revision - b.revision);
  const first = sorted[0] as TraceRecord;
  const rooted = sorted.find(({ rootService }) => rootService !== null);
  const startNs = sorted.map((of) => of.startNs).sort((a, b) => (a < b ? -1 : 1))[0] as bigint;
  const ends = sorted.map((of) => Number(of.startNs - startNs) + of.durationNs);
  const services = new Map<string, TraceSummary['services'][number]>();
  for (const { service, spanCount, errorCount } of sorted.flatMap((of) => of.services)) {
    const share = services.get(service) ?? { name: service, spanCount: 0, errorCount: 0 };
    services.set(service, {
      name: service,
      spanCount: share.spanCount + spanCount,
      errorCount: share.errorCount + errorCount,
    });
  }
  const sum = (of: (record: TraceRecord) => number): number => sorted.reduce((total, record) => total + of(record), 0);
  return {
    traceId: first.traceId,
    startMs: Number(startNs / 1000n) / 1000,
    durationMs: Math.max(...ends) / 1e6,
    rootService: rooted?.rootService ?? null,
    rootOperation: rooted?.rootOperation ?? null,
    spanCount: sum(({ spanCount }) => spanCount),
    errorCount: sum(({ errorCount }) => errorCount),
    orphanCount: sum(({ orphanCount }) => orphanCount),
    services: [...services.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    complete: sorted.length === 1 && first.complete,
    open: false,
    source,
  };
}
