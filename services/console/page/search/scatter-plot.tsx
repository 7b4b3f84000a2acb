import { useMemo } from 'preact/hooks';
import type { TraceSummary } from '../core/api-types.ts';
import { clock, duration, plural } from '../core/format.ts';
import { hrefOf } from '../core/routes.ts';
import { scatter } from '../core/scatter.ts';
import { inWords } from '../ui/text.tsx';

const WIDTH = 1_000;
const HEIGHT = 170;
const LEFT = 62;
const BOTTOM = 22;

/** Each trace by when it began and how long it took: failed ones are crosses, the size tells the number of spans. */
export function ScatterPlot({ traces }: { traces: readonly TraceSummary[] }) {
  const { dots, fromMs, toMs, lines } = useMemo(() => scatter(traces), [traces]);
  const x = (share: number) => LEFT + 10 + share * (WIDTH - LEFT - 30);
  const y = (share: number) => 8 + (1 - share) * (HEIGHT - BOTTOM - 12);
  return (
    <figure class="scatter">
      <figcaption class="faint">
        Duration over time. ○ all well, ✕ with errors; large ones have many spans. The list below has the same traces.
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="group"
        aria-label={`Durations of ${plural(traces.length, 'trace')} over time`}
      >
        {lines.map((line) => (
          <g key={line.ms} aria-hidden="true">
            <path class="grid" d={`M${LEFT},${y(line.y)}H${WIDTH}`} />
            <text x={LEFT - 8} y={y(line.y) + 4} class="axis end">
              {duration(line.ms * 1_000)}
            </text>
          </g>
        ))}
        <g aria-hidden="true">
          <text x={LEFT} y={HEIGHT - 4} class="axis">
            {clock(fromMs)}
          </text>
          <text x={WIDTH - 4} y={HEIGHT - 4} class="axis end">
            {clock(toMs)}
          </text>
        </g>
        {dots.map(({ trace, x: at, y: up, size }) => (
          <a key={trace.traceId} href={hrefOf('trace', {}, trace.traceId)} tabIndex={-1} aria-label={wordsOf(trace)}>
            <title>{wordsOf(trace)}</title>
            {trace.errorCount > 0 ? (
              <path class="dot failing" d={cross(x(at), y(up), 3.5 + size * 4)} />
            ) : (
              <circle class="dot" cx={x(at)} cy={y(up)} r={3 + size * 4} />
            )}
          </a>
        ))}
      </svg>
    </figure>
  );
}

function cross(x: number, y: number, r: number): string {
  return `M${x - r},${y - r}L${x + r},${y + r}M${x - r},${y + r}L${x + r},${y - r}`;
}

function wordsOf(trace: TraceSummary): string {
  const errors = trace.errorCount === 0 ? '' : `, ${plural(trace.errorCount, 'error')}`;
  return `${inWords(trace.rootService ?? 'no root')} ${inWords(trace.rootOperation ?? '')}, ${duration(trace.durationMs * 1_000)}, ${plural(trace.spanCount, 'span')}${errors}, ${clock(trace.startMs)}`;
}
