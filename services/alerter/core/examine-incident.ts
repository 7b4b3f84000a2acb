import type {
  AlertState,
  Culprit,
  ErrorSignature,
  FailureCount,
  Incident,
  IncidentExemplar,
  Severity,
} from '../../../lib/codec/incident-records.ts';
import { alertOf, findingOf } from './alert-record.ts';
import { type AffectedFailures, affectedFailures, blastRadius } from './blast-radius.ts';
import { chooseCause, culpritKeys, followFailingEdges } from './choose-cause.ts';
import { pathOf, type Tally } from './evidence-log.ts';
import { type IncidentInMemory, isInstrumented, isOfSignal, signalOf, type World } from './incident.ts';
import { addContext } from './incident-context.ts';
import { failuresSince } from './next-hop.ts';
import { type Candidate, causeKey, culpritKey, rankCulprits, type Traffic } from './rank-culprits.ts';
import { subjectKey } from './subject.ts';
import { tellIncident } from './tell-incident.ts';

/**
 * Works out `incident.record` anew from what is known now: cause, blast radius, severity, exemplars. Leaves id, seq,
 * state and the times of announcements alone. Returns the keys of the culprits whose failures are laid to it.
 */
export function examineIncident(incident: IncidentInMemory, world: World): ReadonlySet<string> {
  const from = Math.max(incident.scopeFrom, incident.folded.through);
  const named = incident.record.culprits.length === 0 ? undefined : incident.record.cause;
  const live = failuresSince(from, named, world);
  const candidates = candidatesFor(incident.alerts, live, from, world);
  const chosen = chooseCause(candidates, incident, world.graph);
  const record = { ...incident.record, kind: signalOf(incident.alerts) };
  if (chosen !== undefined) {
    record.cause = causeOf(chosen.culprit);
    record.culprits = [chosen, ...candidates.filter((candidate) => candidate !== chosen)]
      .slice(0, CULPRITS_MAX)
      .map(({ culprit }) => culprit);
  } else if (record.culprits.length === 0) {
    const { client, server } = nearestToUser(incident.alerts, record.propagationPath);
    record.cause = followFailingEdges(client, server, record.kind, world);
  }
  const keys = chosen === undefined ? new Set([causeKey(record.cause)]) : culpritKeys(chosen, candidates, world.graph);
  const affected = affectedFailures(incident, live, keys);
  record.blast = blastRadius(incident, affected, keys, record.cause.service, world);
  describeAffected(record, affected, keys, world.rules.windowMs);
  addContext(record, incident.scopeFrom, world);
  if (incident.phase === 'pending') nameTrigger(record, incident.alerts, world);
  record.alerts = incident.alerts.slice(0, ALERTS_MAX).map((alert) => alertOf(alert, world.rules.windowMs));
  record.severity = severityOf(record);
  record.summary = tellIncident(record);
  incident.record = record;
  return keys;
}

/** Ranks what the failing traces behind some alerts began with. */
export function candidatesFor(
  alerts: readonly AlertState[],
  tallies: readonly Tally[],
  fromWindow: number,
  world: World,
): Candidate[] {
  const signal = signalOf(alerts);
  const speaking = alerts.filter((alert) => alert.signal === signal);
  const inScope = tallies.filter(
    ({ failure }) => isOfSignal(failure, signal) && speaking.some((alert) => concerns(alert, failure)),
  );
  if (inScope.length === 0) return [];
  return rankCulprits(inScope, signal === 'latency' ? OF_A_SAMPLE : trafficSince(fromWindow, world));
}

const CULPRITS_MAX = 5;
const SIGNATURES_MAX = 5;
const EXEMPLARS_MAX = 10;
const ALERTS_MAX = 20;
const CRITICAL_SHARE = 0.2;
const MAJOR_SHARE = 0.05;

/** Slow traces are a sample, taken only while their entry is slow: there is nothing to subtract from them. */
const OF_A_SAMPLE: Traffic = { touching: () => 0, expected: () => 0, isInstrumented: () => false };

function concerns({ kind, client, server, operation, connectionType }: AlertState, failure: FailureCount): boolean {
  if (kind === 'entry') return failure.entryService === server && failure.entryOperation === operation;
  const passes = (service: string) =>
    failure.path.includes(service) ||
    failure.entryService === service ||
    failure.origins.some((origin) => origin.service === service || origin.caller === service);
  // Whoever calls from outside is on no path.
  const isFromOutside = connectionType === 'virtual_node' && failure.entryService === server;
  return passes(server) && (kind === 'service' || isFromOutside || passes(client));
}

