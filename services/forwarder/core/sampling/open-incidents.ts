import type { Incident } from '../../../../lib/codec/incident-records.ts';
import type { AssembledTrace } from '../../../../lib/codec/records.ts';
import type { OpenIncidents } from './sampler.ts';

/** The open incidents, by what the incidents topic says last of each. */
export class IncidentBook implements OpenIncidents {
  private readonly open = new Map<string, { service: string; traceIds: ReadonlySet<string> }>();

  /** @param incident undefined: its record was deleted. */
  take(incidentId: string, incident: Incident | undefined): void {
    if (incident === undefined || !OPEN_STATES.has(incident.state)) {
      this.open.delete(incidentId);
      return;
    }
    const { cause, trigger, exemplars } = incident;
    this.open.set(incidentId, {
      service: cause.service === '' ? trigger.server : cause.service,
      traceIds: new Set(exemplars.map(({ traceId }) => traceId)),
    });
  }

  get size(): number {
    return this.open.size;
  }

  concerns({ traceId, services }: Pick<AssembledTrace, 'traceId' | 'services'>): boolean {
    for (const { service, traceIds } of this.open.values()) {
      if (traceIds.has(traceId) || services.some((each) => each.service === service)) return true;
    }
    return false;
  }
}

const OPEN_STATES: ReadonlySet<string> = new Set(['open', 'updated', 'reopened']);
