import { describe, expect, it } from '@jest/globals';
import { alertRules, documented } from './alert-rules.ts';
import { type Dashboard, dashboardProblems, dashboards, exportedLabels } from './dashboards.ts';

const known = documented();
const labels = await exportedLabels();

describe('the dashboards of operations/', () => {
  it.each(dashboards())('%s shows what the services export', (_, dashboard) => {
    expect(dashboardProblems(dashboard, known, labels)).toEqual([]);
  });

  it('show all of the service graph', () => {
    const shown = JSON.stringify(dashboards());
    const absent = [...labels.keys()].filter((name) => /_(total|bucket)$/.test(name) && !shown.includes(name));
    expect(absent).toEqual(['traces_spanmetrics_size_total']);
    expect(shown).toContain('"nodeGraph"');
  });
});

describe('dashboardProblems', () => {
  const panel = {
    ...{ id: 1, type: 'timeseries', title: 'x', description: 'y', gridPos: { x: 0, y: 0, w: 12, h: 8 } },
    targets: [{ refId: 'A', expr: 'sum by (server) (rate(traces_service_graph_request_total[$__rate_interval]))' }],
  };
  const good = { uid: 'a', title: 'a', templating: { list: [] }, annotations: { list: [] }, panels: [panel] };
  const asking = (expr: string): Partial<Dashboard> => ({ panels: [{ ...panel, targets: [{ refId: 'A', expr }] }] });
  const problemsOf = (change: Partial<Dashboard>) =>
    dashboardProblems({ ...good, ...change }, known, labels).join('\n');

  it('finds nothing in a good one', () => expect(problemsOf({})).toBe(''));

  it.each<[string, Partial<Dashboard>, RegExp]>([
    ['what is no PromQL', asking('sum(('), /is no PromQL/],
    ['an unknown metric', asking('traces_service_graph_requests_total'), /no metric traces_service_graph_requests/],
    ['an unknown label', asking('sum by (callee) (traces_service_graph_request_total)'), /no label callee/],
    ['an unknown label in a matcher', asking('traces_spanmetrics_calls_total{server="a"}'), /no label server/],
    ['an unknown variable', asking('traces_spanmetrics_calls_total{service="$srv"}'), /no variable srv/],
    ['two panels over one another', { panels: [panel, { ...panel, id: 2 }] }, /over another/],
    ['one id twice', { panels: [panel, { ...panel, gridPos: { ...panel.gridPos, y: 8 } }] }, /one id/],
    ['no description', { panels: [{ ...panel, description: '' }] }, /no description/],
    [
      'a variable of nothing',
      { templating: { list: [{ name: 's', query: 'label_values(traces_spanmetrics_calls_total, server)' }] } },
      /no server of/,
    ],
  ])('finds %s', (_, change, problem) => expect(problemsOf(change)).toMatch(problem));
});

describe('the alert rules on the service graph', () => {
  it('ask for labels that there are', () => {
    const own = alertRules().filter(({ expr }) => expr.includes('traces_'));
    expect(own.length).toBeGreaterThan(1);
    const panels = own.map(({ expr }, id) => ({
      ...{ id, type: 'x', title: expr, description: 'x', gridPos: { x: 0, y: id, w: 1, h: 1 } },
      targets: [{ refId: 'A', expr }],
    }));
    const asDashboard = { uid: 'a', title: '', templating: { list: [] }, annotations: { list: [] }, panels };
    expect(dashboardProblems(asDashboard, known, labels)).toEqual([]);
  });
});
