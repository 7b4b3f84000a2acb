import type { Metrics } from '../../../lib/observability/metrics.ts';
import type { RoutedReport } from '../ports.ts';

/** Counts what each committed transaction took in and gave out. */
export function routerMetrics(metrics: Metrics): (report: RoutedReport) => void {
  const redacted = metrics.counter(
    'redacted_total',
    'Values that were redacted, by rule: drop, hash, mask, cut_query, or pattern:<name>.',
    ['rule'],
  );
  const truncated = metrics.counter('truncated_total', 'Spans, resources and scopes that were cut to fit.');
  return (report) => {
    metrics.received(report.records, 'records');
    metrics.received(report.bytes, 'bytes');
    metrics.sent('bundles', report.bundles);
    metrics.sent('spans', report.spans);
    metrics.sent('bytes', report.bundleBytes);
    metrics.sent('dead_letters', report.deadLetters);
    // Lost offsets are counted by the worker loop, for every service alike.
    for (const [reason, count] of report.rejected) if (reason !== 'offsets_lost') metrics.dropped(reason, count);
    for (const [rule, count] of report.redacted) redacted.inc({ rule }, count);
    truncated.inc(report.truncated);
  };
}
