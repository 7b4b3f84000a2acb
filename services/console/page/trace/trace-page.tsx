import { useMemo } from 'preact/hooks';
import type { Trace } from '../core/api-types.ts';
import type { Route, ViewState } from '../core/routes.ts';
import { type TraceModel, traceModel } from '../core/trace-model.ts';
import { getJson } from '../data/api.ts';
import { useAnswer } from '../data/use-answer.ts';
import { changeState } from '../ui/route.ts';
import { Answered, Empty, Notices } from '../ui/states.tsx';
import { Compare } from './compare.tsx';
import { Statistics } from './statistics.tsx';
import { TraceHead } from './trace-head.tsx';
import { Waterfall } from './waterfall.tsx';

export function TracePage({ route }: { route: Route<'trace'> }) {
  const answer = useAnswer(route.id, (signal) =>
    getJson<Trace>(`traces/${encodeURIComponent(route.id)}`, undefined, signal),
  );
  return (
    <section class="trace-page" aria-label="Trace">
      <Answered answer={answer} what="trace">
        {(trace) => <Shown trace={trace} route={route} again={answer.again} />}
      </Answered>
    </section>
  );
}

export interface TraceViewProps {
  readonly model: TraceModel;
  readonly state: ViewState<'trace'>;
  readonly onChange: (change: Partial<ViewState<'trace'>>, step?: 'small' | 'large') => void;
}

function Shown({ trace: first, route, again }: { trace: Trace; route: Route<'trace'>; again: () => void }) {
  const trace = useDetails(first, route.state.find !== '');
  const model = useMemo(() => traceModel(trace), [trace]);
  const onChange: TraceViewProps['onChange'] = (change, step = 'small') => changeState(route, change, step);
  const props = { model, state: route.state, onChange };
  if (trace.spans.length === 0) {
    return (
      <Empty icon="traces" title="This trace has no spans">
        <p class="faint">It held only copies of spans that came before.</p>
      </Empty>
    );
  }
  return (
    <>
      <TraceHead {...props} again={again} />
      <Notices notices={trace.notices} />
      {route.state.tab === 'waterfall' && <Waterfall {...props} />}
      {route.state.tab === 'statistics' && <Statistics {...props} />}
      {route.state.tab === 'compare' && <Compare {...props} />}
    </>
  );
}

/** Large traces come without details; words are looked for in attributes as well, so these are asked for then. */
function useDetails(trace: Trace, areWanted: boolean): Trace {
  const isAsked = areWanted && !trace.details && trace.spanCount <= DETAILS_SPANS_MAX;
  const path = `traces/${encodeURIComponent(trace.traceId)}`;
  const answer = useAnswer(isAsked ? path : undefined, (signal) =>
    getJson<Trace>(path, new URLSearchParams({ details: 'true' }), signal),
  );
  return answer.data ?? trace;
}

/** As openapi.yaml has it: of more spans nobody gets the details at once. */
const DETAILS_SPANS_MAX = 10_000;
