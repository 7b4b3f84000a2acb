import type { Graph } from '../core/api-types.ts';
import { plural } from '../core/format.ts';
import { findServices, type GraphView, teamsOf } from '../core/graph-view.ts';
import type { ViewState } from '../core/routes.ts';
import { Segmented, Toggle, useTyped } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import { SpanSelect } from '../ui/span-select.tsx';
import { inWords } from '../ui/text.tsx';

interface ToolbarProps {
  readonly state: ViewState<'graph'>;
  readonly graph: Graph | undefined;
  readonly view: GraphView | undefined;
  readonly onChange: (change: Partial<ViewState<'graph'>>, step?: 'small' | 'large') => void;
}

export function Toolbar({ state, graph, view, onChange }: ToolbarProps) {
  const [typed, setTyped] = useTyped(state.find, (find) => onChange({ find }, 'small'));
  const teams = graph === undefined ? [] : teamsOf(graph);
  const first = graph === undefined ? undefined : findServices(graph.nodes, typed)[0];
  const openFirst = (event: Event) => {
    event.preventDefault();
    if (first !== undefined) onChange({ find: typed, service: first.name, client: '', server: '' });
  };
  return (
    <div class="toolbar" role="group" aria-label="What the graph shows">
      <Segmented
        label="Time that is shown"
        value={state.show}
        options={[
          ['before', 'Before'],
          ['during', state.until === 0 && state.since === 0 ? 'Now' : 'During'],
          ['difference', 'Difference'],
        ]}
        onChange={(show) => onChange({ show })}
      />
      <SpanSelect label="Length of the time shown" value={state.span} onChange={(span) => onChange({ span })} />
      {state.until !== 0 && (
        <button type="button" class="button" onClick={() => onChange({ until: 0, since: 0 })}>
          <Icon name="clock" /> Back to now
        </button>
      )}
      <label class="compact">
        <span class="faint">against</span>
        <select
          value={state.since > 0 ? 'since' : state.base}
          onChange={(event) => onChange({ base: event.currentTarget.value === 'same' ? 'same' : 'day', since: 0 })}
        >
          <option value="day">the 24 hours before</option>
          <option value="same">as long before it</option>
          {state.since > 0 && <option value="since">the time before the incident</option>}
        </select>
      </label>
      <span class="gap" />
      <form class="field-icon" role="search" aria-label="Services in the graph" onSubmit={openFirst}>
        <Icon name="search" />
        <input
          type="search"
          aria-label="Find a service in the graph"
          placeholder="Find a service"
          list="service-names"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <datalist id="service-names">
          {graph?.nodes.slice(0, 500).map(({ name }) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </form>
      {teams.length > 0 && (
        <select
          aria-label="Team"
          value={state.team}
          onChange={(event) => onChange({ team: event.currentTarget.value })}
        >
          <option value="">All teams</option>
          {teams.map((team) => (
            <option key={team} value={team}>
              {inWords(team)}
            </option>
          ))}
        </select>
      )}
      <Toggle on={state.unhealthy} onChange={(unhealthy) => onChange({ unhealthy })}>
        Hide healthy
      </Toggle>
      <Segmented
        label="Form"
        value={state.as}
        options={[
          ['graph', 'Graph'],
          ['table', 'Table'],
        ]}
        onChange={(as) => onChange({ as })}
      />
      {state.focus !== '' && <FocusBar state={state} onChange={onChange} />}
      {view !== undefined && view.hidden > 0 && <span class="faint">{plural(view.hidden, 'service')} not shown</span>}
    </div>
  );
}

const HOPS = [0, 1, 2, 3, 9] as const;

function FocusBar({ state, onChange }: Pick<ToolbarProps, 'state' | 'onChange'>) {
  const hops = (side: 'up' | 'down', words: string) => (
    <label class="compact">
      <span class="faint">{words}</span>
      <select value={state[side]} onChange={(event) => onChange({ [side]: Number(event.currentTarget.value) })}>
        {HOPS.map((hop) => (
          <option key={hop} value={hop}>
            {hop === 0 ? 'none' : hop === 9 ? 'all' : plural(hop, 'hop')}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <span class="chip focus">
      <Icon name="focus" />
      <b>
        <bdi>{inWords(state.focus)}</bdi>
      </b>
      {hops('up', 'who depends on it')}
      {hops('down', 'what it depends on')}
      <button
        type="button"
        class="icon-button small"
        aria-label="End the focus"
        title="End the focus"
        onClick={() => onChange({ focus: '', up: 9, down: 9 })}
      >
        <Icon name="close" size={14} />
      </button>
    </span>
  );
}
