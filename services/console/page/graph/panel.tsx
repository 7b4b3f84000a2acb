import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Graph, GraphNode, Series, Stats } from '../core/api-types.ts';
import { clock, count, duration, percent, plural, rate, signedPercent } from '../core/format.ts';
import { type GraphLink, graphLinks } from '../core/graph-links.ts';
import { changeOf } from '../core/graph-view.ts';
import { hrefOf } from '../core/routes.ts';
import { getJson } from '../data/api.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Chart } from '../ui/chart.tsx';
import { HEALTH_WORDS, HealthMark, Icon, KIND_WORDS } from '../ui/icons.tsx';
import { Answered, Notices } from '../ui/states.tsx';
import { Text } from '../ui/text.tsx';
import { becauseOf } from './figures.ts';
import type { Selection } from './picture.tsx';

interface PanelProps {
  readonly graph: Graph;
  readonly selection: Selection;
  readonly onClose: () => void;
  readonly onService: (name: string) => void;
  readonly onLink: (client: string, server: string) => void;
  readonly onFocus: (name: string) => void;
}

/** Rate, errors and durations of one service, or of the calls between two, with traces that show them. */
export function Panel(props: PanelProps) {
  const { graph, selection, onClose } = props;
  const { service, client, server } = selection;
  const links = useMemo(() => graphLinks(graph), [graph]);
  const node = graph.nodes.find(({ name }) => name === service);
  const link = links.find((one) => one.client === client && one.server === server);
  const subject = node ?? link;
  const query = new URLSearchParams({ from: String(graph.range.fromMs), to: String(graph.range.toMs) });
  for (const [name, value] of service === ''
    ? [
        ['client', client],
        ['server', server],
      ]
    : [['service', service]])
    query.set(name as string, value as string);
  const who = JSON.stringify(selection);
  const series = useAnswer(String(query), (signal) => getJson<Series>('graph/series', query, signal), who);
  return (
    <aside class="panel" aria-label={service === '' ? 'Calls between two services' : 'One service'}>
      <header>
        {node !== undefined && <ServiceTitle node={node} />}
        {node === undefined && (
          <h2>
            <Text of={client} max={40} /> <span class="faint">→</span> <Text of={server} max={40} />
          </h2>
        )}
        <button type="button" class="icon-button" aria-label="Close the panel" title="Close (Esc)" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {subject === undefined ? (
        <p class="faint">No calls in this time. Choose a longer one, or move back in time.</p>
      ) : (
        <>
          <p class={`verdict ${subject.verdict.health}`}>
            <HealthMark health={subject.verdict.health} />
            <b>{HEALTH_WORDS[subject.verdict.health]}</b>
            {becauseOf(subject) !== '' && <span>{becauseOf(subject)} than usual</span>}
          </p>
          <Figures stats={subject.stats} baseline={subject.baseline} />
        </>
      )}
      <Actions {...props} node={node} />
      <Answered answer={series} what="figures">
        {(data) => <Details series={data} service={service} />}
      </Answered>
      {node !== undefined && (
        <Neighbours title="Called by" links={links.filter((one) => one.server === service)} end="client" {...props} />
      )}
      {node !== undefined && (
        <Neighbours title="Calls" links={links.filter((one) => one.client === service)} end="server" {...props} />
      )}
    </aside>
  );
}

function ServiceTitle({ node }: { node: GraphNode }) {
  return (
    <div>
      <h2>
        <Icon name={node.kind} size={18} /> <Text of={node.name} max={60} />
      </h2>
      <p class="faint">
        {KIND_WORDS[node.kind]}
        {node.team === null ? '' : ', owned by '}
        {node.team !== null && <Text of={node.team} />}
      </p>
    </div>
  );
}

function Figures({ stats, baseline }: { stats: Stats; baseline: Stats | null }) {
  const change = changeOf(stats, baseline);
  const ms = (value: number | null | undefined) => (value == null ? '–' : duration(value * 1_000));
  return (
    <dl class="figures">
      <Figure
        name="rate"
        value={rate(stats.callsPerSecond)}
        before={baseline === null ? undefined : rate(baseline.callsPerSecond)}
        change={change.rate === null ? '' : signedPercent(change.rate)}
      />
      <Figure
        name="errors"
        value={percent(stats.errorRatio ?? 0)}
        before={baseline === null ? undefined : percent(baseline.errorRatio ?? 0)}
        change={`${count(stats.errors)} of ${count(stats.calls)}`}
      />
      <Figure
        name="p95"
        value={ms(stats.p95Ms)}
        before={baseline === null ? undefined : ms(baseline.p95Ms)}
        change={`p50 ${ms(stats.p50Ms)} · p99 ${ms(stats.p99Ms)}`}
      />
    </dl>
  );
}

function Figure({
  name,
  value,
  before,
  change,
}: {
  name: string;
  value: string;
  before: string | undefined;
  change: string;
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <b>{value}</b>
        <span class="faint">{before === undefined ? 'no baseline' : `before ${before}`}</span>
        <span class="faint">{change}</span>
      </dd>
    </div>
  );
}

