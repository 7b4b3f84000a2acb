import type { GraphEdge, GraphNode, NodeKind, Range, Stats } from '../api-types.ts';
import type { Subject } from './subject.ts';
import { Tally } from './tally.ts';
import { verdictOf } from './verdict.ts';

export interface SubjectTally {
  readonly subject: Subject;
  readonly tally: Tally;
}

export interface Counted {
  readonly range: Range;
  readonly subjects: readonly SubjectTally[];
}

/**
 * Nodes and edges of a range beside their baseline, busiest first. Edges of the baseline that were not called in the
 * range are there as well: that they have gone silent is news.
 */
export function graphView(
  now: Counted,
  before: Counted | null,
  teamOf: (service: string) => string | null,
): { nodes: GraphNode[]; edges: GraphEdge[]; cutOff: number } {
  const lengthMs = now.range.toMs - now.range.fromMs;
  const beforeMs = before === null ? 0 : before.range.toMs - before.range.fromMs;
  const compare = (tally: Tally | undefined, usual: Tally | undefined) => {
    const stats = (tally ?? new Tally()).stats(lengthMs);
    const baseline: Stats | null = usual === undefined ? null : usual.stats(beforeMs);
    return { stats, baseline, verdict: verdictOf(stats, baseline, beforeMs === 0 ? 0 : lengthMs / beforeMs) };
  };
  const nowEdges = byKey(now.subjects.filter(({ subject }) => subject.kind === 'edge'));
  const usualEdges = byKey((before?.subjects ?? []).filter(({ subject }) => subject.kind === 'edge'));
  const all = [...new Set([...nowEdges.keys(), ...usualEdges.keys()])].map((key) => {
    const { subject } = (nowEdges.get(key) ?? usualEdges.get(key)) as SubjectTally;
    const { client, server, connectionType } = subject;
    return { client, server, connectionType, ...compare(nowEdges.get(key)?.tally, usualEdges.get(key)?.tally) };
  });
  const edges = all.filter(({ stats, baseline }) => stats.calls > 0 || (baseline?.calls ?? 0) > 0).sort(busiestFirst);
  const shown = edges.slice(0, EDGES_MAX);
  const nowNodes = nodeTallies(now.subjects);
  const usualNodes = nodeTallies(before?.subjects ?? []);
  const names = new Set(shown.flatMap(({ client, server }) => [client, server]));
  // A service that only works by itself, called by nobody and calling nobody.
  for (const [name, { tally }] of nowNodes) if (tally.calls > 0 && edges.length <= EDGES_MAX) names.add(name);
  const nodes = [...names].map((name): GraphNode => {
    const kind = nowNodes.get(name)?.kind ?? usualNodes.get(name)?.kind ?? 'external';
    const usual = usualNodes.get(name)?.tally;
    return { name, kind, team: teamOf(name), ...compare(nowNodes.get(name)?.tally, usual) };
  });
  return { nodes: nodes.sort(busiestFirst), edges: shown, cutOff: edges.length - shown.length };
}

/** A service's own work; of what sends no spans itself, the calls into it. Who only calls is outside. */
function nodeTallies(subjects: readonly SubjectTally[]): Map<string, { kind: NodeKind; tally: Tally }> {
  const nodes = new Map<string, { kind: NodeKind; tally: Tally }>();
  for (const { subject, tally } of subjects) {
    if (subject.kind === 'service') nodes.set(subject.server, { kind: 'service', tally });
  }
  const isService = new Set(nodes.keys());
  for (const { subject, tally } of subjects) {
    if (subject.kind !== 'edge' || isService.has(subject.server)) continue;
    const node = nodes.get(subject.server) ?? { kind: kindOf(subject.peerKind), tally: new Tally() };
    node.tally.add(tally.calls, tally.errors, tally.histogram.sparse());
    nodes.set(subject.server, node);
  }
  return nodes;
}

function kindOf(peerKind: string): NodeKind {
  return (
    (['service', 'database', 'cache', 'queue', 'external'] as const).find((kind) => kind === peerKind) ?? 'external'
  );
}

function byKey(subjects: readonly SubjectTally[]): Map<string, SubjectTally> {
  return new Map(
    subjects.map((of) => [`${of.subject.client}\0${of.subject.server}\0${of.subject.connectionType}`, of]),
  );
}

function busiestFirst(a: { stats: Stats }, b: { stats: Stats }): number {
  return b.stats.calls - a.stats.calls;
}

export const EDGES_MAX = 5_000;
