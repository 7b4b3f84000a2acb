import { useEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { clock } from '../core/format.ts';
import { canvasColours } from './colour.ts';
import { THEME_CHANGED } from './theme.ts';

export interface Line {
  readonly label: string;
  /** Name of a colour of styles/tokens.css, without its dashes. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
  readonly fill?: boolean;
  readonly dash?: readonly number[];
}

export interface ChartProps {
  /** Says what it shows to those who do not see it. */
  readonly summary: string;
  readonly timesMs: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  readonly height?: number;
}

/** Values over time. The plotting library is loaded with the first chart, not with the page. */
export function Chart(props: ChartProps) {
  const { timesMs, lines, format, height = 110, summary } = props;
  const box = useRef<HTMLDivElement>(null);
  const [round, setRound] = useState(0);
  const [at, setAt] = useState<number | undefined>();
  useEffect(() => {
    const redraw = () => setRound((old) => old + 1);
    addEventListener(THEME_CHANGED, redraw);
    return () => removeEventListener(THEME_CHANGED, redraw);
  }, []);
  useEffect(() => {
    let plot: uPlot | undefined;
    let gone = false;
    const watcher = new ResizeObserver(() => {
      if (box.current !== null) plot?.setSize({ width: box.current.clientWidth, height });
    });
    import('uplot').then(({ default: Plot }) => {
      if (gone || box.current === null) return;
      const data = [timesMs.map((ms) => ms / 1_000), ...lines.map(({ values }) => values)] as uPlot.AlignedData;
      plot = new Plot(options(props, box.current, setAt), data, box.current);
      watcher.observe(box.current);
    });
    return () => {
      gone = true;
      watcher.disconnect();
      plot?.destroy();
    };
  }, [timesMs, lines, format, height, round]);
  return (
    <div class="chart">
      <div class="chart-legend" aria-hidden="true">
        {lines.map(({ label, colour, values }) => (
          <span key={label}>
            <i class={`swatch ${colour}`} />
            {label} <b>{told(at === undefined ? values.findLast((value) => value !== null) : values[at], format)}</b>
          </span>
        ))}
        <span class="faint">{at === undefined || timesMs[at] === undefined ? 'latest' : clock(timesMs[at])}</span>
      </div>
      <div ref={box} role="img" aria-label={summary} style={{ height: `${height}px` }} />
    </div>
  );
}

function told(value: number | null | undefined, format: (value: number) => string): string {
  return value == null ? '–' : format(value);
}

function options(
  { lines, format, height = 110 }: ChartProps,
  box: HTMLElement,
  onPoint: (at?: number) => void,
): uPlot.Options {
  const resolved = (name: string) => canvasColours(box, [{ value: `var(--${name})` }])[0] as string;
  const axis = {
    stroke: resolved('faint'),
    grid: { stroke: resolved('line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    width: box.clientWidth,
    height,
    // The last time on the axis needs room to the right of its tick.
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(high ?? 0, 1e-9) * 1.08] } },
    axes: [
      {
        ...axis,
        size: 24,
        space: 70,
        values: (_, ticks) => ticks.map((seconds) => clock(seconds * 1_000).slice(0, 5)),
      },
      { ...axis, size: 58, space: 30, values: (_, ticks) => ticks.map(format) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: resolved(line.colour),
        width: 1.75,
        dash: line.dash === undefined ? undefined : [...line.dash],
        fill: line.fill ? `color-mix(in srgb, ${resolved(line.colour)} 22%, transparent)` : undefined,
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? undefined)] },
  };
}
