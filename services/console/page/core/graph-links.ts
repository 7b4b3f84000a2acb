import type { Graph, GraphNode, Health, Stats, Verdict } from './api-types.ts';

/** All calls from one client to one server, whatever they go by: one line of the picture. */
export interface GraphLink {
  readonly client: string;
  readonly server: string;
  readonly connectionTypes: readonly string[];
  readonly stats: Stats;
  readonly baseline: Stats | null;
  readonly verdict: Verdict;
}

export const linkKey = (client: string, server: string) => `${client}\u0000${server}`;

export function graphLinks(graph: Pick<Graph, 'edges'>): GraphLink[] {
  const links = new Map<string, GraphLink>();
  for (const edge of graph.edges) {
    const key = linkKey(edge.client, edge.server);
    const known = links.get(key);
    const { connectionType, ...rest } = edge;
    links.set(
      key,
      known === undefined ? { ...rest, connectionTypes: [connectionType] } : merged(known, edge, connectionType),
    );
  }
  return [...links.values()];
}

/** Durations of several histograms cannot be merged from their percentiles: the worst is told, which hides nothing. */
function merged(link: GraphLink, edge: Pick<GraphLink, 'stats' | 'baseline' | 'verdict'>, type: string): GraphLink {
  const isWorse = SEVERITY[edge.verdict.health] > SEVERITY[link.verdict.health];
  return {
    ...link,
    connectionTypes: [...link.connectionTypes, type],
    stats: sum(link.stats, edge.stats),
    baseline: link.baseline && edge.baseline ? sum(link.baseline, edge.baseline) : (link.baseline ?? edge.baseline),
    verdict: isWorse ? edge.verdict : link.verdict,
  };
}

function sum(a: Stats, b: Stats): Stats {
  const [calls, errors] = [a.calls + b.calls, a.errors + b.errors];
  const worst = (x: number | null, y: number | null) => (x === null || y === null ? (x ?? y) : Math.max(x, y));
  return {
    calls,
    errors,
    errorRatio: calls === 0 ? null : errors / calls,
    callsPerSecond: a.callsPerSecond + b.callsPerSecond,
    p50Ms: worst(a.p50Ms, b.p50Ms),
    p95Ms: worst(a.p95Ms, b.p95Ms),
    p99Ms: worst(a.p99Ms, b.p99Ms),
    meanMs: worst(a.meanMs, b.meanMs),
  };
}

export const SEVERITY: Readonly<Record<Health, number>> = { unknown: 0, healthy: 1, degraded: 2, failing: 3 };

/** A caller from outside has no work of its own; what it looks like is how its calls go. */
export function healthOfNode(node: GraphNode): Health {
  return node.stats.calls === 0 && node.kind === 'external' ? 'unknown' : node.verdict.health;
}

export interface Hops {
  readonly up: number;
  readonly down: number;
}

/** Services at most so many calls above and below one; undefined: it is not in the graph. */
export function withinHops(links: readonly GraphLink[], center: string, hops: Hops): ReadonlySet<string> {
  const callers = neighbours(links, 'server', 'client');
  const callees = neighbours(links, 'client', 'server');
  return new Set([...reach(callers, center, hops.up), ...reach(callees, center, hops.down)]);
}

function neighbours(links: readonly GraphLink[], from: 'client' | 'server', to: 'client' | 'server') {
  const found = new Map<string, string[]>();
  for (const link of links) {
    const others = found.get(link[from]);
    if (others === undefined) found.set(link[from], [link[to]]);
    else others.push(link[to]);
  }
  return found;
}

function reach(next: ReadonlyMap<string, readonly string[]>, from: string, hops: number): Set<string> {
  const reached = new Set([from]);
  let edge = [from];
  for (let hop = 0; hop < hops && edge.length > 0; hop++) {
    edge = edge.flatMap((name) => next.get(name) ?? []).filter((name) => !reached.has(name));
    for (const name of edge) reached.add(name);
  }
  return reached;
}