function Actions({ selection, graph, onFocus, node }: PanelProps & { node: GraphNode | undefined }) {
  const { fromMs, toMs } = graph.range;
  const search = {
    service: selection.service === '' ? selection.server : selection.service,
    span: Math.round((toMs - fromMs) / 1_000),
    until: toMs,
  };
  const isSilent = node !== undefined && node.kind !== 'service';
  return (
    <p class="row">
      {node !== undefined && (
        <button type="button" class="button" onClick={() => onFocus(node.name)}>
          <Icon name="focus" /> Focus
        </button>
      )}
      {!isSilent && (
        <>
          <a class="button" href={hrefOf('search', search)}>
            <Icon name="traces" /> Its traces
          </a>
          <a class="button" href={hrefOf('search', { ...search, errors: true })}>
            <Icon name="error" /> Failing ones
          </a>
        </>
      )}
    </p>
  );
}

function Details({ series, service }: { series: Series; service: string }) {
  const perSecond = 1_000 / series.stepMs;
  const times = useMemo(() => series.points.map(({ atMs }) => atMs), [series]);
  const calls = useMemo(
    () => [
      { label: 'calls', colour: 'accent', fill: true, values: series.points.map((point) => point.calls * perSecond) },
      {
        label: 'errors',
        colour: 'failing',
        fill: true,
        dash: [5, 3],
        values: series.points.map((point) => point.errors * perSecond),
      },
    ],
    [series],
  );
  const times95 = useMemo(
    () => [
      { label: 'p95', colour: 'accent', values: series.points.map(({ p95Ms }) => p95Ms) },
      { label: 'p50', colour: 'healthy', dash: [5, 3], values: series.points.map(({ p50Ms }) => p50Ms) },
    ],
    [series],
  );
  return (
    <>
      <Notices notices={series.notices} />
      <h3>Calls and errors</h3>
      <Chart
        timesMs={times}
        lines={calls}
        format={rate}
        summary={`Calls over time: ${count(series.total.calls)}, of which ${count(series.total.errors)} failed`}
      />
      <h3>Duration</h3>
      <Chart
        timesMs={times}
        lines={times95}
        format={milliseconds}
        summary={`Durations over time: p95 ${milliseconds(series.total.p95Ms ?? 0)} over all of it`}
      />
      <Exemplars series={series} />
      {series.operations.length > 0 && (
        <>
          <h3>{service === '' ? 'Operations' : 'Entry operations'}</h3>
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">operation</th>
                <th scope="col" class="number">
                  rate
                </th>
                <th scope="col" class="number">
                  errors
                </th>
                <th scope="col" class="number">
                  p95
                </th>
              </tr>
            </thead>
            <tbody>
              {series.operations.slice(0, 12).map(({ operation, stats }) => (
                <tr key={operation}>
                  <td>
                    <Text of={operation} max={60} />
                  </td>
                  <td class="number">{rate(stats.callsPerSecond)}</td>
                  <td class={`number ${stats.errors > 0 ? 'strong failing' : ''}`}>{percent(stats.errorRatio ?? 0)}</td>
                  <td class="number">{stats.p95Ms === null ? '–' : milliseconds(stats.p95Ms)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </>
  );
}

const milliseconds = (ms: number) => duration(ms * 1_000);
const KIND_ORDER = { failed: 0, slow: 1, normal: 2 } as const;
const EXEMPLARS_SHOWN = 8;

function Exemplars({ series }: { series: Series }) {
  const shown = series.exemplars
    .toSorted((a, b) => KIND_ORDER[a.kind] - KIND_ORDER[b.kind] || b.atMs - a.atMs)
    .slice(0, EXEMPLARS_SHOWN);
  return (
    <>
      <h3>Example traces</h3>
      {shown.length === 0 && <p class="faint">None in this time.</p>}
      <ul class="exemplars">
        {shown.map((exemplar) => (
          <li key={`${exemplar.traceId}${exemplar.spanId}`}>
            <a href={hrefOf('trace', { selected: exemplar.spanId }, exemplar.traceId)}>
              <span class={`tag ${exemplar.kind}`}>{exemplar.kind}</span>
              <b>{milliseconds(exemplar.durationMs)}</b>
              <span class="faint">{clock(exemplar.atMs)}</span>
              <code>{exemplar.traceId.slice(0, 8)}</code>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}

interface NeighboursProps {
  readonly title: string;
  readonly links: readonly GraphLink[];
  readonly end: 'client' | 'server';
  readonly onService: (name: string) => void;
  readonly onLink: (client: string, server: string) => void;
}

function Neighbours({ title, links, end, onService, onLink }: NeighboursProps): ComponentChildren {
  if (links.length === 0) return null;
  return (
    <>
      <h3>
        {title} <span class="faint">{plural(links.length, 'service')}</span>
      </h3>
      <ul class="neighbours">
        {links.map((link) => (
          <li key={link[end]}>
            <HealthMark health={link.verdict.health} />
            <button type="button" class="link" onClick={() => onService(link[end])}>
              <Text of={link[end]} max={40} />
            </button>
            <span class="faint">
              {rate(link.stats.callsPerSecond)}
              {link.stats.errors > 0 && `, ${percent(link.stats.errorRatio ?? 0)} fail`}
            </span>
            <button type="button" class="link" onClick={() => onLink(link.client, link.server)}>
              calls
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
