import { isLaidTo } from './blast-radius.ts';
import { mergeFailure, type Tally } from './evidence-log.ts';
import { alertKey, type FoldedEvidence, type IncidentInMemory, isOfSignal, signalOf, type World } from './incident.ts';
import { failuresSince } from './next-hop.ts';
import { subjectKey } from './subject.ts';

/**
 * Sums up windows that detectors and evidence will soon forget, so that a long incident still counts all its requests.
 * A no-op in the first minutes of an incident: then everything is worked out from the windows themselves.
 *
 * An entry operation first hit later counts its requests from what was remembered at that time.
 */
export function foldEvidence(incident: IncidentInMemory, culprits: ReadonlySet<string>, world: World): void {
  const { folded } = incident;
  const until = newestWindow(incident, world) - world.rules.windowsKept + WINDOWS_OF_GRACE;
  const from = Math.max(incident.scopeFrom, folded.through);
  if (until <= from) return;
  for (const { service, operation } of incident.record.blast.entryOperations) {
    const key = subjectKey('entry', '', service, operation);
    if (!folded.totals.has(key)) folded.totals.set(key, { settled: 0, trailing: 0, settledSlow: 0, trailingSlow: 0 });
  }
  const signal = signalOf(incident.alerts);
  const hits = failuresSince(from, incident.record.cause, world).filter(
    ({ window, failure }) => window < until && isOfSignal(failure, signal) && isLaidTo(failure, culprits),
  );
  // Requests before the first hit are outside the windows that count.
  if (folded.first < 0) folded.first = hits[0]?.window ?? NONE;
  if (folded.first !== NONE) {
    for (let window = Math.max(from, folded.first); window < until; window++) {
      addRequests(folded, window, world);
      addHits(
        folded,
        window,
        hits.filter((hit) => hit.window === window),
      );
    }
  }
  folded.through = until;
  incident.dirty = true;
}

const NONE = -1;
/** Windows that a fold is ahead of being forgotten by. */
const WINDOWS_OF_GRACE = 12;
const KINDS_MAX = 2_000;

function newestWindow(incident: IncidentInMemory, world: World): number {
  let newest = NONE;
  for (const alert of incident.alerts) {
    const row = world.detectors.rowOf(alertKey(alert));
    if (row !== undefined) newest = Math.max(newest, world.detectors.head(row));
  }
  return newest;
}

function addRequests(folded: FoldedEvidence, window: number, world: World): void {
  for (const [key, total] of folded.totals) {
    const row = world.detectors.rowOf(key);
    if (row !== undefined) total.trailing += world.detectors.callsIn(row, window);
    const latencyRow = world.latency.rowOf(key);
    if (latencyRow !== undefined) total.trailingSlow += world.latency.excessIn(latencyRow, window);
  }
}

function addHits(folded: FoldedEvidence, window: number, hits: readonly Tally[]): void {
  if (hits.length === 0) return;
  for (const { key, failure } of hits) {
    const present = folded.failures.get(key);
    if (present !== undefined) mergeFailure(present, failure);
    else if (folded.failures.size < KINDS_MAX) {
      folded.failures.set(key, { ...failure, exemplars: [...failure.exemplars] });
    }
  }
  folded.last = window;
  for (const total of folded.totals.values()) {
    total.settled += total.trailing;
    total.settledSlow += total.trailingSlow;
    total.trailing = 0;
    total.trailingSlow = 0;
  }
}
