import { useMemo } from 'preact/hooks';
import type { Incidents, Range, Series } from '../core/api-types.ts';
import { clock, count, dayAndClock, duration, roughly } from '../core/format.ts';
import { hrefOf } from '../core/routes.ts';
import { getJson } from '../data/api.ts';
import { useAnswer } from '../data/use-answer.ts';
import { inWords } from '../ui/text.tsx';

interface ScrubberProps {
  readonly held: Range;
  readonly range: Range;
  readonly baseline: Range | null;
  readonly live: boolean;
  /** The service whose calls are drawn behind: where requests come in. */
  readonly entry: string;
  readonly onUntil: (untilMs: number) => void;
}

const STEP_MS = 10_000;
const BARS_MAX = 160;

/** All the time that is held, where in it the picture stands, and what happened when. */
export function Scrubber({ held, range, baseline, live, entry, onUntil }: ScrubberProps) {
  const lengthMs = Math.max(1, held.toMs - held.fromMs);
  const share = (ms: number) => Math.min(1, Math.max(0, (ms - held.fromMs) / lengthMs));
  const toMs = Math.min(range.toMs, held.toMs);
  // Rounded, so that it is not asked for again at each refresh.
  const roundMs = Math.max(60_000, Math.round(lengthMs / BARS_MAX / 60_000) * 60_000);
  const [fromMs, untilMs] = [Math.floor(held.fromMs / roundMs) * roundMs, Math.ceil(held.toMs / roundMs) * roundMs];
  const query = new URLSearchParams({ from: String(fromMs), to: String(untilMs), service: entry });
  const series = useAnswer(
    entry === '' ? undefined : String(query),
    (signal) => getJson<Series>('graph/series', query, signal),
    entry,
  );
  const past = new URLSearchParams({ from: String(fromMs), to: String(untilMs) });
  const incidents = useAnswer(String(past), (signal) => getJson<Incidents>('incidents', past, signal), 'incidents');
  const left = (range: Range) => ({
    left: `${share(range.fromMs) * 100}%`,
    width: `${Math.max(0.3, (share(range.toMs) - share(range.fromMs)) * 100)}%`,
  });
  return (
    <div class="scrubber">
      <div class="track">
        {series.data !== undefined && <Bars series={series.data} share={share} entry={entry} />}
        {baseline !== null && (
          <span class="span-of baseline" style={left(baseline)} title={`Baseline: ${words(baseline)}`} />
        )}
        <span class="span-of now" style={left(range)} title={`Shown: ${words(range)}`} />
        {(incidents.data?.incidents ?? []).map((incident) => (
          <a
            key={incident.incidentId}
            class={`when ${incident.severity}`}
            style={left({ fromMs: incident.openedMs, toMs: incident.resolvedMs ?? held.toMs })}
            href={hrefOf('incident', {}, incident.incidentId)}
            title={`${incident.severity} incident from ${clock(incident.openedMs)}: ${inWords(incident.cause.service)}`}
          >
            <span class="hidden">
              {incident.severity} incident at {clock(incident.openedMs)}, {inWords(incident.cause.service)}
            </span>
          </a>
        ))}
        <input
          type="range"
          aria-label="End of the time shown"
          aria-valuetext={live ? 'now' : dayAndClock(toMs)}
          min={held.fromMs}
          max={held.toMs}
          step={STEP_MS}
          value={toMs}
          onInput={(event) => onUntil(Number(event.currentTarget.value))}
        />
      </div>
      <div class="ends faint" aria-hidden="true">
        <span>{dayAndClock(held.fromMs)}</span>
        <span>{entry === '' ? '' : `calls of ${inWords(entry)}, errors in front`}</span>
        <span>{live ? 'now' : `${dayAndClock(held.toMs)} (${roughly((held.toMs - toMs) / 1_000)} later)`}</span>
      </div>
    </div>
  );
}

const words = ({ fromMs, toMs }: Range) =>
  `${dayAndClock(fromMs)} to ${clock(toMs)}, ${duration((toMs - fromMs) * 1_000)}`;

function Bars({ series, share, entry }: { series: Series; share: (ms: number) => number; entry: string }) {
  const most = useMemo(() => Math.max(1, ...series.points.map(({ calls }) => calls)), [series]);
  const width = share(series.range.fromMs + series.stepMs) - share(series.range.fromMs);
  return (
    <svg
      class="bars"
      viewBox="0 0 1000 100"
      preserveAspectRatio="none"
      role="img"
      aria-label={`Calls of ${inWords(entry)}: ${count(series.total.calls)}, of which ${count(series.total.errors)} failed`}
    >
      {series.points.map(({ atMs, calls, errors }) => (
        <g key={atMs}>
          <rect
            class="calls"
            x={share(atMs) * 1000}
            width={Math.max(1, width * 1000 - 0.6)}
            y={100 - (calls / most) * 92}
            height={(calls / most) * 92}
          />
          {errors > 0 && (
            <rect
              class="errors"
              x={share(atMs) * 1000}
              width={Math.max(1, width * 1000 - 0.6)}
              y={100 - Math.max(5, (errors / most) * 92)}
              height={Math.max(5, (errors / most) * 92)}
            />
          )}
        </g>
      ))}
    </svg>
  );
}
