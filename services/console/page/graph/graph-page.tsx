import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { Graph } from '../core/api-types.ts';
import { graphQuery } from '../core/graph-query.ts';
import { findServices, graphView } from '../core/graph-view.ts';
import type { Route, ViewState } from '../core/routes.ts';
import { getJson } from '../data/api.ts';
import { consoleNow, useLive } from '../data/live.ts';
import { useAnswer } from '../data/use-answer.ts';
import { changeState } from '../ui/route.ts';
import { Answered, Empty, Loading, Notices } from '../ui/states.tsx';
import { GraphTable } from './graph-table.tsx';
import { Legend } from './legend.tsx';
import { Panel } from './panel.tsx';
import { Picture } from './picture.tsx';
import { Scrubber } from './scrubber.tsx';
import { Toolbar } from './toolbar.tsx';
import { layoutWorker, useLayout } from './use-layout.ts';

const REFRESH_MS = 5_000;

export function GraphPage({ route }: { route: Route<'graph'> }) {
  const { state } = route;
  useEffect(() => void layoutWorker(), []);
  const question = String(graphQuery(state, 0));
  const answer = useAnswer(
    question,
    (signal) => getJson<Graph>('graph', graphQuery(state, consoleNow()), signal),
    'graph',
  );
  const refresh = useCallback(() => {
    if (state.until === 0) answer.again();
  }, [state.until, answer.again]);
  useLive('graph', refresh, REFRESH_MS);
  const onChange = (change: Partial<ViewState<'graph'>>, step: 'small' | 'large' = 'large') =>
    changeState(route, change, step);
  const view = useMemo(
    () => (answer.data === undefined ? undefined : graphView(answer.data, state)),
    [answer.data, state.focus, state.up, state.down, state.team, state.unhealthy],
  );
  return (
    <section class="graph-page" aria-label="Service graph">
      <h1 class="hidden">Service graph</h1>
      <Toolbar state={state} graph={answer.data} view={view} onChange={onChange} />
      <Answered answer={answer} what="service graph">
        {(graph) => <Shown graph={graph} route={route} onChange={onChange} />}
      </Answered>
    </section>
  );
}

interface ShownProps {
  readonly graph: Graph;
  readonly route: Route<'graph'>;
  readonly onChange: (change: Partial<ViewState<'graph'>>, step?: 'small' | 'large') => void;
}

function Shown({ graph, route, onChange }: ShownProps) {
  const { state } = route;
  const { service, client, server, focus, up, down, team, unhealthy } = state;
  const [tidy, setTidy] = useState(0);
  const view = useMemo(
    () => graphView(graph, { focus, up, down, team, unhealthy }),
    [graph, focus, up, down, team, unhealthy],
  );
  const layout = useLayout(view, JSON.stringify([focus, up, down, team, unhealthy]), tidy);
  const marked = useMemo(
    () => new Set(findServices(view.nodes, state.find).map(({ name }) => name)),
    [view, state.find],
  );
  const onService = (name: string) => onChange({ service: name, client: '', server: '' });
  const onLink = (from: string, to: string) => onChange({ service: '', client: from, server: to });
  const onClose = () => onChange({ service: '', client: '', server: '' });
  const onFocus = (name: string) => onChange({ focus: name, up: 2, down: 2, view: '' });
  const isOpen = service !== '' || client !== '';
  useEscape(isOpen, onClose);
  const selection = { service, client, server };
  return (
    <>
      <Notices notices={graph.notices} />
      <div class={`graph-body ${isOpen ? 'with-panel' : ''}`}>
        <div class="graph-main">
          {view.nodes.length === 0 && (
            <Nothing
              graph={graph}
              filtered={graph.nodes.length > 0}
              onAll={() => onChange({ focus: '', team: '', unhealthy: false })}
            />
          )}
          {view.nodes.length > 0 && state.as === 'table' && (
            <GraphTable
              view={view}
              shown={state.show}
              sort={state.sort}
              onSort={(sort) => onChange({ sort }, 'small')}
              onService={onService}
              onLink={onLink}
            />
          )}
          {view.nodes.length > 0 && state.as === 'graph' && layout === undefined && <Loading what="layout" />}
          {view.nodes.length > 0 && state.as === 'graph' && layout !== undefined && (
            <Picture
              view={view}
              layout={layout}
              shown={state.show}
              selection={selection}
              marked={marked}
              seen={state.view}
              onSeen={(seen) => onChange({ view: seen }, 'small')}
              onService={onService}
              onLink={onLink}
              onFocus={onFocus}
              onTidy={() => setTidy((old) => old + 1)}
            />
          )}
          {state.as === 'graph' && view.nodes.length > 0 && <Legend shown={state.show} />}
        </div>
        {isOpen && (
          <Panel
            graph={graph}
            selection={selection}
            onClose={onClose}
            onService={onService}
            onLink={onLink}
            onFocus={onFocus}
          />
        )}
      </div>
      {graph.held !== null && (
        <Scrubber
          held={graph.held}
          range={graph.range}
          baseline={graph.baseline}
          live={state.until === 0}
          entry={entryOf(graph)}
          onUntil={(until) => onChange({ until: until >= (graph.held?.toMs ?? 0) - 10_000 ? 0 : until }, 'small')}
        />
      )}
    </>
  );
}

/** Where most requests come in: what a caller from outside calls most. */
function entryOf(graph: Graph): string {
  const outside = new Set(
    graph.nodes.filter(({ kind, stats }) => kind === 'external' && stats.calls === 0).map(({ name }) => name),
  );
  const entries = graph.edges.filter(({ client }) => outside.has(client));
  const busiest = (entries.length > 0 ? entries : graph.edges).toSorted((a, b) => b.stats.calls - a.stats.calls)[0];
  return busiest?.server ?? '';
}

function Nothing({ graph, filtered, onAll }: { graph: Graph; filtered: boolean; onAll: () => void }) {
  if (filtered) {
    return (
      <Empty icon="filter" title="Nothing is left by this filter">
        <p class="faint">
          {graph.nodes.length} services are there. If only what is not healthy was asked for: all is well.
        </p>
        <button type="button" class="button" onClick={onAll}>
          Show all
        </button>
      </Empty>
    );
  }
  return (
    <Empty icon="graph" title="No calls in this time">
      <p class="faint">
        Send spans to the ingest topic, or run <code>npm run demo</code>: a call shows here some 20 seconds after it has
        ended. Or choose another time below.
      </p>
    </Empty>
  );
}

function useEscape(active: boolean, onEscape: () => void): void {
  useEffect(() => {
    if (!active) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && document.querySelector('dialog[open]') === null) onEscape();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
}
