import { Fragment } from 'preact';
import { useCallback } from 'preact/hooks';
import type { Incident } from '../core/api-types.ts';
import { count, dayAndClock, duration, percent } from '../core/format.ts';
import { causeName, incidentMarkdown } from '../core/markdown.ts';
import { hrefOf, type Route, type ViewState } from '../core/routes.ts';
import { getJson } from '../data/api.ts';
import { consoleNow, useLive } from '../data/live.ts';
import { useAnswer } from '../data/use-answer.ts';
import { CopyButton } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import { changeState } from '../ui/route.ts';
import { Answered, Notices } from '../ui/states.tsx';
import { inWords, Text } from '../ui/text.tsx';
import { BlastGraph } from './blast-graph.tsx';
import { Causes } from './causes.tsx';
import { Examples } from './examples.tsx';
import { Response } from './response.tsx';
import { SeverityTag, StateTag } from './tags.tsx';
import { Timeline } from './timeline.tsx';
import { ErrorTable, WhoIsHit } from './who-is-hit.tsx';

export function IncidentPage({ route }: { route: Route<'incident'> }) {
  const path = `incidents/${encodeURIComponent(route.id)}`;
  const answer = useAnswer(route.id, (signal) => getJson<Incident>(path, undefined, signal));
  const onEvent = useCallback(
    (data: unknown) => {
      if ((data as { incidentId?: string } | undefined)?.incidentId === route.id) answer.again();
    },
    [route.id, answer.again],
  );
  useLive('incident', onEvent, 1_000);
  return (
    <section class="incident-page" aria-label="Incident">
      <Answered answer={answer} what="incident">
        {(whole) => <Shown whole={whole} route={route} onWhole={answer.set} />}
      </Answered>
    </section>
  );
}

interface ShownProps {
  readonly whole: Incident;
  readonly route: Route<'incident'>;
  readonly onWhole: (whole: Incident) => void;
}

function Shown({ whole, route, onWhole }: ShownProps) {
  const { incident } = whole;
  const onChange = (change: Partial<ViewState<'incident'>>) => changeState(route, change, 'small');
  return (
    <>
      <header class={`incident-head ${incident.severity} ${incident.active ? 'active' : ''}`}>
        <p class="row">
          <SeverityTag severity={incident.severity} />
          <StateTag incident={incident} />
          <span class="faint">
            since {dayAndClock(incident.openedMs)} · <code>{incident.incidentId}</code>
          </span>
        </p>
        <h1>
          <Text of={incident.summary} max={600} />
        </h1>
        <Path path={whole.path} cause={incident.cause.service} />
        <p class="row">
          <a class="button primary" href={graphHref(whole)}>
            <Icon name="graph" /> On the graph
          </a>
          {whole.failing[0] !== undefined && (
            <a
              class="button"
              href={hrefOf('trace', { selected: whole.failing[0].originSpanId }, whole.failing[0].traceId)}
            >
              <Icon name="error" /> A failing trace
            </a>
          )}
          <CopyButton
            label="Copy the incident as Markdown"
            words="Copy as Markdown"
            text={() => incidentMarkdown(whole, location.href)}
          />
          {whole.mergedInto !== null && (
            <a class="button" href={hrefOf('incident', {}, whole.mergedInto)}>
              Merged into <code>{whole.mergedInto}</code>
            </a>
          )}
        </p>
      </header>
      <Notices notices={whole.notices} />
      <Facts whole={whole} />
      <div class="incident-grid">
        <div>
          <section class="block" aria-labelledby="blast-title">
            <h2 id="blast-title">Blast radius</h2>
            <BlastGraph whole={whole} />
          </section>
          <section class="block" aria-labelledby="hit-title">
            <h2 id="hit-title">Who is hit</h2>
            <WhoIsHit whole={whole} />
          </section>
          <section class="block" aria-labelledby="errors-title">
            <h2 id="errors-title">Errors</h2>
            <ErrorTable whole={whole} />
          </section>
        </div>
        <div>
          <section class="block" aria-labelledby="causes-title">
            <h2 id="causes-title">Most likely causes</h2>
            <Causes whole={whole} />
          </section>
          <section class="block" aria-labelledby="response-title">
            <h2 id="response-title">Response</h2>
            <Response whole={whole} onWhole={onWhole} />
          </section>
          <section class="block" aria-labelledby="timeline-title">
            <h2 id="timeline-title">Timeline</h2>
            <Timeline whole={whole} />
          </section>
        </div>
      </div>
      <section class="block" aria-labelledby="examples-title">
        <h2 id="examples-title">A failing request beside a healthy one</h2>
        <Examples whole={whole} state={route.state} onChange={onChange} />
      </section>
    </>
  );
}

function Path({ path, cause }: { path: readonly string[]; cause: string }) {
  if (path.length < 2) return null;
  return (
    <ol class="way" aria-label="Way from an entry down to the cause">
      {path.map((service, at) => (
        <Fragment key={`${service}${at}`}>
          {at > 0 && (
            <li class="arrow-of" aria-hidden="true">
              →
            </li>
          )}
          <li class={service === cause ? 'cause' : ''}>
            <Text of={service} max={40} />
            {service === cause && ' begins here'}
          </li>
        </Fragment>
      ))}
    </ol>
  );
}

function Facts({ whole }: { whole: Incident }) {
  const { incident, firstErrorMs, dataQuality } = whole;
  const lastMs =
    incident.resolvedMs ?? (incident.active ? Math.max(consoleNow(), incident.updatedMs) : incident.updatedMs);
  const lacks = [
    dataQuality.incompleteTraces > 0 ? `${count(dataQuality.incompleteTraces)} traces are incomplete` : '',
    dataQuality.lateDropped > 0 ? `${count(dataQuality.lateDropped)} late counts were left out` : '',
    dataQuality.failuresDropped > 0 ? `${count(dataQuality.failuresDropped)} failing traces were left out` : '',
    dataQuality.samplingRatio < 1 ? `only ${percent(dataQuality.samplingRatio)} of traces are recorded` : '',
  ].filter((lack) => lack !== '');
  const facts: readonly (readonly [string, string, string])[] = [
    [
      'requests hit',
      percent(incident.affectedShare),
      `${count(incident.affectedRequests)} of ${count(incident.totalRequests)}`,
    ],
    ['cause', inWords(causeName(incident.cause)), incident.cause.peerKind],
    [
      incident.active ? 'under way for' : 'lasted',
      duration((lastMs - incident.openedMs) * 1_000),
      `detected ${duration((incident.detectedMs - firstErrorMs) * 1_000)} after the first error`,
    ],
    [
      'teams',
      incident.teams.length === 0 ? 'nobody named' : incident.teams.map(inWords).join(', '),
      incident.teams.length === 0 ? 'set CONSOLE_TEAMS' : 'own what is on the path',
    ],
  ];
  return (
    <>
      <dl class="figures wide">
        {facts.map(([name, value, aside]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <b>
                <bdi>{value}</bdi>
              </b>
              <span class="faint">{aside}</span>
            </dd>
          </div>
        ))}
      </dl>
      {lacks.length > 0 && <p class="notice">What the counts lack: {lacks.join('; ')}.</p>}
    </>
  );
}

/** The graph as it was while it lasted, against the time before it. */
export function graphHref({ incident, during, before }: Incident): string {
  return hrefOf('graph', {
    span: Math.max(60, Math.ceil((during.toMs - during.fromMs) / 1_000)),
    until: incident.active ? 0 : during.toMs,
    since: before.fromMs,
    service: incident.cause.service,
  });
}
