import { createHash } from 'node:crypto';
import type { AlertState, Incident, IncidentStateName, Severity } from '../../../lib/codec/incident-records.ts';
import { alertOf, findingOf } from './alert-record.ts';
import type { IncidentInMemory, World } from './incident.ts';
import { causeKey } from './rank-culprits.ts';
import type { Rules } from './rules.ts';
import { tellIncident } from './tell-incident.ts';

/** The next announcement of an incident: its record with the next number, put into words. */
export function announce(incident: IncidentInMemory, state: IncidentStateName, nowMs: number, world: World): Incident {
  const record: Incident = {
    ...incident.record,
    seq: incident.record.seq + 1,
    state,
    updatedAt: nowMs * 1000,
    dataQuality: {
      ...incident.record.dataQuality,
      lateDropped: world.detectors.lateDropped,
      failuresDropped: world.evidence.failuresDropped,
    },
  };
  record.worstSeverity = worseOf(record.severity, incident.record.worstSeverity);
  record.summary = tellIncident(record);
  incident.record = record;
  incident.announcedAt = nowMs;
  incident.announcedAs = digest(record);
  incident.dirty = true;
  return record;
}

/** True when an open incident is to be announced again: at once for another cause or a higher severity, else now and then. */
export function hasNews(incident: IncidentInMemory, nowMs: number, rules: Rules): boolean {
  const now = digest(incident.record);
  if (now === incident.announcedAs) return false;
  const since = nowMs - incident.announcedAt;
  if (since >= rules.updateMs) return true;
  const [causeThen, severityThen] = JSON.parse(incident.announcedAs) as [string, Severity];
  const { cause, severity } = incident.record;
  const isUrgent = causeKey(cause) !== causeThen || SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(severityThen);
  return isUrgent && since >= URGENT_MS;
}

/** 16 hex characters; the same cause opened in the same window gives the same id, also when a log is read again. */
export function incidentId(cause: string, openedWindow: number, taken: ReadonlySet<string>): string {
  for (let attempt = 0; ; attempt++) {
    const text = attempt === 0 ? `${cause}|${openedWindow}` : `${cause}|${openedWindow}|${attempt}`;
    const id = createHash('sha256').update(text).digest('hex').slice(0, ID_LENGTH);
    if (!taken.has(id)) return id;
  }
}

/** stale only when nothing is known to have recovered. */
export function closingState(alerts: readonly AlertState[]): 'resolved' | 'stale' {
  return alerts.every(({ closed }) => closed === 'stale') ? 'stale' : 'resolved';
}

export function blankRecord(alert: AlertState, rules: Rules): Incident {
  const trigger = alertOf(alert, rules.windowMs);
  const { firedAt, client, server } = trigger;
  return {
    incidentId: '',
    seq: 0,
    state: 'open',
    severity: 'warning',
    summary: '',
    openedAt: firedAt,
    detectedAt: firedAt,
    updatedAt: firedAt,
    resolvedAt: null,
    firstErrorAt: firedAt,
    lastErrorAt: null,
    detector: findingOf(alert, rules.threshold),
    trigger,
    alerts: [trigger],
    cause: {
      kind: 'service',
      service: server,
      operation: '',
      caller: client,
      peerKind: 'service',
      class: 'walk',
      version: '',
      score: 0,
      share: 0,
    },
    culprits: [],
    errorSignatures: [],
    blast: {
      entryOperations: [],
      upstreamServices: [],
      affectedRequests: 0,
      totalRequests: 0,
      affectedShare: 0,
      maskedRequests: 0,
      potentialServices: [],
    },
    propagationPath: [],
    exemplars: [],
    changes: [],
    dataQuality: { incompleteTraces: 0, orphanSpans: 0, lateDropped: 0, failuresDropped: 0, samplingRatio: 1 },
    flaps: 0,
    mergedInto: '',
    ackBy: '',
    note: '',
    kind: alert.signal,
    worstSeverity: '',
    ownerTeam: '',
    hitTeams: [],
    healthyExemplars: [],
  };
}

const ID_LENGTH = 16;
const SEVERITIES: readonly Severity[] = ['warning', 'minor', 'major', 'critical'];
/** Even urgent news waits so long, so that a share that wavers about a limit does not chatter. */
const URGENT_MS = 5_000;

function worseOf(now: Severity, worst: Severity | ''): Severity {
  return worst !== '' && SEVERITIES.indexOf(worst) > SEVERITIES.indexOf(now) ? worst : now;
}

/** What is worth telling again; the cause and the severity come first. */
function digest({ cause, severity, blast, alerts, lastErrorAt, kind }: Incident): string {
  return JSON.stringify([
    causeKey(cause),
    severity,
    blast.affectedRequests,
    blast.maskedRequests,
    blast.entryOperations.length,
    blast.upstreamServices,
    alerts.length,
    lastErrorAt,
    kind,
  ]);
}
