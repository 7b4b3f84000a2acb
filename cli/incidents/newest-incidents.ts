import type { Incident, IncidentStateName } from '../../lib/codec/incident-records.ts';

/** The incidents of a topic, each as of its highest `seq`; records may come in any order and more than once. */
export class NewestIncidents {
  private readonly byId = new Map<string, Incident>();

  add(incident: Incident): void {
    const known = this.byId.get(incident.incidentId);
    if (known === undefined || incident.seq > known.seq) this.byId.set(incident.incidentId, incident);
  }

  /** Newest first. */
  list(filter: IncidentFilter = {}): Incident[] {
    const { states, sinceMs } = filter;
    return [...this.byId.values()]
      .filter(({ state }) => states === undefined || states.includes(state))
      .filter(({ updatedAt }) => sinceMs === undefined || updatedAt >= sinceMs * MICROS_PER_MS)
      .sort((a, b) => b.openedAt - a.openedAt || (a.incidentId < b.incidentId ? -1 : 1));
  }

  /** All whose id begins so. */
  startingWith(idStart: string): Incident[] {
    return this.list().filter(({ incidentId }) => incidentId.startsWith(idStart.toLowerCase()));
  }
}

export interface IncidentFilter {
  readonly states?: readonly IncidentStateName[];
  /** Epoch milliseconds: those that were announced then or later. */
  readonly sinceMs?: number;
}

export const INCIDENT_STATES: readonly IncidentStateName[] = [
  'open',
  'updated',
  'reopened',
  'resolved',
  'stale',
  'expired',
];

/** The states of incidents that still go on. */
export const FIRING_STATES: readonly IncidentStateName[] = ['open', 'updated', 'reopened'];

const MICROS_PER_MS = 1_000;
