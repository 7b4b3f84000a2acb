import type { Incident } from '../../../../lib/codec/incident-records.ts';
import type { AssembledTrace } from '../../../../lib/codec/records.ts';
import type { OpenIncidents } from './sampler.ts';

/** The open incidents, by what the incidents topic says last of each. */
export class IncidentBook implements OpenIncidents {
  private readonly open = new Map<string, { services: readonly string[]; traceIds: ReadonlySet<string> }>();

  /** @param incident undefined: its record was deleted. */
  take(incidentId: string, incident: Incident | undefined): void {
    if (incident === undefined || !OPEN_STATES.has(incident.state)) {
      this.open.delete(incidentId);
      return;
    }
    this.open.set(incidentId, {
      services: servicesOf(incident),
      traceIds: new Set(incident.exemplars.map(({ traceId }) => traceId)),
    });
  }

  get size(): number {
    return this.open.size;
  }

  concerns({ traceId, services }: Pick<AssembledTrace, 'traceId' | 'services'>): boolean {
    for (const { services: named, traceIds } of this.open.values()) {
      if (traceIds.has(traceId)) return true;
      if (named.every((name) => services.some(({ service }) => service === name))) return true;
    }
    return false;
  }
}

/**
 * Services that a trace must pass, all of them, for the incident to be about it. A database or another peer sends no spans,
 * so what calls it stands for it; an edge has two ends.
 */
function servicesOf({ cause, trigger, propagationPath }: Incident): readonly string[] {
  const blamed = cause.service === '' ? trigger.server : cause.service;
  const caller = cause.caller === '' ? propagationPath[propagationPath.indexOf(blamed) - 1] : cause.caller;
  if (cause.kind === 'service' || caller === undefined) return [blamed];
  return cause.kind === 'edge' && cause.peerKind === 'service' ? [caller, blamed] : [caller];
}

const OPEN_STATES: ReadonlySet<string> = new Set(['open', 'updated', 'reopened']);
