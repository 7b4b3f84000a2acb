import { useCallback } from 'preact/hooks';
import type { IncidentSummary, Incidents } from '../core/api-types.ts';
import { count, dayAndClock, duration, percent } from '../core/format.ts';
import { causeName } from '../core/markdown.ts';
import { hrefOf, type Route } from '../core/routes.ts';
import { getJson } from '../data/api.ts';
import { consoleNow, useLive } from '../data/live.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Segmented } from '../ui/controls.tsx';
import { changeState } from '../ui/route.ts';
import { Answered, Empty, Notices } from '../ui/states.tsx';
import { inWords, Text } from '../ui/text.tsx';
import { SeverityTag, StateTag } from './tags.tsx';

const STATES = { all: 'all', open: 'active', resolved: 'closed' } as const;

export function IncidentsPage({ route }: { route: Route<'incidents'> }) {
  const query = new URLSearchParams({ state: STATES[route.state.state] });
  const answer = useAnswer(String(query), (signal) => getJson<Incidents>('incidents', query, signal));
  useLive('incident', useCallback(answer.again, [answer.again]), 1_000);
  return (
    <section class="incidents-page" aria-label="Incidents">
      <div class="results-head">
        <h1>Incidents</h1>
        <Segmented
          label="Which incidents"
          value={route.state.state}
          options={[
            ['all', 'All'],
            ['open', 'Under way'],
            ['resolved', 'Over'],
          ]}
          onChange={(state) => changeState(route, { state })}
        />
      </div>
      <Answered answer={answer} what="incidents">
        {(found) => (
          <>
            <Notices notices={found.notices} />
            {found.incidents.length === 0 ? (
              <AllWell which={route.state.state} />
            ) : (
              <ul class="cards">
                {found.incidents.map((incident) => (
                  <IncidentCard key={incident.incidentId} incident={incident} />
                ))}
              </ul>
            )}
          </>
        )}
      </Answered>
    </section>
  );
}

function IncidentCard({ incident }: { incident: IncidentSummary }) {
  const lastMs = incident.resolvedMs ?? Math.max(incident.updatedMs, incident.active ? consoleNow() : 0);
  return (
    <li>
      <a
        class={`card incident-card ${incident.severity} ${incident.active ? 'active' : ''}`}
        href={hrefOf('incident', {}, incident.incidentId)}
      >
        <span class="card-title">
          <SeverityTag severity={incident.severity} />
          <StateTag incident={incident} />
          <b>
            <bdi>{inWords(causeName(incident.cause))}</bdi>
          </b>
        </span>
        <span class="card-duration">{duration((lastMs - incident.openedMs) * 1_000)}</span>
        <span class="card-summary">
          <Text of={incident.summary} max={400} />
        </span>
        <span class="card-facts">
          <span class="strong">{percent(incident.affectedShare)} of requests</span>
          <span class="faint">
            {count(incident.affectedRequests)} of {count(incident.totalRequests)}
          </span>
          {incident.services.slice(0, 6).map((service) => (
            <span class="chip" key={service}>
              <Text of={service} max={32} />
            </span>
          ))}
          {incident.acknowledgement !== null && (
            <span class="tag">
              <Text of={incident.acknowledgement.by} max={30} /> is on it
            </span>
          )}
        </span>
        <span class="card-time faint">{dayAndClock(incident.openedMs)}</span>
      </a>
    </li>
  );
}

function AllWell({ which }: { which: 'all' | 'open' | 'resolved' }) {
  return (
    <Empty
      icon="check"
      title={
        which === 'resolved'
          ? 'No incident is over yet'
          : which === 'open'
            ? 'Nothing is on fire'
            : 'No incidents so far'
      }
    >
      <p class="faint">
        An incident opens within some 20 seconds when an edge, a service or an entry operation fails clearly more often
        than it used to. <code>npm run demo</code> breaks a database after 30 s.
      </p>
    </Empty>
  );
}
