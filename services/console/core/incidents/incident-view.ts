import type { Alert, Cause, Incident } from '../../../../lib/codec/incident-records.ts';
import type { AlertView, CauseView, IncidentSummary, IncidentView, Range, TraceSummary } from '../api-types.ts';
import { type Act, acknowledgementOf, notesOf } from './acts.ts';
import { timelineOf } from './timeline.ts';

export type TeamOf = (service: string) => string | null;

export function incidentSummary(incident: Incident, acts: readonly Act[], teamOf: TeamOf): IncidentSummary {
  const services = [...new Set([incident.cause.service, ...incident.blast.upstreamServices])];
  const teams = services.map(teamOf).filter((team) => team !== null);
  return {
    incidentId: incident.incidentId,
    seq: incident.seq,
    state: incident.state,
    active: isActive(incident),
    severity: incident.severity,
    summary: incident.summary,
    openedMs: ms(incident.openedAt),
    detectedMs: ms(incident.detectedAt),
    updatedMs: ms(incident.updatedAt),
    resolvedMs: incident.resolvedAt === null ? null : ms(incident.resolvedAt),
    cause: causeView(incident.cause),
    affectedRequests: incident.blast.affectedRequests,
    totalRequests: incident.blast.totalRequests,
    affectedShare: incident.blast.affectedShare,
    services,
    teams: [...new Set(teams)],
    acknowledgement: acknowledgementOf(acts),
    noteCount: notesOf(acts).length,
  };
}

/**
 * @param announcements of one incident by seq; the last tells the state, all of them the timeline.
 * @param nowMs for how long an incident that is under way has lasted.
 */
export function incidentView(
  announcements: readonly Incident[],
  acts: readonly Act[],
  healthy: readonly TraceSummary[],
  teamOf: TeamOf,
  nowMs: number,
): Omit<IncidentView, 'notices'> {
  const last = announcements.at(-1) as Incident;
  const { during, before } = rangesOf(last, nowMs);
  return {
    incident: incidentSummary(last, acts, teamOf),
    firstErrorMs: ms(last.firstErrorAt),
    lastErrorMs: last.lastErrorAt === null ? null : ms(last.lastErrorAt),
    culprits: last.culprits.map(({ erroredTraces, expectedTraces, masked, firstSeen, ...cause }) => ({
      cause: causeView(cause),
      erroredTraces,
      expectedTraces,
      masked,
      firstSeenMs: ms(firstSeen),
    })),
    errorSignatures: last.errorSignatures.map(({ signature, traces }) => ({ signature, traces })),
    entryOperations: last.blast.entryOperations.map(({ service, operation, affected, total, share, masked }) => ({
      service,
      operation,
      affected,
      total,
      share,
      masked,
    })),
    upstreamServices: [...last.blast.upstreamServices],
    potentialServices: [...last.blast.potentialServices],
    maskedRequests: last.blast.maskedRequests,
    path: [...last.propagationPath],
    trigger: alertView(last.trigger),
    alerts: last.alerts.map(alertView),
    changes: last.changes.map(({ service, version, firstSeen }) => ({ service, version, firstSeenMs: ms(firstSeen) })),
    timeline: timelineOf(announcements, acts),
    failing: last.exemplars.map(({ traceId, originSpanId, entryService, entryOperation }) => ({
      traceId,
      originSpanId,
      entryService,
      entryOperation,
    })),
    healthy: [...healthy],
    notes: notesOf(acts),
    mergedInto: last.mergedInto === '' ? null : last.mergedInto,
    dataQuality: { ...last.dataQuality },
    during,
    before,
  };
}

export function isActive({ state }: Incident): boolean {
  return state === 'open' || state === 'updated' || state === 'reopened';
}

/** In whole windows, so that the graph of it needs no cutting. */
function rangesOf(incident: Incident, nowMs: number): { during: Range; before: Range } {
  const beganMs = Math.min(ms(incident.firstErrorAt), ms(incident.openedAt));
  const endedMs = incident.resolvedAt === null ? nowMs : ms(incident.lastErrorAt ?? incident.resolvedAt);
  const fromMs = Math.floor(beganMs / WINDOW_MS) * WINDOW_MS;
  const toMs = Math.max(fromMs + WINDOW_MS, Math.ceil(endedMs / WINDOW_MS) * WINDOW_MS);
  const lengthMs = Math.max(toMs - fromMs, BEFORE_MS_MIN);
  return { during: { fromMs, toMs }, before: { fromMs: Math.max(0, fromMs - lengthMs), toMs: fromMs } };
}

function causeView(cause: Cause): CauseView {
  const { kind, service, operation, caller, peerKind, class: of, version, score, share } = cause;
  return { kind, service, operation, caller, peerKind, class: of, version, score, share };
}

function alertView({ firedAt, signal: _signal, slowerThanMicros: _slower, ...alert }: Alert): AlertView {
  return { ...alert, firedMs: ms(firedAt) };
}

function ms(micros: number): number {
  return Math.floor(micros / 1000);
}

const WINDOW_MS = 10_000;
const BEFORE_MS_MIN = 600_000;
