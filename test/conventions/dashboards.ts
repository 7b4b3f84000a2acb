import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { createMetrics } from '../../lib/observability/metrics.ts';
import { graphMetrics } from '../../services/graph-builder/adapters/graph-metrics.ts';
import { LiteralFold } from '../../services/graph-builder/core/testing/fold-literal.ts';
import { type Documented, expressionProblems } from './alert-rules.ts';
import { ROOT } from './sources.ts';

export interface Dashboard {
  readonly uid?: string;
  readonly title: string;
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
  readonly annotations: { readonly list: readonly { readonly expr?: string }[] };
  readonly panels: readonly Panel[];
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

/** Metric → the labels that its series really have. */
export type Labels = ReadonlyMap<string, ReadonlySet<string>>;

/** The dashboards of operations/grafana/ by their file. */
export function dashboards(): [file: string, Dashboard][] {
  return globSync('operations/grafana/*.json', { cwd: ROOT }).map((file) => [
    file,
    JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')) as Dashboard,
  ]);
}

/** What graph-builder exports of a trace that has everything. */
export async function exportedLabels(): Promise<Labels> {
  const metrics = createMetrics('graph-builder');
  const queue = { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' };
  const fold = new LiteralFold().add([
    {
      service: 'web',
      spans: [
        { id: 1, kind: 'server', name: 'GET /' },
        { id: 2, parent: 1, kind: 'producer', name: 'send', attributes: queue, error: true },
      ],
    },
    { service: 'mail', spans: [{ id: 3, parent: 2, kind: 'consumer', name: 'process', start: 20, attributes: queue }] },
  ]);
  graphMetrics(metrics, { seriesMax: 100, staleMs: 1_000, clock: { monotonicMs: () => 0 } })({
    ...{ records: 1, spans: 3, corrected: 0, uncorrected: 0, refused: 0, namesOverflowed: 0 },
    ...{ deltas: fold.records(), spanCounts: fold.spanCounts, names: fold.names },
  });
  const labels = new Map<string, Set<string>>();
  for (const { name, values } of await metrics.registry.getMetricsAsJSON()) {
    if (!name.startsWith('traces_')) continue;
    for (const value of values as { labels: object; metricName?: string }[]) {
      const known = labels.get(value.metricName ?? name) ?? new Set();
      for (const label of Object.keys(value.labels)) known.add(label);
      labels.set(value.metricName ?? name, known);
    }
  }
  return labels;
}

/** Sentences about panels that can never show anything, or that nobody could read. */
export function dashboardProblems(dashboard: Dashboard, names: Documented, labels: Labels): string[] {
  const problems = dashboard.uid ? [] : ['has no uid: each import would make another one'];
  const variables = new Set(dashboard.templating.list.map(({ name }) => name));
  const ids = new Set(dashboard.panels.map(({ id }) => id));
  if (ids.size !== dashboard.panels.length) problems.push('two panels have one id');
  for (const panel of dashboard.panels) {
    if (panel.type === 'row') continue;
    const found = (panel.targets ?? []).flatMap(({ expr }) => queryProblems(expr, variables, names, labels));
    if ((panel.targets ?? []).length === 0) found.push('asks for nothing');
    if (!panel.description) found.push('has no description');
    if (dashboard.panels.some((other) => other !== panel && overlap(panel, other)))
      found.push('lies over another panel');
    problems.push(...found.map((problem) => `${panel.title}: ${problem}`));
  }
  for (const { expr } of dashboard.annotations.list) {
    if (expr !== undefined) problems.push(...queryProblems(expr, variables, names, labels));
  }
  for (const { name, query } of dashboard.templating.list) {
    const [, metric, label = ''] = /label_values\((\w+), (\w+)\)/.exec(JSON.stringify(query)) ?? [];
    if (metric !== undefined && !labels.get(metric)?.has(label)) problems.push(`$${name}: no ${label} of ${metric}`);
  }
  return problems;
}

const GRAFANA_INTERVALS = /\$__(rate_interval|interval|range)\b/g;

function queryProblems(query: string, variables: ReadonlySet<string>, names: Documented, labels: Labels): string[] {
  const expr = query.replace(GRAFANA_INTERVALS, '5m');
  const unknown = [...expr.matchAll(/\$([a-z_]\w*)/g)].flatMap(([, name = '']) => (variables.has(name) ? [] : [name]));
  return [
    ...unknown.map((name) => `there is no variable ${name}`),
    ...expressionProblems(expr, names),
    ...labelProblems(expr, labels),
  ];
}

/** Labels that none of the metrics in the expression has; of metrics whose labels are not known it says nothing. */
function labelProblems(expr: string, labels: Labels): string[] {
  const asked = new Set<string>();
  const metrics = new Set<string>();
  parser.parse(expr).iterate({
    enter: ({ name, from, to, node }) => {
      if (name === 'LabelName') asked.add(expr.slice(from, to));
      if (name === 'Identifier' && node.parent?.name === 'VectorSelector') metrics.add(expr.slice(from, to));
    },
  });
  const known = new Set([...metrics].flatMap((metric) => [...(labels.get(metric) ?? [])]));
  if ([...metrics].some((metric) => !labels.has(metric))) return [];
  return [...asked].filter((label) => !known.has(label)).map((label) => `there is no label ${label}`);
}

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
