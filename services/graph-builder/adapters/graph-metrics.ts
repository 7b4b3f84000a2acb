import type { ServiceEdgeDelta } from '../../../lib/codec/records.ts';
import type { Metrics } from '../../../lib/observability/metrics.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';
import { DurationHistogram, type SparseHistogram } from '../../../lib/stats/duration-histogram.ts';
import type { FoldReport } from '../ports.ts';
import { RisingCounter, RisingHistogram } from './rising-metrics.ts';
import type { SeriesLimits } from './series-set.ts';

/**
 * What each committed transaction said, as metrics: our own instruments, and those of Tempo's metrics-generator, so that
 * Grafana's service graph and its dashboards work as they are.
 */
export function graphMetrics(metrics: Metrics, options: GraphMetricsOptions): (report: FoldReport) => void {
  const corrected = metrics.counter('corrected_total', 'Traces whose earlier revisions were taken back.');
  const uncorrected = metrics.counter(
    'uncorrected_total',
    'Revisions counted by themselves though others came before.',
  );
  const overflowed = metrics.counter('names_overflow_total', 'Names counted as __other__.');
  const overflow = metrics.counter(
    'series_overflow_total',
    'Changes that went into the series metric_overflow="true", beyond GRAPH_METRIC_SERIES_MAX.',
  );
  const limits = { ...options, onOverflow: () => overflow.inc() };
  const graph = serviceGraph(metrics, limits);
  const spans = spanMetrics(metrics, limits);
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

export interface GraphMetricsOptions {
  /** Label sets of each of Tempo's metrics. */
  readonly seriesMax: number;
  /** A label set that nothing was added to for so long goes away. */
  readonly staleMs: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

function serviceGraph(metrics: Metrics, limits: SeriesLimits): (delta: ServiceEdgeDelta) => void {
  const { registry } = metrics;
  const prefix = 'traces_service_graph_request';
  const counter = (name: string, help: string) => new RisingCounter<EdgeLabel>(registry, name, help, limits);
  const histogram = (name: string, help: string) =>
    new RisingHistogram<EdgeLabel>(registry, name, help, EDGE_BOUNDS_SECONDS, limits);
  const total = counter(`${prefix}_total`, 'Calls between services.');
  const failed = counter(`${prefix}_failed_total`, 'Calls between services that failed.');
  const server = histogram(
    `${prefix}_server_seconds`,
    'Duration of calls as their server saw them; as their client did when the server sends no spans.',
  );
  const client = histogram(`${prefix}_client_seconds`, 'Duration of calls as their client saw them.');
  const queue = histogram(
    `${prefix}_messaging_system_seconds`,
    'Time that messages waited between sender and consumer.',
  );
  const buckets = new DurationHistogram();
  return (delta) => {
    const { exemplars, clientDuration, serverDuration, queueDelay } = delta;
    const labels = { client: delta.client, server: delta.server, connection_type: delta.connectionType };
    if (delta.calls !== 0) total.add(labels, delta.calls);
    if (delta.errors !== 0) failed.add(labels, delta.errors);
    if (clientDuration !== null) client.add(labels, filled(buckets, clientDuration), exemplars);
    const served = serverDuration ?? clientDuration;
    if (served !== null) server.add(labels, filled(buckets, served), exemplars);
    if (queueDelay !== null) queue.add(labels, filled(buckets, queueDelay));
  };
}

function spanMetrics(metrics: Metrics, limits: SeriesLimits): (report: FoldReport) => void {
  const { registry } = metrics;
  const calls = new RisingCounter<SpanLabel>(registry, 'traces_spanmetrics_calls_total', 'Spans.', limits);
  const latency = new RisingHistogram<SpanLabel>(
    registry,
    'traces_spanmetrics_latency',
    'Duration of spans, in seconds.',
    SPAN_BOUNDS_SECONDS,
    limits,
  );
  const size = new RisingCounter<SpanLabel>(
    registry,
    'traces_spanmetrics_size_total',
    'Size of spans as OTLP, in bytes.',
    limits,
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
      latency.add(labels, row.duration, row.exemplar === undefined ? [] : [row.exemplar]);
      size.add(labels, row.bytes);
    });
  };
}

type EdgeLabel = 'client' | 'server' | 'connection_type';
type SpanLabel = 'service' | 'span_name' | 'span_kind' | 'status_code';

/** Tempo's eight from 0.1 s on, and five finer ones: most calls take less than its first. */
const EDGE_BOUNDS_SECONDS = [0.003125, 0.00625, 0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8];
/** Tempo's. */
const SPAN_BOUNDS_SECONDS = [
  0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384,
];
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
