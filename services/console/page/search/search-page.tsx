import { useMemo } from 'preact/hooks';
import type { TraceSummary, Traces } from '../core/api-types.ts';
import { plural } from '../core/format.ts';
import { hrefOf, type Route, type ViewState } from '../core/routes.ts';
import { type SearchProblem, searchQuery } from '../core/search-query.ts';
import { type ApiError, getJson } from '../data/api.ts';
import { consoleNow } from '../data/live.ts';
import { useAnswer } from '../data/use-answer.ts';
import { changeState } from '../ui/route.ts';
import { Answered, Empty, Notices } from '../ui/states.tsx';
import { ScatterPlot } from './scatter-plot.tsx';
import { SearchForm } from './search-form.tsx';
import { TraceCards } from './trace-cards.tsx';

export function SearchPage({ route }: { route: Route<'search'> }) {
  const { state } = route;
  const { sort, ...asked } = state;
  const checked = searchQuery(state, 0);
  const problem = checked instanceof URLSearchParams ? undefined : checked;
  const answer = useAnswer(
    problem === undefined ? JSON.stringify(asked) : undefined,
    (signal) => getJson<Traces>('traces', searchQuery(state, consoleNow()) as URLSearchParams, signal),
    'traces',
  );
  const onChange = (change: Partial<ViewState<'search'>>) => changeState(route, change);
  return (
    <section class="search-page" aria-label="Search traces">
      <h1 class="hidden">Traces</h1>
      <SearchForm
        key={JSON.stringify(asked)}
        state={state}
        problem={problem ?? problemOf(answer.error)}
        busy={answer.busy}
        onSearch={onChange}
        onAgain={answer.again}
      />
      <div class="results">
        {problem === undefined && (
          <Answered answer={answer} what="traces">
            {(found) => <Results found={found} state={state} onChange={onChange} />}
          </Answered>
        )}
      </div>
    </section>
  );
}

const FIELDS: Readonly<Record<string, SearchProblem['field']>> = {
  attribute: 'attributes',
  durationMinMs: 'min',
  durationMaxMs: 'max',
};

function problemOf(error: ApiError | undefined): SearchProblem | undefined {
  const field = FIELDS[error?.field ?? ''];
  return error === undefined || field === undefined ? undefined : { field, message: error.message };
}

interface ResultsProps {
  readonly found: Traces;
  readonly state: ViewState<'search'>;
  readonly onChange: (change: Partial<ViewState<'search'>>) => void;
}

const SORTS = {
  newest: (a: TraceSummary, b: TraceSummary) => b.startMs - a.startMs,
  longest: (a: TraceSummary, b: TraceSummary) => b.durationMs - a.durationMs,
  errors: (a: TraceSummary, b: TraceSummary) => b.errorCount - a.errorCount,
  spans: (a: TraceSummary, b: TraceSummary) => b.spanCount - a.spanCount,
};

function Results({ found, state, onChange }: ResultsProps) {
  const sorted = useMemo(() => found.traces.toSorted(SORTS[state.sort]), [found, state.sort]);
  if (sorted.length === 0) return <NoTraces state={state} found={found} onChange={onChange} />;
  const failed = sorted.filter(({ errorCount }) => errorCount > 0).length;
  const oldest = sorted.reduce((low, { startMs }) => Math.min(low, startMs), Number.POSITIVE_INFINITY);
  return (
    <>
      <Notices notices={found.notices} />
      <ScatterPlot traces={found.traces} />
      <div class="results-head">
        <h2>
          {plural(sorted.length, 'trace')}
          <span class="faint">{failed > 0 ? `, ${failed} with errors` : ', none with errors'}</span>
        </h2>
        <label class="compact">
          <span class="faint">sort by</span>
          <select
            value={state.sort}
            onChange={(event) => onChange({ sort: event.currentTarget.value as keyof typeof SORTS })}
          >
            <option value="newest">newest first</option>
            <option value="longest">longest first</option>
            <option value="errors">most errors</option>
            <option value="spans">most spans</option>
          </select>
        </label>
      </div>
      <TraceCards traces={sorted} />
      {found.more && (
        <p class="row">
          <a class="button" href={hrefOf('search', { ...state, until: Math.floor(oldest) })}>
            Older ones
          </a>
          <span class="faint">There are more that match.</span>
        </p>
      )}
    </>
  );
}

function NoTraces({ state, found, onChange }: ResultsProps) {
  const isNarrow =
    state.service !== '' ||
    state.errors ||
    state.attributes !== '' ||
    state.min !== '' ||
    state.max !== '' ||
    state.operation !== '';
  return (
    <>
      <Notices notices={found.notices} />
      <Empty icon="traces" title={isNarrow ? 'No trace matches' : 'No traces in this time'}>
        <p class="faint">
          {isNarrow
            ? 'Ask for less, or for a longer time. Operations and attribute values must be given in full.'
            : 'A trace shows a good ten seconds after its last span. Send some, or run npm run demo.'}
        </p>
        <p class="row">
          {isNarrow && (
            <button
              type="button"
              class="button"
              onClick={() => onChange({ service: '', operation: '', attributes: '', min: '', max: '', errors: false })}
            >
              Ask for any trace
            </button>
          )}
          <button type="button" class="button" onClick={() => onChange({ span: 86_400, until: 0 })}>
            Last 24 hours
          </button>
        </p>
      </Empty>
    </>
  );
}
