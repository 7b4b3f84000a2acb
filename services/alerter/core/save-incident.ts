import { type IncidentState, incidentCodec } from '../../../lib/codec/incident-records.ts';
import { failureKey } from './evidence-log.ts';
import type { IncidentInMemory } from './incident.ts';

/** An incident as it is kept in spanloom.alerter-state. */
export function saveIncident(incident: IncidentInMemory): IncidentState {
  const { localId, phase, startedAt, announcedAt, announcedAs, closedAt, scopeFrom, alerts, folded } = incident;
  return {
    localId,
    phase,
    startedAt,
    announcedAt,
    announcedAs,
    closedAt,
    scopeFrom,
    alerts,
    foldedThrough: folded.through,
    folded: [...folded.failures.values()],
    foldedFirst: folded.first,
    foldedLast: folded.last,
    foldedTotals: [...folded.totals].map(([detectorKey, total]) => ({ detectorKey, ...total })),
    record: incidentCodec.encode(incident.record),
  };
}

export function restoreIncident(state: IncidentState): IncidentInMemory {
  const { localId, phase, startedAt, announcedAt, announcedAs, closedAt, scopeFrom, alerts } = state;
  return {
    localId,
    phase,
    startedAt,
    announcedAt,
    announcedAs,
    closedAt,
    scopeFrom,
    alerts,
    folded: {
      through: state.foldedThrough,
      failures: new Map(state.folded.map((failure) => [failureKey(failure), failure])),
      first: state.foldedFirst,
      last: state.foldedLast,
      totals: new Map(state.foldedTotals.map(({ detectorKey, ...total }) => [detectorKey, total])),
    },
    record: incidentCodec.decode(state.record),
    dirty: false,
  };
}
