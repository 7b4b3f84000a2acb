import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Incidents } from '../core/api-types.ts';
import { hrefOf, type Route } from '../core/routes.ts';
import { getJson } from '../data/api.ts';
import { useLive } from '../data/live.ts';
import { useAnswer } from '../data/use-answer.ts';
import { GraphPage } from '../graph/graph-page.tsx';
import { IncidentPage } from '../incident/incident-page.tsx';
import { IncidentsPage } from '../incident/incidents-page.tsx';
import { SearchPage } from '../search/search-page.tsx';
import { TracePage } from '../trace/trace-page.tsx';
import { Connection } from './connection.tsx';
import { FindBox } from './find-box.tsx';
import { Icon, type IconName } from './icons.tsx';
import { KeyboardHelp } from './keyboard-help.tsx';
import { isTyping } from './keys.ts';
import { useRoute } from './route.ts';
import { ThemeButton } from './theme-button.tsx';

export function App() {
  const route = useRoute();
  const [help, setHelp] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === '?' && !isTyping(event)) setHelp(true);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  useEffect(() => {
    document.title = `${TITLES[route.view]}${route.id === '' ? '' : ` ${route.id.slice(0, 8)}`} – Spanloom`;
  }, [route.view, route.id]);
  return (
    <div class="app">
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href={hrefOf('graph')} aria-label="Spanloom, start page">
          <Brand />
          <span>Spanloom</span>
        </a>
        <Navigation route={route} />
        <FindBox />
        <div class="top-end">
          <Connection />
          <button
            type="button"
            class="icon-button"
            aria-label="Keyboard shortcuts"
            title="Keyboard shortcuts (?)"
            onClick={() => setHelp(true)}
          >
            <Icon name="keyboard" />
          </button>
          <ThemeButton />
        </div>
      </header>
      <main id="main" tabIndex={-1} key={route.view}>
        <View route={route} />
      </main>
      {help && <KeyboardHelp onClose={() => setHelp(false)} />}
    </div>
  );
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case 'graph':
      return <GraphPage route={route as Route<'graph'>} />;
    case 'search':
      return <SearchPage route={route as Route<'search'>} />;
    case 'trace':
      return <TracePage route={route as Route<'trace'>} key={route.id} />;
    case 'incidents':
      return <IncidentsPage route={route as Route<'incidents'>} />;
    case 'incident':
      return <IncidentPage route={route as Route<'incident'>} key={route.id} />;
  }
}

function Navigation({ route }: { route: Route }) {
  const active = useActiveIncidents();
  const item = (view: 'graph' | 'search' | 'incidents', icon: IconName, words: string, also: Route['view'] = view) => (
    <a href={hrefOf(view)} aria-current={route.view === view || route.view === also ? 'page' : undefined}>
      <Icon name={icon} />
      {words}
      {view === 'incidents' && active > 0 && (
        <b class="badge">
          {active}
          <span class="hidden"> under way</span>
        </b>
      )}
    </a>
  );
  return (
    <nav aria-label="Views">
      {item('graph', 'graph', 'Graph')}
      {item('search', 'traces', 'Traces', 'trace')}
      {item('incidents', 'incident', 'Incidents', 'incident')}
    </nav>
  );
}

function useActiveIncidents(): number {
  const query = new URLSearchParams({ state: 'active' });
  const answer = useAnswer('active', (signal) => getJson<Incidents>('incidents', query, signal));
  useLive('incident', useCallback(answer.again, [answer.again]), 1_000);
  return answer.data?.incidents.length ?? 0;
}

const TITLES: Readonly<Record<Route['view'], string>> = {
  graph: 'Service graph',
  search: 'Traces',
  trace: 'Trace',
  incidents: 'Incidents',
  incident: 'Incident',
};

function Brand() {
  return (
    <svg width="22" height="22" viewBox="0 0 24 24" aria-hidden="true" class="brand-mark">
      <path class="a" d="M3 6h11" />
      <path class="b" d="M7 12h13" />
      <path class="c" d="M11 18h6" />
    </svg>
  );
}
