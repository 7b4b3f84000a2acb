import { useMemo } from 'preact/hooks';
import type { Trace, TypicalTrace } from '../core/api-types.ts';
import { plural } from '../core/format.ts';
import { hrefOf } from '../core/routes.ts';
import { traceIdIn } from '../core/search-query.ts';
import { type TraceModel, traceModel } from '../core/trace-model.ts';
import { nanos } from '../core/trace-warnings.ts';
import { getJson } from '../data/api.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answered, Empty } from '../ui/states.tsx';
import { DifferenceTable } from './difference-table.tsx';
import { MiniWaterfall } from './mini-waterfall.tsx';
import type { TraceViewProps } from './trace-page.tsx';

/** This trace beside another one: by itself, one of the same operation that went as they usually do. */
export function Compare({ model, state, onChange }: TraceViewProps) {
  const { traceId } = model.trace;
  const asked = state.other === '' ? traceId : undefined;
  const typical = useAnswer(asked, (signal) => getJson<TypicalTrace>(`traces/${traceId}/typical`, undefined, signal));
  const choose = (event: Event) => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem('other') as HTMLInputElement;
    onChange({ other: traceIdIn(field.value) ?? '' }, 'large');
  };
  return (
    <div class="compare">
      <h2 class="hidden">Beside another trace</h2>
      <form class="row" onSubmit={choose}>
        <label class="compact">
          <span class="faint">Compare with the trace</span>
          <input class="mono" name="other" defaultValue={state.other} placeholder="a typical one" size={34} />
        </label>
        <button type="submit" class="button">
          Compare
        </button>
        {state.other !== '' && (
          <button type="button" class="link" onClick={() => onChange({ other: '' }, 'large')}>
            a typical one instead
          </button>
        )}
      </form>
      {state.other !== '' ? (
        <Beside model={model} otherId={state.other} why="the trace that you chose" />
      ) : (
        <Answered answer={typical} what="typical trace">
          {({ trace, of }) =>
            trace === null ? (
              <Empty icon="traces" title="There is none to compare with">
                <p class="faint">
                  No trace of the same root operation without errors is at hand. Give a trace id above.
                </p>
              </Empty>
            ) : (
              <Beside
                model={model}
                otherId={trace.traceId}
                why={`of the middle duration among the newest ${plural(of, 'trace')} without errors`}
              />
            )
          }
        </Answered>
      )}
    </div>
  );
}

function Beside({ model, otherId, why }: { model: TraceModel; otherId: string; why: string }) {
  const answer = useAnswer(otherId, (signal) =>
    getJson<Trace>(`traces/${encodeURIComponent(otherId)}`, undefined, signal),
  );
  return (
    <Answered answer={answer} what="trace to compare with">
      {(trace) => <Both model={model} trace={trace} why={why} />}
    </Answered>
  );
}

function Both({ model, trace, why }: { model: TraceModel; trace: Trace; why: string }) {
  const other = useMemo(() => traceModel(trace), [trace]);
  const longestNs = Math.max(model.tree.toNs - model.tree.fromNs, other.tree.toNs - other.tree.fromNs);
  const differenceNs = model.tree.toNs - model.tree.fromNs - (other.tree.toNs - other.tree.fromNs);
  return (
    <>
      <p class="lead">
        This trace took{' '}
        <b>
          {nanos(Math.abs(differenceNs))} {differenceNs >= 0 ? 'longer' : 'less'}
        </b>{' '}
        than{' '}
        <a class="link" href={hrefOf('trace', {}, trace.traceId)}>
          the other
        </a>
        , {why}. Both are drawn on one scale.
      </p>
      <div class="side-by-side">
        <MiniWaterfall model={model} title="This trace" longestNs={longestNs} />
        <MiniWaterfall model={other} title="The other" longestNs={longestNs} />
      </div>
      <DifferenceTable here={model} other={other} hereWord="here" otherWord="there" />
    </>
  );
}