function trafficSince(fromWindow: number, world: World): Traffic {
  const { detectors, graph } = world;
  const rowsOf = (service: string, caller: string | undefined): { own: number | undefined; edges: number[] } => {
    if (caller === undefined) {
      return {
        own: detectors.rowOf(subjectKey('service', '', service, '')),
        edges: [...graph.edgesInto(service).values()],
      };
    }
    const edge = detectors.rowOf(subjectKey('edge', caller, service, ''));
    return { own: edge, edges: [] };
  };
  return {
    touching(service, caller) {
      const { own, edges } = rowsOf(service, caller);
      const byEdges = edges.reduce((sum, row) => sum + detectors.tracesSince(row, fromWindow), 0);
      return Math.max(own === undefined ? 0 : detectors.tracesSince(own, fromWindow), byEdges);
    },
    expected(service, caller) {
      const { own, edges } = rowsOf(service, caller);
      return (own === undefined ? edges : [own]).reduce(
        (sum, row) => sum + detectors.baselineRate(row) * detectors.tracesSince(row, fromWindow),
        0,
      );
    },
    isInstrumented: (service) => isInstrumented(service, world),
  };
}

function causeOf(culprit: Culprit): Incident['cause'] {
  const { kind, service, operation, caller, peerKind, class: originClass, version, score, share } = culprit;
  return { kind, service, operation, caller, peerKind, class: originClass, version, score, share };
}

function describeAffected(
  record: Incident,
  affected: AffectedFailures,
  keys: ReadonlySet<string>,
  windowMs: number,
): void {
  if (affected.span === undefined) return;
  const byCount = [...affected.failures].sort((a, b) => b.count - a.count);
  record.firstErrorAt = byCount.reduce((first, { firstStart }) => Math.min(first, firstStart), Number.MAX_SAFE_INTEGER);
  record.lastErrorAt = (affected.span.last + 1) * windowMs * 1000;
  const commonest = byCount.find(({ origins }) =>
    origins.some((origin) => culpritKey(origin) === causeKey(record.cause)),
  );
  const origin = commonest?.origins.find((one) => culpritKey(one) === causeKey(record.cause));
  if (commonest !== undefined && origin !== undefined) {
    record.propagationPath = pathTo(record.cause.service, pathOf(commonest, origin));
  }
  record.errorSignatures = signaturesOf(byCount, keys);
  record.exemplars = exemplarsOf(byCount);
}

function pathTo(service: string, path: readonly string[]): string[] {
  const at = path.indexOf(service);
  return at < 0 ? [...path, service] : path.slice(0, at + 1);
}

function signaturesOf(failures: readonly FailureCount[], keys: ReadonlySet<string>): ErrorSignature[] {
  const traces = new Map<string, number>();
  for (const { origins, count } of failures) {
    const signatures = new Set(origins.filter((origin) => keys.has(culpritKey(origin))).map((o) => o.signature));
    for (const signature of signatures) {
      if (signature !== '') traces.set(signature, (traces.get(signature) ?? 0) + count);
    }
  }
  return [...traces]
    .map(([signature, count]) => ({ signature, traces: count }))
    .sort((a, b) => b.traces - a.traces || (a.signature < b.signature ? -1 : 1))
    .slice(0, SIGNATURES_MAX);
}

/** One of each kind of failure, then a second one of each, and so on. */
function exemplarsOf(failures: readonly FailureCount[]): IncidentExemplar[] {
  const exemplars = new Map<string, IncidentExemplar>();
  const rounds = failures.reduce((most, failure) => Math.max(most, failure.exemplars.length), 0);
  for (let round = 0; round < rounds; round++) {
    for (const { entryService, entryOperation, exemplars: traces } of failures) {
      const trace = traces[round];
      if (trace === undefined || exemplars.has(trace.traceId)) continue;
      const originSpanId = trace.spanId;
      exemplars.set(trace.traceId, {
        traceId: trace.traceId,
        originSpanId,
        entryService,
        entryOperation,
        archivedUrl: '',
      });
      if (exemplars.size === EXEMPLARS_MAX) return [...exemplars.values()];
    }
  }
  return [...exemplars.values()];
}

function nameTrigger(record: Incident, alerts: readonly AlertState[], world: World): void {
  const trigger = nearestToUser(alerts, record.propagationPath);
  record.trigger = alertOf(trigger, world.rules.windowMs);
  record.detector = findingOf(trigger, world.rules.threshold);
}

/** An entry operation before anything else, then by the place on the failing path. */
function nearestToUser(alerts: readonly AlertState[], path: readonly string[]): AlertState {
  const distance = ({ kind, client, server }: AlertState): number => {
    if (kind === 'entry') return -1;
    const at = path.indexOf(kind === 'edge' ? client : server);
    return (at < 0 ? path.length : at) + (kind === 'edge' ? 0.5 : 0);
  };
  const open = alerts.filter(({ closed }) => closed === '');
  return [...(open.length > 0 ? open : alerts)].sort(
    (a, b) => distance(a) - distance(b) || b.errors - a.errors || b.score - a.score,
  )[0] as AlertState;
}

function severityOf({ blast, kind }: Incident): Severity {
  if (blast.affectedRequests === 0) return 'warning';
  const isSlow = kind === 'latency';
  if (blast.affectedShare >= CRITICAL_SHARE) return isSlow ? 'major' : 'critical';
  return blast.affectedShare >= MAJOR_SHARE && !isSlow ? 'major' : 'minor';
}
