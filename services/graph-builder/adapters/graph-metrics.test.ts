import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '../../../lib/observability/metrics.ts';
import { openMetricsText } from '../../../lib/observability/open-metrics.ts';
import type { ResourceLiteral, SpanLiteral } from '../../../lib/testkit/otlp-builder.ts';
import { LiteralFold } from '../core/testing/fold-literal.ts';
import { graphMetrics } from './graph-metrics.ts';

const of = (service: string, ...spans: SpanLiteral[]): ResourceLiteral => ({ service, spans });
const kafka = { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' };
const TRACE = [
  of('web', { id: 1, kind: 'server', name: 'GET /', duration: 80 }),
  of(
    'web',
    { id: 2, parent: 1, kind: 'client', name: 'GET', duration: 60, error: true },
    { id: 5, parent: 1, kind: 'producer', name: 'send', start: 10, duration: 1, attributes: kafka },
    { id: 7, parent: 1, kind: 'client', name: 'GET', duration: 3, attributes: { 'server.address': 'api.example' } },
  ),
  of('app', { id: 3, parent: 2, kind: 'server', name: 'GET /x', duration: 40 }),
  of('app', {
    ...{ id: 4, parent: 3, kind: 'client', name: 'SELECT', duration: 20 },
    attributes: { 'db.system': 'mysql', 'server.address': 'db' },
  }),
  of('mailer', { id: 6, parent: 5, kind: 'consumer', name: 'process', start: 511, duration: 2, attributes: kafka }),
];

async function scraped(seriesMax = 1000): Promise<string[]> {
  const metrics = createMetrics('graph-builder');
  const fold = new LiteralFold().add(TRACE);
  graphMetrics(metrics, { seriesMax, staleMs: 1_000, clock: { monotonicMs: () => 0 } })({
    ...{ records: 1, spans: 7, corrected: 0, uncorrected: 0, refused: 0, namesOverflowed: 0 },
    ...{ deltas: fold.records(), spanCounts: fold.spanCounts, names: fold.names },
  });
  return (await openMetricsText(metrics.registry)).split('\n');
}

describe('graphMetrics', () => {
  it('counts calls with the labels and connection types of Tempo', async () => {
    const lines = await scraped();
    expect(lines.filter((line) => line.startsWith('traces_service_graph_request_total')).sort()).toEqual([
      'traces_service_graph_request_total{client="app",server="db",connection_type="database"} 1',
      'traces_service_graph_request_total{client="kafka/orders",server="mailer",connection_type="messaging_system"} 1',
      'traces_service_graph_request_total{client="user",server="web",connection_type="virtual_node"} 1',
      'traces_service_graph_request_total{client="web",server="api.example",connection_type="virtual_node"} 1',
      'traces_service_graph_request_total{client="web",server="app",connection_type=""} 1',
      'traces_service_graph_request_total{client="web",server="kafka/orders",connection_type="messaging_system"} 1',
    ]);
    expect(lines.filter((line) => line.startsWith('traces_service_graph_request_failed_total'))).toEqual([
      'traces_service_graph_request_failed_total{client="web",server="app",connection_type=""} 1',
    ]);
  });

  it.each([
    ['client', '{client="web",server="app",connection_type=""}', 0.06],
    ['server', '{client="web",server="app",connection_type=""}', 0.04],
    ['server', '{client="user",server="web",connection_type="virtual_node"}', 0.08],
    ['server', '{client="app",server="db",connection_type="database"}', 0.02],
    ['messaging_system', '{client="kafka/orders",server="mailer",connection_type="messaging_system"}', 0.5],
  ])('measures the %s side of %s', async (side, labels, seconds) => {
    const lines = await scraped();
    expect(lines).toContain(`traces_service_graph_request_${side}_seconds_sum${labels} ${seconds}`);
    expect(lines).toContain(`traces_service_graph_request_${side}_seconds_count${labels} 1`);
  });

  it('counts spans, their durations and sizes with the labels of Tempo', async () => {
    const lines = await scraped();
    const labels = '{service="app",span_name="GET /x",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_UNSET"}';
    expect(lines).toContain(`traces_spanmetrics_calls_total${labels} 1`);
    expect(lines).toContain(`traces_spanmetrics_latency_sum${labels} 0.04`);
    expect(lines.find((line) => line.startsWith(`traces_spanmetrics_size_total${labels}`))).toMatch(/ [1-9]\d+$/);
    expect(lines.join()).toContain('span_kind="SPAN_KIND_CLIENT",status_code="STATUS_CODE_ERROR"');
  });

  it('links buckets to traces', async () => {
    const lines = await scraped();
    const trace = `trace_id="${'1'.padStart(32, '0')}"`;
    expect(lines).toContain(
      `traces_service_graph_request_client_seconds_bucket{client="web",server="app",connection_type="",le="0.1"} 1 # {${trace},span_id="0000000000000002"} 0.06`,
    );
    expect(
      lines.some((line) => line.startsWith('traces_spanmetrics_latency_bucket{service="app"') && line.includes(trace)),
    ).toBe(true);
  });

  it('has no more series than it may', async () => {
    const lines = await scraped(2);
    for (const name of ['traces_service_graph_request_total', 'traces_spanmetrics_calls_total']) {
      const series = lines.filter((line) => line.startsWith(`${name}{`));
      expect(series).toHaveLength(3);
      expect(series.at(-1)).toContain(`${name}{metric_overflow="true"} `);
    }
    expect(lines.find((line) => line.startsWith('spanloom_graph_builder_series_overflow_total'))).not.toMatch(/ 0$/);
  });
});
