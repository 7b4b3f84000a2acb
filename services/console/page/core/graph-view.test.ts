import { describe, expect, it } from '@jest/globals';
import type { Graph, GraphEdge, GraphNode, Health, Stats } from './api-types.ts';
import { graphLinks, withinHops } from './graph-links.ts';
import { graphQuery } from './graph-query.ts';
import { changeOf, findServices, graphView, linkWidth, teamsOf } from './graph-view.ts';
import { readRoute, type ViewState } from './routes.ts';

const stats = (calls: number, errors = 0, p95Ms: number | null = 10): Stats => ({
  calls,
  errors,
  errorRatio: calls === 0 ? null : errors / calls,
  callsPerSecond: calls / 10,
  p50Ms: p95Ms,
  p95Ms,
  p99Ms: p95Ms,
  meanMs: p95Ms,
});

const edge = (client: string, server: string, health: Health = 'healthy', connectionType = ''): GraphEdge => ({
  client,
  server,
  connectionType,
  stats: stats(100, health === 'failing' ? 50 : 0),
  baseline: stats(90),
  verdict: { health, because: [] },
});

const node = (name: string, team: string | null = null, health: Health = 'healthy'): GraphNode => ({
  name,
  kind: 'service',
  team,
  stats: stats(100),
  baseline: null,
  verdict: { health, because: [] },
});

const graph: Graph = {
  range: { fromMs: 0, toMs: 1 },
  baseline: null,
  held: null,
  notices: [],
  nodes: [
    node('gateway', 'edge', 'failing'),
    node('shop', 'shop', 'failing'),
    node('db', 'data', 'failing'),
    node('cache', 'data'),
    node('mail', 'post'),
    node('cron'),
  ],
  edges: [
    edge('gateway', 'shop', 'failing'),
    edge('shop', 'db', 'failing'),
    edge('shop', 'cache'),
    edge('shop', 'mail'),
    edge('cron', 'mail'),
  ],
};

const ALL = { focus: '', up: 9, down: 9, team: '', unhealthy: false };
const names = (filter: Partial<typeof ALL>) => graphView(graph, { ...ALL, ...filter }).nodes.map(({ name }) => name);

describe('what of a graph is shown', () => {
  it.each<[string, Partial<typeof ALL>, string[]]>([
    ['all of it', {}, ['gateway', 'shop', 'db', 'cache', 'mail', 'cron']],
    ['what a service depends on', { focus: 'shop', up: 0, down: 1 }, ['shop', 'db', 'cache', 'mail']],
    ['who depends on it', { focus: 'db', up: 2, down: 0 }, ['gateway', 'shop', 'db']],
    ['one hop both ways', { focus: 'shop', up: 1, down: 1 }, ['gateway', 'shop', 'db', 'cache', 'mail']],
    ['a team with its direct neighbours', { team: 'data' }, ['shop', 'db', 'cache']],
    ['what is not healthy', { unhealthy: true }, ['gateway', 'shop', 'db']],
    [
      'all of it when the focus is gone',
      { focus: 'gone', up: 1, down: 1 },
      ['gateway', 'shop', 'db', 'cache', 'mail', 'cron'],
    ],
  ])('%s', (_, filter, shown) => {
    expect(names(filter)).toEqual(shown);
  });

  it('has only links with both ends, and says how much is left out', () => {
    const view = graphView(graph, { ...ALL, focus: 'db', up: 1, down: 0 });
    expect(view.links.map(({ client, server }) => `${client}→${server}`)).toEqual(['shop→db']);
    expect(view.hidden).toBe(4);
  });

  it('has one link for all ways from one service to another, as bad as the worst', () => {
    const links = graphLinks({ edges: [edge('a', 'b'), edge('a', 'b', 'failing', 'messaging_system')] });
    expect(links).toMatchObject([
      {
        connectionTypes: ['', 'messaging_system'],
        stats: { calls: 200, errors: 50, errorRatio: 0.25 },
        verdict: { health: 'failing' },
      },
    ]);
  });

  it('walks circles once', () => {
    const links = graphLinks({ edges: [edge('a', 'b'), edge('b', 'c'), edge('c', 'a')] });
    expect([...withinHops(links, 'a', { up: 9, down: 9 })].sort()).toEqual(['a', 'b', 'c']);
  });

  it('finds services by any words of their names', () => {
    const all = ['shop-api', 'api-shop', 'shop'].map((name) => node(name));
    expect(findServices(all, 'SHOP api').map(({ name }) => name)).toEqual(['api-shop', 'shop-api']);
    expect(findServices(all, 'shop').map(({ name }) => name)).toEqual(['shop', 'shop-api', 'api-shop']);
    expect(teamsOf(graph)).toEqual(['data', 'edge', 'post', 'shop']);
  });
});

describe('a change against the baseline', () => {
  it('tells errors as difference, rates as share, and nothing where nothing is known', () => {
    const change = changeOf(stats(200, 20, 30), stats(100, 1, 10));
    expect([change.errorRatio?.toFixed(2), change.p95Ms, change.rate]).toEqual(['0.09', 20, 1]);
    expect(changeOf(stats(1), null)).toEqual({ errorRatio: null, p95Ms: null, rate: null });
  });
});

describe('the width of a link', () => {
  it('grows with the rate, slowly, within bounds', () => {
    const widths = [0, 1, 10, 100, 1e9].map(linkWidth);
    expect(widths).toEqual(widths.toSorted((a, b) => a - b));
    expect([widths[0], widths[4]]).toEqual([1.25, 7]);
  });
});

describe('the question for a graph', () => {
  const ask = (query: string) =>
    String(graphQuery(readRoute(`#/graph?${query}`).state as ViewState<'graph'>, 1_000_000));
  it.each([
    ['', 'from=100000&to=1000000'],
    ['span=60&until=500000', 'from=440000&to=500000'],
    ['span=60&base=same', 'from=940000&to=1000000&baselineFrom=880000&baselineTo=940000'],
    ['span=60&since=700000', 'from=940000&to=1000000&baselineFrom=700000&baselineTo=940000'],
  ])('%j asks %s', (state, query) => {
    expect(ask(state)).toBe(query);
  });
});
