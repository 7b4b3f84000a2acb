import type { Graph, GraphNode, Stats } from './api-types.ts';
import { type GraphLink, graphLinks, SEVERITY, withinHops } from './graph-links.ts';

export interface GraphFilter {
  /** The service in the middle; empty for all. */
  readonly focus: string;
  readonly up: number;
  readonly down: number;
  readonly team: string;
  readonly unhealthy: boolean;
}

export interface GraphView {
  readonly nodes: readonly GraphNode[];
  readonly links: readonly GraphLink[];
  /** Services that the filter leaves out. */
  readonly hidden: number;
}

/**
 * What of a graph is shown. A team's services come with their direct neighbours: what it depends on and who depends on it.
 * Hiding what is healthy keeps every link that is not, with both its ends.
 */
export function graphView(graph: Graph, filter: GraphFilter): GraphView {
  let links = graphLinks(graph);
  let names: ReadonlySet<string> = new Set(graph.nodes.map((node) => node.name));
  if (filter.focus !== '' && names.has(filter.focus)) names = withinHops(links, filter.focus, filter);
  if (filter.team !== '') names = ofTeam(graph, links, filter.team, names);
  if (filter.unhealthy) {
    links = links.filter(isUnhealthy);
    const kept = new Set(links.flatMap((link) => [link.client, link.server]));
    for (const node of graph.nodes) if (isUnhealthy(node)) kept.add(node.name);
    names = new Set([...names].filter((name) => kept.has(name)));
  }
  const nodes = graph.nodes.filter((node) => names.has(node.name));
  return {
    nodes,
    links: links.filter((link) => names.has(link.client) && names.has(link.server)),
    hidden: graph.nodes.length - nodes.length,
  };
}

const isUnhealthy = ({ verdict }: Pick<GraphNode, 'verdict'>) => SEVERITY[verdict.health] >= SEVERITY.degraded;

function ofTeam(graph: Graph, links: readonly GraphLink[], team: string, names: ReadonlySet<string>): Set<string> {
  const own = new Set(
    graph.nodes.filter((node) => node.team === team && names.has(node.name)).map((node) => node.name),
  );
  const near = links.filter((link) => own.has(link.client) || own.has(link.server));
  return new Set([...own, ...near.flatMap((link) => [link.client, link.server]).filter((name) => names.has(name))]);
}

export function teamsOf(graph: Graph): string[] {
  return [...new Set(graph.nodes.flatMap((node) => node.team ?? []))].sort();
}

/** Services whose name has all the words, in any order; what was typed in full comes first. */
export function findServices(nodes: readonly GraphNode[], typed: string): GraphNode[] {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return [];
  const place = (name: string) => (name === typed ? 0 : name.startsWith(typed) ? 1 : 2);
  return nodes
    .filter(({ name }) => wanted.every((word) => name.toLowerCase().includes(word)))
    .sort((a, b) => place(a.name) - place(b.name) || (a.name < b.name ? -1 : 1));
}

export interface StatsChange {
  /** Errors of 100 calls now, less those before, as a share: 0.1 is ten of a hundred more. */
  readonly errorRatio: number | null;
  readonly p95Ms: number | null;
  /** 1 is twice as many calls per second as before. */
  readonly rate: number | null;
}

export function changeOf(stats: Stats, baseline: Stats | null): StatsChange {
  const minus = (a: number | null, b: number | null | undefined) => (a === null || b == null ? null : a - b);
  const before = baseline?.callsPerSecond ?? 0;
  return {
    errorRatio: minus(stats.errorRatio, baseline?.errorRatio),
    p95Ms: minus(stats.p95Ms, baseline?.p95Ms),
    rate: before === 0 ? null : stats.callsPerSecond / before - 1,
  };
}

/** Points wide: by the logarithm of the rate, so that one busy path does not thin out all others. */
export function linkWidth(callsPerSecond: number): number {
  return Math.min(7, 1.25 + 1.1 * Math.log10(1 + callsPerSecond * 6));
}
