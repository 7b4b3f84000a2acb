import type { Alert, Incident } from '../../../../lib/codec/incident-records.ts';
import type { TimelineEntry } from '../api-types.ts';
import type { Act } from './acts.ts';

/** What happened and what people did, oldest first. */
export function timelineOf(announcements: readonly Incident[], acts: readonly Act[]): TimelineEntry[] {
  const first = announcements[0] as Incident;
  const last = announcements.at(-1) as Incident;
  const entries: TimelineEntry[] = [
    ...last.changes.map(({ service, version, firstSeen }) =>
      entry(firstSeen, 'version', `${service} ${version} first seen`),
    ),
    entry(first.firstErrorAt, 'first_error', 'First request that was hit'),
    entry(first.openedAt, 'opened', alertText(first.trigger)),
    entry(first.detectedAt, 'detected', `Detected ${seconds(first.detectedAt - first.openedAt)} after it began`),
    ...last.alerts
      .filter((alert) => !isSame(alert, first.trigger))
      .map((alert) => entry(alert.firedAt, 'alert', alertText(alert))),
    ...announcements.slice(1).map(announced),
    ...acts.map(({ kind, by, atMs, text }): TimelineEntry => ({ atMs, kind, text: actText(kind, by, text) })),
  ];
  return entries.sort((a, b) => a.atMs - b.atMs);
}

function announced(incident: Incident): TimelineEntry {
  const { affectedRequests, totalRequests } = incident.blast;
  const extent = `${incident.severity}, ${affectedRequests} of ${totalRequests} requests hit`;
  switch (incident.state) {
    case 'resolved':
      return entry(
        incident.updatedAt,
        'resolved',
        incident.mergedInto === '' ? 'Resolved' : `Merged into ${incident.mergedInto}`,
      );
    case 'stale':
      return entry(incident.updatedAt, 'resolved', 'No traffic any more');
    case 'expired':
      return entry(incident.updatedAt, 'resolved', 'Open for so long that it counts as usual');
    case 'reopened':
      return entry(incident.updatedAt, 'reopened', `Reopened: ${extent}`);
    default:
      return entry(incident.updatedAt, 'announced', extent);
  }
}

function alertText({ kind, client, server, operation, calls, errors }: Alert): string {
  const subject = kind === 'edge' ? `${client} → ${server}` : operation === '' ? server : `${server} ${operation}`;
  return `${subject}: ${errors} of ${calls} calls failed`;
}

function actText(kind: Act['kind'], by: string, text: string): string {
  if (kind === 'note') return `${by}: ${text}`;
  return kind === 'acknowledged' ? `${by} is on it` : `${by} is no longer on it`;
}

function isSame(a: Alert, b: Alert): boolean {
  return a.kind === b.kind && a.client === b.client && a.server === b.server && a.operation === b.operation;
}

function entry(atMicros: number, kind: TimelineEntry['kind'], text: string): TimelineEntry {
  return { atMs: Math.floor(atMicros / 1000), kind, text };
}

function seconds(micros: number): string {
  return `${Math.max(0, Math.round(micros / 1e6))} s`;
}
