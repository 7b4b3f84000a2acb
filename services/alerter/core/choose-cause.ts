import type { Cause, Signal } from '../../../lib/codec/incident-records.ts';
import type { CallGraph } from './call-graph.ts';
import { type IncidentInMemory, tableOf, type World } from './incident.ts';
import { type Candidate, causeKey } from './rank-culprits.ts';
import { subjectKey } from './subject.ts';

/**
 * The candidate to name as the cause; undefined to keep the one named so far. While an incident is pending the best
 * wins. Once it is announced, another takes over only when it clearly explains more and lies on the same failing
 * paths: a second fault elsewhere is an incident of its own, and the noise of calm minutes is nobody's cause.
 */
export function chooseCause(
  candidates: readonly Candidate[],
  incident: IncidentInMemory,
  graph: CallGraph,
): Candidate | undefined {
  const best = candidates[0];
  if (best === undefined) return undefined;
  const named = incident.record.cause;
  if (incident.phase === 'pending' || named.class === FOLLOWED) return best;
  const present = candidates.find(({ key }) => key === causeKey(named));
  if (best === present || !best.significant) return present;
  const takesOver =
    isOnOnePath(best, named.service, present, incident.record.blast.upstreamServices, graph) &&
    (present === undefined || best.culprit.score > CLEARLY_MORE * present.culprit.score);
  return takesOver ? best : present;
}

/** Keys of the cause and of the candidates that it drags down, or that are a form of it: one fault, several signs. */
export function culpritKeys(cause: Candidate, candidates: readonly Candidate[], graph: CallGraph): Set<string> {
  const keys = new Set([cause.key]);
  for (const candidate of candidates) {
    if (candidate.significant && areOneFault(cause, candidate, graph)) keys.add(candidate.key);
  }
  return keys;
}

/** As much of a candidate as is needed to tell whether two belong to one fault. */
export interface CulpritOnPath {
  readonly key: string;
  readonly culprit: { readonly service: string };
  readonly upstream: ReadonlySet<string>;
  readonly unanswered: boolean;
}

/**
 * True when one of the two lies on the failing paths that lead to the other; or when one does not answer and calls the
 * other, directly or not: then it waits for that one, and its own spans, which would say so, are still to come.
 */
export function areOneFault(a: CulpritOnPath, b: CulpritOnPath, graph: CallGraph): boolean {
  return (
    a.key === b.key ||
    a.culprit.service === b.culprit.service ||
    a.upstream.has(b.culprit.service) ||
    b.upstream.has(a.culprit.service) ||
    (a.unanswered && graph.reaches(a.culprit.service, b.culprit.service)) ||
    (b.unanswered && graph.reaches(b.culprit.service, a.culprit.service))
  );
}

/**
 * A second opinion for when no failing or slow trace is at hand: from the alerting service along the edges that fail,
 * or are slow, the most, until none is.
 */
export function followFailingEdges(client: string, server: string, signal: Signal, world: World): Cause {
  let caller = client;
  let service = server;
  const seen = new Set([client, server]);
  for (;;) {
    const next = worstCallee(service, seen, signal, world);
    if (next === undefined) break;
    caller = service;
    service = next;
    seen.add(next);
  }
  const row = world.detectors.rowOf(subjectKey('edge', caller, service, ''));
  const peerKind = row === undefined ? 'service' : world.detectors.subject(row).peerKind;
  const kind = peerKind === 'service' ? 'service' : 'peer';
  return { kind, service, operation: '', caller, peerKind, class: FOLLOWED, version: '', score: 0, share: 0 };
}

/** Class of a cause that was found along edges instead of from failing traces. */
export const FOLLOWED = 'walk';

const CLEARLY_MORE = 1.5;

function isOnOnePath(
  best: Candidate,
  named: string,
  present: Candidate | undefined,
  hit: readonly string[],
  graph: CallGraph,
): boolean {
  if (present !== undefined) return areOneFault(best, present, graph);
  return best.upstream.has(named) || hit.includes(best.culprit.service);
}

function worstCallee(service: string, seen: ReadonlySet<string>, signal: Signal, world: World): string | undefined {
  const table = tableOf(signal, world);
  let worst: string | undefined;
  let worstScore = 0;
  for (const callee of world.graph.edgesFrom(service).keys()) {
    if (seen.has(callee)) continue;
    const row = table.rowOf(subjectKey('edge', service, callee, ''));
    const score = row === undefined ? 0 : (table.evaluate(row)?.score ?? 0);
    if (score > worstScore) {
      worst = callee;
      worstScore = score;
    }
  }
  return worst;
}
