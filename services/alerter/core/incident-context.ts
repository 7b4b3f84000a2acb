import type { Incident, IncidentExemplar } from '../../../lib/codec/incident-records.ts';
import type { World } from './incident.ts';

/**
 * Fills in what helps to judge an incident besides cause and radius: whose services are concerned, which versions came
 * shortly before, traces that went well meanwhile, and what the counts may lack.
 */
export function addContext(record: Incident, scopeFrom: number, world: World): void {
  const { blast, cause, propagationPath } = record;
  const { windowMs } = world.rules;
  const hit = [...blast.upstreamServices, ...blast.entryOperations.map(({ service }) => service)];
  record.ownerTeam = teamOf(cause.service, world);
  record.hitTeams = [...new Set(hit.map((service) => teamOf(service, world)))]
    .filter((team) => team !== '' && team !== record.ownerTeam)
    .sort();
  const began = Math.floor(record.firstErrorAt / 1000 / windowMs);
  const concerned = [cause.service, cause.caller, ...propagationPath, ...blast.upstreamServices];
  record.changes = world.facts.changes(concerned, began - WINDOWS_BEFORE, began + WINDOWS_AFTER, windowMs);
  const healthy = healthyTraces(record, scopeFrom, world);
  if (healthy.length > 0) record.healthyExemplars = healthy;
  const { incompleteTraces, orphanSpans } = world.evidence.incompleteSince(scopeFrom);
  // Windows are forgotten while a long incident goes on; what was missing in them stays missing.
  record.dataQuality = {
    ...record.dataQuality,
    incompleteTraces: Math.max(incompleteTraces, record.dataQuality.incompleteTraces),
    orphanSpans: Math.max(orphanSpans, record.dataQuality.orphanSpans),
  };
}

/** Ten minutes and one: a version is often met a little before it breaks, and windows are of 10 s. */
const WINDOWS_BEFORE = 60;
const WINDOWS_AFTER = 6;
const HEALTHY_MAX = 5;

function teamOf(service: string, { ownership, facts }: World): string {
  return ownership.teamOf(service) || facts.ownerOf(service);
}

/** The newest of each entry operation that is hit. */
function healthyTraces({ blast }: Incident, scopeFrom: number, world: World): IncidentExemplar[] {
  const found = new Map<string, IncidentExemplar>();
  for (const { entryService, entryOperation, traceId, spanId } of world.evidence.healthySince(scopeFrom)) {
    const key = `${entryService} ${entryOperation}`;
    const isHit = blast.entryOperations.some(
      ({ service, operation }) => service === entryService && operation === entryOperation,
    );
    if (!isHit || found.has(key)) continue;
    found.set(key, { traceId, originSpanId: spanId, entryService, entryOperation, archivedUrl: '' });
    if (found.size === HEALTHY_MAX) break;
  }
  return [...found.values()];
}
