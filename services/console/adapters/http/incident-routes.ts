import type { Incident } from '../../../../lib/codec/incident-records.ts';
import type { TraceSummary } from '../../core/api-types.ts';
import { searchStore } from '../../core/hot/search-store.ts';
import { integer, millis, oneOf, type Refusal, refuse, withDefault } from '../../core/http/params.ts';
import type { Act } from '../../core/incidents/acts.ts';
import { incidentSummary, incidentView, isActive } from '../../core/incidents/incident-view.ts';
import { summariesOf } from '../../core/trace/summaries.ts';
import { type ConsoleParts, notFound } from './console-shared.ts';
import { type Answer, type Asked, type Route, route } from './router.ts';

/** Incidents, and what people do about them. */
export function incidentRoutes(parts: ConsoleParts): Route[] {
  const { incidents, people, clock, teamOf, events } = parts;
  const view = (incidentId: string): Answer => {
    const announcements = incidents.announcements(incidentId);
    const last = announcements.at(-1);
    if (last === undefined) return notFound('There is no such incident.');
    const acts = people.of(incidentId);
    const healthy = healthyTraces(parts, last);
    return { json: { ...incidentView(announcements, acts, healthy, teamOf, clock.wallMs()), notices: [] } };
  };
  const act = (asked: Asked<Record<string, never>>, read: ReadAct): Answer => {
    const incidentId = asked.path['incidentId'] as string;
    const incident = incidents.all.get(incidentId);
    if (incident === undefined) return notFound('There is no such incident.');
    const done = read(asked.body as Record<string, unknown> | null);
    if ('refusal' in done) return done;
    const by = asked.user ?? done.by;
    if (by === undefined) return refuse('by', 'by must say who does this.');
    people.add(incidentId, { kind: done.kind, text: done.text, by, atMs: clock.wallMs() });
    events.send('incident', incidentSummary(incident, people.of(incidentId), teamOf));
    return view(incidentId);
  };
  return [
    route('GET', '/api/console/incidents', { params: LIST }, ({ params }) => {
      const { state, from, to, limit } = params;
      const found = [...incidents.all.values()].filter(
        (incident) =>
          (state === 'all' || isActive(incident) === (state === 'active')) &&
          (to === undefined || incident.openedAt / 1000 < to) &&
          (from === undefined || isActive(incident) || (incident.resolvedAt ?? incident.updatedAt) / 1000 > from),
      );
      found.sort((a, b) => Number(isActive(b)) - Number(isActive(a)) || b.openedAt - a.openedAt);
      const shown = found.slice(0, limit);
      return {
        json: {
          incidents: shown.map((incident) => incidentSummary(incident, people.of(incident.incidentId), teamOf)),
          more: found.length > shown.length,
          notices: [],
        },
      };
    }),

    route('GET', '/api/console/incidents/{incidentId}', { pathParams: INCIDENT }, ({ path }) =>
      view(path['incidentId'] as string),
    ),

    route('PUT', '/api/console/incidents/{incidentId}/acknowledgement', { pathParams: INCIDENT }, (asked) =>
      act(asked, readAcknowledgement),
    ),

    route('POST', '/api/console/incidents/{incidentId}/notes', { pathParams: INCIDENT }, (asked) =>
      act(asked, readNote),
    ),
  ];
}

type ReadAct = (
  body: Record<string, unknown> | null,
) => { kind: Act['kind']; text: string; by: string | undefined } | { refusal: Refusal };

function readAcknowledgement(body: Record<string, unknown> | null): ReturnType<ReadAct> {
  const read = readBody(body, ['acknowledged', 'by']);
  if ('refusal' in read) return read;
  const { acknowledged } = read.fields;
  if (typeof acknowledged !== 'boolean') return refuse('acknowledged', 'acknowledged must be true or false.');
  return { kind: acknowledged ? 'acknowledged' : 'unacknowledged', text: '', by: read.by };
}

function readNote(body: Record<string, unknown> | null): ReturnType<ReadAct> {
  const read = readBody(body, ['text', 'by']);
  if ('refusal' in read) return read;
  const { text } = read.fields;
  if (typeof text !== 'string' || text.trim() === '' || text.length > NOTE_LENGTH_MAX) {
    return refuse('text', `text must be text of 1 to ${NOTE_LENGTH_MAX} characters.`);
  }
  return { kind: 'note', text, by: read.by };
}

function readBody(
  body: Record<string, unknown> | null,
  fields: readonly string[],
): { fields: Record<string, unknown>; by: string | undefined } | { refusal: Refusal } {
  if (body === null || typeof body !== 'object' || Array.isArray(body)) {
    return refuse('body', 'The body must be a JSON object.');
  }
  const unknown = Object.keys(body).find((name) => !fields.includes(name));
  if (unknown !== undefined) return refuse(unknown, `The body has ${fields.join(' and ')}, nothing else.`);
  const { by } = body;
  if (by === undefined) return { fields: body, by: undefined };
  if (typeof by === 'string' && by.trim() !== '' && by.length <= WHO_LENGTH_MAX) return { fields: body, by: by.trim() };
  return refuse('by', `by must be text of 1 to ${WHO_LENGTH_MAX} characters.`);
}

/** Of the entry operations that were hit, newest first, without errors: what it should have looked like. */
function healthyTraces({ hot }: ConsoleParts, incident: Incident): TraceSummary[] {
  const healthy: TraceSummary[] = [];
  for (const { service, operation } of incident.blast.entryOperations.slice(0, HEALTHY_MAX)) {
    const found = searchStore(hot, { service, operation, failed: false, limit: HEALTHY_MAX });
    const rooted = summariesOf(found.records, 'hot').filter((of) => of.rootOperation === operation && of.complete);
    healthy.push(...rooted.slice(0, healthy.length === 0 ? 2 : 1));
  }
  return healthy.slice(0, HEALTHY_MAX);
}

const LIST = {
  state: withDefault(oneOf('active', 'closed', 'all'), 'all'),
  from: millis(),
  to: millis(),
  limit: withDefault(integer(1, 1000), 100),
} as const;
const INCIDENT = { incidentId: { shape: /^[0-9a-f]{16}$/, allowed: '16 lower-case hexadecimal digits' } } as const;
const NOTE_LENGTH_MAX = 10_000;
const WHO_LENGTH_MAX = 200;
const HEALTHY_MAX = 5;
