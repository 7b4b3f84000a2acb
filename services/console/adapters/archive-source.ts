import type { ArchiveReader } from '../../../lib/archive/archive-reader.ts';
import { otlpOfRows } from '../../../lib/archive/otlp-of-traces.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';
import type { TraceReader } from '../ports.ts';

export interface ArchiveSourceOptions {
  readonly archive: ArchiveReader;
  readonly clock: Clock;
  /** A trace that is asked for by its id alone is looked for this far back. */
  readonly lookBackMs: number;
  /** A search covers at most so much, from its end. */
  readonly searchMsMax: number;
}

/** The archive as a source of traces. */
export function archiveSource({ archive, clock, lookBackMs, searchMsMax }: ArchiveSourceOptions): TraceReader {
  return {
    source: 'archive',
    async read(traceId) {
      const untilMs = clock.wallMs();
      const trace = await archive.getTrace(traceId, { sinceMs: untilMs - lookBackMs, untilMs: untilMs + HOUR_MS });
      if (trace === undefined || trace.spans.length === 0) return [];
      // All revisions in one part: the last one's number says that none is missing.
      const revision = Math.max(...trace.revisions.map((row) => Number(row['revision'])));
      return [{ source: 'archive', revision, contextLost: false, otlp: trace.otlp ?? otlpOfRows(trace.spans) }];
    },
    async search(query) {
      const { service, operation, failed, durationMinMs = 0, durationMaxMs, attributes = [], limit } = query;
      const untilMs = query.toMs ?? clock.wallMs();
      const sinceMs = Math.max(query.fromMs ?? 0, untilMs - searchMsMax);
      // Rows have no index of attributes: what cannot be asked is not answered, and the notice says so.
      if (attributes.length > 0) return { records: [], more: false, gaveUp: false, unanswered: 'attributes' };
      const found = await archive.searchTraces({
        service,
        operation,
        error: failed === true,
        minDurationNs: BigInt(Math.round(durationMinMs * 1e6)),
        range: { sinceMs, untilMs },
        limit: limit + 1,
      });
      const fits = found.filter(
        ({ durationNs, errorCount }) =>
          Number(durationNs) / 1e6 <= (durationMaxMs ?? Number.POSITIVE_INFINITY) &&
          (failed !== false || errorCount === 0),
      );
      const records = fits.slice(0, limit).map((trace) => ({
        ...trace,
        revision: 1,
        startNs: BigInt(trace.startTime.getTime()) * 1_000_000n,
        durationNs: Number(trace.durationNs),
        orphanCount: 0,
        // The archive's list has names alone.
        services: trace.services.map((name) => ({ service: name, spanCount: 0, errorCount: 0 })),
        contextLost: false,
      }));
      const isCut = sinceMs > (query.fromMs ?? 0);
      return { records, more: found.length > limit, gaveUp: false, ...(isCut ? { boundedToMs: sinceMs } : {}) };
    },
  };
}

const HOUR_MS = 3_600_000;
