import type { Incident, Severity } from '../../../lib/codec/incident-records.ts';
import { SEVERITIES, type Sink } from './sinks.ts';

/** An alert of Alertmanager's API v2. */
export interface AlertmanagerAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
}

/** What an alert is told by. */
export interface AlertFrame {
  readonly nowMs: number;
  /** A firing alert that is not sent again within this time ends by itself, should the notifier be gone. */
  readonly lastsMs: number;
  /** Where people read incidents, with `{id}` in it; empty for none. */
  readonly link: string;
}

/**
 * An incident as an alert. Labels are what Alertmanager tells alerts apart and routes by, so only what seldom changes is
 * among them; whatever else there is to say is an annotation. Severity is the worst so far: an incident does not become
 * another alert each time that its share wavers.
 */
export function alertOf(incident: Incident, { nowMs, lastsMs, link }: AlertFrame): AlertmanagerAlert {
  const endsMs = isFiring(incident) ? nowMs + lastsMs : Math.min(nowMs, (incident.resolvedAt ?? 0) / 1000);
  const { cause, blast } = incident;
  return {
    labels: labelsOf(incident),
    annotations: {
      summary: incident.summary,
      cause: cause.caller === '' ? cause.service : `${cause.service}, as ${cause.caller} saw it`,
      affected: `${blast.affectedRequests} of ${blast.totalRequests} requests`,
      entry_operations: blast.entryOperations.map(({ service, operation }) => `${service} ${operation}`).join(', '),
      exemplar_traces: incident.exemplars.map(({ traceId }) => traceId).join(', '),
    },
    startsAt: isoTime(incident.openedAt / 1000),
    // An alert may not end before it starts.
    endsAt: isoTime(Math.max(endsMs, incident.openedAt / 1000)),
    ...(link === '' ? {} : { generatorURL: link.replace('{id}', encodeURIComponent(incident.incidentId)) }),
  };
}

export function labelsOf(incident: Incident): Record<string, string> {
  const labels = {
    alertname: 'SpanloomIncident',
    incident: incident.incidentId,
    kind: incident.kind,
    severity: worstSeverityOf(incident),
    service: incident.cause.service,
    team: incident.ownerTeam,
  };
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}

/** The highest severity so far. */
export function worstSeverityOf({ severity, worstSeverity }: Incident): Severity {
  if (worstSeverity === '') return severity;
  return SEVERITIES.indexOf(worstSeverity) > SEVERITIES.indexOf(severity) ? worstSeverity : severity;
}

export function isFiring({ state }: Incident): boolean {
  return state === 'open' || state === 'updated' || state === 'reopened';
}

/** Whether it is, or was, severe enough for a sink. */
export function isFor(sink: Pick<Sink, 'severity'>, incident: Incident): boolean {
  return SEVERITIES.indexOf(worstSeverityOf(incident)) >= SEVERITIES.indexOf(sink.severity);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
