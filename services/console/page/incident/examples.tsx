import { useMemo } from 'preact/hooks';
import type { Incident, Trace } from '../core/api-types.ts';
import { clock, duration } from '../core/format.ts';
import { hrefOf, type ViewState } from '../core/routes.ts';
import { traceModel } from '../core/trace-model.ts';
import { getJson } from '../data/api.ts';
import { useAnswer } from '../data/use-answer.ts';
import { DifferenceTable } from '../trace/difference-table.tsx';
import { MiniWaterfall } from '../trace/mini-waterfall.tsx';
import { Answered } from '../ui/states.tsx';
import { inWords } from '../ui/text.tsx';

interface ExamplesProps {
  readonly whole: Incident;
  readonly state: ViewState<'incident'>;
  readonly onChange: (change: Partial<ViewState<'incident'>>) => void;
}

export function Examples({ whole, state, onChange }: ExamplesProps) {
  const failing = whole.failing.find(({ traceId }) => traceId === state.failing) ?? whole.failing[0];
  const alike = whole.healthy.find(({ rootOperation }) => rootOperation === failing?.entryOperation);
  const healthy = whole.healthy.find(({ traceId }) => traceId === state.healthy) ?? alike ?? whole.healthy[0];
  const failed = useAnswer(failing?.traceId, (signal) =>
    getJson<Trace>(`traces/${failing?.traceId}`, undefined, signal),
  );
  const well = useAnswer(healthy?.traceId, (signal) => getJson<Trace>(`traces/${healthy?.traceId}`, undefined, signal));
  const failedModel = useMemo(() => (failed.data === undefined ? undefined : traceModel(failed.data)), [failed.data]);
  const wellModel = useMemo(() => (well.data === undefined ? undefined : traceModel(well.data)), [well.data]);
  const longest = Math.max(
    1,
    ...[failedModel, wellModel].map((model) => (model === undefined ? 0 : model.tree.toNs - model.tree.fromNs)),
  );
  if (failing === undefined) return <p class="faint">No failing trace is at hand.</p>;
  return (
    <>
      <div class="row">
        <label class="compact">
          <span class="faint">failing</span>
          <select value={failing.traceId} onChange={(event) => onChange({ failing: event.currentTarget.value })}>
            {whole.failing.map((one) => (
              <option key={one.traceId} value={one.traceId}>
                {one.traceId.slice(0, 8)} {inWords(one.entryOperation)}
              </option>
            ))}
          </select>
        </label>
        {healthy !== undefined && (
          <label class="compact">
            <span class="faint">healthy</span>
            <select value={healthy.traceId} onChange={(event) => onChange({ healthy: event.currentTarget.value })}>
              {whole.healthy.map((one) => (
                <option key={one.traceId} value={one.traceId}>
                  {one.traceId.slice(0, 8)} {inWords(one.rootOperation ?? '')} {duration(one.durationMs * 1_000)}{' '}
                  {clock(one.startMs)}
                </option>
              ))}
            </select>
          </label>
        )}
        {healthy !== undefined && (
          <a class="button" href={hrefOf('trace', { tab: 'compare', other: healthy.traceId }, failing.traceId)}>
            Compare in full
          </a>
        )}
      </div>
      <div class="side-by-side">
        <Answered answer={failed} what="failing trace">
          {() =>
            failedModel !== undefined && (
              <MiniWaterfall
                model={failedModel}
                title="Failing"
                longestNs={longest}
                originSpanId={failing.originSpanId}
              />
            )
          }
        </Answered>
        {healthy === undefined ? (
          <p class="faint">No healthy trace of these operations is at hand.</p>
        ) : (
          <Answered answer={well} what="healthy trace">
            {() => wellModel !== undefined && <MiniWaterfall model={wellModel} title="Healthy" longestNs={longest} />}
          </Answered>
        )}
      </div>
      {failedModel !== undefined && wellModel !== undefined && (
        <DifferenceTable here={failedModel} other={wellModel} hereWord="failing" otherWord="healthy" />
      )}
    </>
  );
}
