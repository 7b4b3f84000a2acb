import type { Metrics } from '../../../lib/observability/metrics.ts';
import type { RequestReport } from '../ports.ts';

/** What the collector counts beside what every service does. @param heldBytes read when the metrics are. */
export function collectorMetrics(metrics: Metrics, heldBytes: () => number): (report: RequestReport) => void {
  const requests = metrics.counter(
    'requests_total',
    'Requests, by protocol, door and the status of the answer: of HTTP, or the code of gRPC.',
    ['protocol', 'door', 'status'],
  );
  const seconds = metrics.histogram(
    'request_seconds',
    'From the first byte of a request to its answer, Kafka included.',
    { labels: ['protocol'] },
  );
  const rejected = metrics.counter(
    'rejected_spans_total',
    'Spans of requests that were taken which have a wrong id (they become dead letters) or are too large for a record.',
    ['protocol'],
  );
  const held = metrics.gauge('held_bytes', 'Bytes of requests that are read or wait for Kafka.');
  Object.assign(held, { collect: () => held.set(heldBytes()) });
  return (report) => {
    const protocol = report.protocol ?? 'none';
    requests.inc({ protocol, door: report.door, status: String(report.code) });
    seconds.observe({ protocol }, report.seconds);
    if (report.rejected > 0) rejected.inc({ protocol }, report.rejected);
    if (report.spans > 0) metrics.received(report.spans, 'spans');
  };
}
