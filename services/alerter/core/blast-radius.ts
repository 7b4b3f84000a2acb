import type { AffectedEntry, BlastRadius, FailureCount } from '../../../lib/codec/incident-records.ts';
import { pathOf, type Tally } from './evidence-log.ts';
import { type IncidentInMemory, isOfSignal, signalOf, type World } from './incident.ts';
import { culpritKey } from './rank-culprits.ts';
import { subjectKey } from './subject.ts';

/** The failures laid to an incident, from the folded windows and those still at hand, and the windows they span. */
export interface AffectedFailures {
  readonly failures: readonly FailureCount[];
  /** First and last window with a hit; undefined when there is none. */
  readonly span: { readonly first: number; readonly last: number } | undefined;
}

/** @param culprits keys of the cause and of what it drags down. */
export function affectedFailures(
  incident: IncidentInMemory,
  live: readonly Tally[],
  culprits: ReadonlySet<string>,
): AffectedFailures {
  const signal = signalOf(incident.alerts);
  const isHit = (failure: FailureCount) => isOfSignal(failure, signal) && isLaidTo(failure, culprits);
  const hits = live.filter(({ failure }) => isHit(failure));
  const { folded } = incident;
  const windows = hits.map(({ window }) => window);
  if (folded.first >= 0) windows.push(folded.first, folded.last);
  return {
    failures: [...[...folded.failures.values()].filter(isHit), ...hits.map(({ failure }) => failure)],
    span: windows.length === 0 ? undefined : { first: minOf(windows), last: maxOf(windows) },
  };
}

export function isLaidTo(failure: FailureCount, culprits: ReadonlySet<string>): boolean {
  return failure.origins.some((origin) => culprits.has(culpritKey(origin)));
}

/**
 * Who was hit, counted, not guessed: entry operations with the requests that failed, out of all their requests in the
 * windows from the first hit to the last; and the services on the failing paths. Only the potential radius is a guess.
 */
export function blastRadius(
  incident: IncidentInMemory,
  affected: AffectedFailures,
  culprits: ReadonlySet<string>,
  causeService: string,
  world: World,
): BlastRadius {
  const isSlow = signalOf(incident.alerts) === 'latency';
  const entries = new Map<string, AffectedEntry>();
  const upstream = new Set<string>();
  for (const failure of affected.failures) {
    countRequest(entries, failure);
    addUpstream(upstream, failure, culprits);
  }
  upstream.delete(causeService);
  for (const [key, entry] of entries) {
    entry.total = affected.span === undefined ? 0 : requestsIn(key, affected.span, incident, world);
    // Slow traces are a sample; how many requests were slow, the detector has counted.
    if (isSlow) entry.affected = affected.span === undefined ? 0 : slowRequestsIn(key, affected.span, incident, world);
    entry.share = entry.total > 0 ? Math.min(1, entry.affected / entry.total) : 0;
  }
  const all = [...entries.values()].sort((a, b) => b.affected - a.affected || b.masked - a.masked || byName(a, b));
  const affectedRequests = sum(all, (entry) => entry.affected);
  const totalRequests = sum(all, (entry) => entry.total);
  return {
    entryOperations: all.slice(0, ENTRIES_MAX),
    upstreamServices: [...upstream].sort().slice(0, SERVICES_MAX),
    affectedRequests,
    totalRequests,
    affectedShare: totalRequests > 0 ? Math.min(1, affectedRequests / totalRequests) : 0,
    maskedRequests: sum(all, (entry) => entry.masked),
    potentialServices: world.graph
      .upstreamOf(causeService, SERVICES_MAX + upstream.size)
      .filter((service) => !upstream.has(service))
      .slice(0, SERVICES_MAX),
  };
}

const ENTRIES_MAX = 50;
const SERVICES_MAX = 100;

function countRequest(entries: Map<string, AffectedEntry>, failure: FailureCount): void {
  const { entryService: service, entryOperation: operation } = failure;
  // The trace's root is missing: not a request of which the rest is known.
  if (service === '' && operation === '') return;
  const key = subjectKey('entry', '', service, operation);
  let entry = entries.get(key);
  if (entry === undefined) {
    entry = { service, operation, affected: 0, total: 0, share: 0, masked: 0 };
    entries.set(key, entry);
  }
  if (failure.userVisible) entry.affected += failure.count;
  else entry.masked += failure.count;
}

function addUpstream(upstream: Set<string>, failure: FailureCount, culprits: ReadonlySet<string>): void {
  // A trace may fail for another reason too; whom only that one went through is not hit by this incident.
  for (const origin of failure.origins) {
    if (culprits.has(culpritKey(origin))) for (const service of pathOf(failure, origin)) upstream.add(service);
  }
}

function requestsIn(
  entryKey: string,
  span: { first: number; last: number },
  incident: IncidentInMemory,
  world: World,
): number {
  const { folded } = incident;
  const foldedTotal = folded.totals.get(entryKey);
  let requests = foldedTotal?.settled ?? 0;
  if (foldedTotal !== undefined && span.last >= folded.through) requests += foldedTotal.trailing;
  const row = world.detectors.rowOf(entryKey);
  if (row === undefined) return requests;
  const head = world.detectors.head(row);
  const from = Math.max(span.first, folded.through, head - world.rules.windowsKept + 1);
  for (let window = from; window <= Math.min(span.last, head); window++) {
    requests += world.detectors.callsIn(row, window);
  }
  return requests;
}

/** Slow requests beyond those that always are. */
function slowRequestsIn(
  entryKey: string,
  span: { first: number; last: number },
  incident: IncidentInMemory,
  world: World,
): number {
  const { folded } = incident;
  const foldedTotal = folded.totals.get(entryKey);
  let slow = foldedTotal?.settledSlow ?? 0;
  if (foldedTotal !== undefined && span.last >= folded.through) slow += foldedTotal.trailingSlow;
  const row = world.latency.rowOf(entryKey);
  if (row !== undefined) {
    for (let window = Math.max(span.first, folded.through); window <= span.last; window++) {
      slow += world.latency.excessIn(row, window);
    }
  }
  return Math.max(0, Math.round(slow));
}

function byName(a: AffectedEntry, b: AffectedEntry): number {
  return a.service < b.service || (a.service === b.service && a.operation < b.operation) ? -1 : 1;
}

function sum(entries: readonly AffectedEntry[], of: (entry: AffectedEntry) => number): number {
  return entries.reduce((total, entry) => total + of(entry), 0);
}

function minOf(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b));
}

function maxOf(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.max(a, b));
}
