import type { ServiceEdgeDelta } from '../../../lib/codec/records.ts';
import type { Metrics } from '../../../lib/observability/metrics.ts';
import { DurationHistogram, type SparseHistogram } from '../../../lib/stats/duration-histogram.ts';
import type { FoldReport } from '../ports.ts';
import { RisingCounter, RisingHistogram } from './rising-metrics.ts';

/**
 * What each committed transaction said, as metrics: our own instruments, and those of Tempo's metrics-generator, so that
 * Grafana's service graph and its dashboards work as they are.
 */
export function graphMetrics(metrics: Metrics, seriesMax: number): (report: FoldReport) => void {
  const corrected = metrics.counter('corrected_total', 'Traces whose earlier revisions were taken back.');
  const uncorrected = metrics.counter(
    'uncorrected_total',
    'Revisions counted by themselves though others came before.',
  );
  const overflowed = metrics.counter('names_overflow_total', 'Names counted as __other__.');
  const left = metrics.counter('series_overflow_total', 'Changes of series beyond GRAPH_METRIC_SERIES_MAX.');
  const graph = serviceGraph(metrics, seriesMax, () => left.inc());
  const spans = spanMetrics(metrics, seriesMax, () => left.inc());
  return (report) => {
    metrics.received(report.records, 'records');
    metrics.received(report.spans, 'spans');
    metrics.sent('deltas', report.deltas.length);
    metrics.sent('dead_letters', report.refused);
    metrics.dropped('foreign_record', report.refused);
    corrected.inc(report.corrected);
    uncorrected.inc(report.uncorrected);
    overflowed.inc(report.namesOverflowed);
    for (const delta of report.deltas) if (delta.subject === 'edge') graph(delta);
    spans(report);
  };
}

function serviceGraph(metrics: Metrics, seriesMax: number, overflow: () => void): (delta: ServiceEdgeDelta) => void {
  const { registry } = metrics;
  const prefix = 'traces_service_graph_request';
  const total = new RisingCounter<EdgeLabel>(
    registry,
    `${prefix}_total`,
    'Calls between services.',
    seriesMax,
    overflow,
  );
  const failed = new RisingCounter<EdgeLabel>(
    registry,
    `${prefix}_failed_total`,
    'Calls between services that failed.',
    seriesMax,
    overflow,
  );
  const server = new RisingHistogram<EdgeLabel>(
    registry,
    `${prefix}_server_seconds`,
    'Duration of calls as their server saw them.',
    seriesMax,
    overflow,
  );
  const client = new RisingHistogram<EdgeLabel>(
    registry,
    `${prefix}_client_seconds`,
    'Duration of calls as their client saw them.',
    seriesMax,
    overflow,
  );
  const buckets = new DurationHistogram();
  return (delta) => {
    const labels = { client: delta.client, server: delta.server, connection_type: delta.connectionType };
    if (delta.calls !== 0) total.add(labels, delta.calls);
    if (delta.errors !== 0) failed.add(labels, delta.errors);
    if (delta.serverDuration !== null) server.add(labels, filled(buckets, delta.serverDuration));
    if (delta.clientDuration !== null) client.add(labels, filled(buckets, delta.clientDuration));
  };
}

function spanMetrics(metrics: Metrics, seriesMax: number, overflow: () => void): (report: FoldReport) => void {
  const { registry } = metrics;
  const calls = new RisingCounter<SpanLabel>(registry, 'traces_spanmetrics_calls_total', 'Spans.', seriesMax, overflow);
  const latency = new RisingHistogram<SpanLabel>(
    registry,
    'traces_spanmetrics_latency',
    'Duration of spans, in seconds.',
    seriesMax,
    overflow,
  );
  return ({ spanCounts, names }) => {
    spanCounts.forEach((row) => {
      const labels = {
        service: names.serviceName(names.serviceOf(row.operation)),
        span_name: names.operationName(row.operation),
        span_kind: SPAN_KINDS[row.kind] ?? 'SPAN_KIND_UNSPECIFIED',
        status_code: STATUS_CODES[row.status] ?? 'STATUS_CODE_UNSET',
      };
      calls.add(labels, row.calls);
      latency.add(labels, row.duration);
    });
  };
}

type EdgeLabel = 'client' | 'server' | 'connection_type';
type SpanLabel = 'service' | 'span_name' | 'span_kind' | 'status_code';

/** In the order of OTLP's numbers. */
const SPAN_KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map(
  (kind) => `SPAN_KIND_${kind}`,
);
const STATUS_CODES = ['UNSET', 'OK', 'ERROR'].map((code) => `STATUS_CODE_${code}`);

function filled(histogram: DurationHistogram, sparse: SparseHistogram): DurationHistogram {
  histogram.clear();
  histogram.merge(sparse);
  return histogram;
}
