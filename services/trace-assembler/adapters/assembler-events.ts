import type { Logger } from '../../../lib/observability/logger.ts';
import type { Metrics } from '../../../lib/observability/metrics.ts';
import type { AssemblerEvents } from '../core/assembler-settings.ts';

/** What the assembler tells, as metrics and log lines. */
export function assemblerEvents(metrics: Metrics, logger: Logger): { ofPartition(partition: number): AssemblerEvents } {
  const openWindows = metrics.gauge('open_windows', 'Traces whose window is open.', ['partition']);
  const contexts = metrics.gauge('contexts', 'Pairs of resource and scope that are interned.', ['partition']);
  const traces = metrics.counter('traces_total', 'Traces emitted, by why they closed.', ['reason', 'complete']);
  const duplicates = metrics.counter('duplicates_total', 'Copies of spans that were left out.');
  const recoveries = metrics.counter('recoveries_total', 'Starts of a partition, by how its state came back.', ['how']);
  return {
    ofPartition: (partition) => ({
      received(spans, bytes) {
        metrics.received(1, 'records');
        metrics.received(spans, 'spans');
        metrics.received(bytes, 'bytes');
      },
      emitted(trace) {
        traces.inc({ reason: trace.closeReason, complete: String(trace.complete) });
        if (trace.duplicateCount > 0) duplicates.inc(trace.duplicateCount);
        metrics.sent('traces', 1);
        metrics.sent('spans', trace.spanCount);
      },
      foreignRecord(offset, reason) {
        metrics.dropped('foreign_record', 1);
        logger.warn('a record that no router wrote was refused', { partition, offset, reason });
      },
      recovered(how, windows, from) {
        recoveries.inc({ how: how.replaceAll(' ', '_').replaceAll('-', '_') });
        logger.info('windows recovered', { partition, how, windows, from });
      },
      open(windows, known) {
        openWindows.set({ partition }, windows);
        contexts.set({ partition }, known);
      },
    }),
  };
}
