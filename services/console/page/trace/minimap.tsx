import { useEffect, useRef, useState } from 'preact/hooks';
import type { Span } from '../core/api-types.ts';
import { hasFailed } from '../core/span-tree.ts';
import { SERVICE_COLOURS, type TraceModel } from '../core/trace-model.ts';
import { WHOLE, type Zoom, zoomOf } from '../core/zoom.ts';
import { canvasColour } from '../ui/colour.ts';
import { THEME_CHANGED } from '../ui/theme.ts';
import { ROW_HEIGHT } from './waterfall-row.tsx';

interface MinimapProps {
  readonly model: TraceModel;
  readonly rows: Int32Array;
  readonly zoom: Zoom;
  readonly scroll: { readonly top: number; readonly height: number };
  readonly onZoom: (zoom: Zoom) => void;
}

const HEIGHT = 60;

/** The whole trace, small: what is dragged over is what the rows below show. Keys do the same: + − 0. */
export function Minimap({ model, rows, zoom, scroll, onZoom }: MinimapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | undefined>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    const redraw = () => setRound((old) => old + 1);
    const watcher = new ResizeObserver(redraw);
    if (canvas.current !== null) watcher.observe(canvas.current);
    addEventListener(THEME_CHANGED, redraw);
    return () => {
      watcher.disconnect();
      removeEventListener(THEME_CHANGED, redraw);
    };
  }, []);
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, model, rows);
  }, [model, rows, round]);
  const shareAt = (event: PointerEvent) => {
    const bounds = canvas.current?.getBoundingClientRect();
    return bounds === undefined ? 0 : ((event.clientX - bounds.left) / bounds.width) * WHOLE;
  };
  const finish = () => {
    if (drag !== undefined && Math.abs(drag.to - drag.from) > WHOLE / 200) onZoom(zoomOf(drag.from, drag.to));
    setDrag(undefined);
  };
  const seen = drag === undefined ? zoom : zoomOf(drag.from, drag.to);
  const total = Math.max(1, rows.length * ROW_HEIGHT);
  return (
    <div class="minimap" aria-hidden="true">
      <canvas
        ref={canvas}
        height={HEIGHT}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ from: shareAt(event), to: shareAt(event) });
        }}
        onPointerMove={(event) => drag !== undefined && setDrag({ from: drag.from, to: shareAt(event) })}
        onPointerUp={finish}
        onDblClick={() => onZoom({ from: 0, to: WHOLE })}
      />
      <span class="shade" style={{ left: 0, width: `${(seen.from / WHOLE) * 100}%` }} />
      <span class="shade" style={{ right: 0, width: `${(1 - seen.to / WHOLE) * 100}%` }} />
      <span
        class="seen"
        style={{ top: `${(scroll.top / total) * 100}%`, height: `${Math.min(100, (scroll.height / total) * 100)}%` }}
      />
    </div>
  );
}

/** One line a span, lines of a pixel at least; of spans that share a line failed ones are drawn last. */
function draw(canvas: HTMLCanvasElement, { tree, colourOf, path }: TraceModel, rows: Int32Array): void {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  canvas.height = Math.round(HEIGHT * ratio);
  const context = canvas.getContext('2d');
  if (context === null) return;
  const box = canvas.parentElement ?? canvas;
  const colours = Array.from({ length: SERVICE_COLOURS }, (_, at) => canvasColour(box, 'var(--service)', `s${at}`));
  const failing = canvasColour(box, 'var(--failing-solid)');
  const x = (ns: number) => ((ns - tree.fromNs) / (tree.toNs - tree.fromNs)) * canvas.width;
  const rowHeight = canvas.height / Math.max(1, rows.length);
  const line = (span: Span, place: number, colour: string) => {
    context.fillStyle = colour;
    context.fillRect(
      x(span.offsetNs),
      place * rowHeight,
      Math.max(ratio, x(span.offsetNs + span.durationNs) - x(span.offsetNs)),
      Math.max(1, Math.min(5 * ratio, rowHeight * 0.7)),
    );
  };
  rows.forEach((row, place) => {
    const span = tree.spans[row] as Span;
    line(span, place, colours[colourOf.get(span.service) ?? 0] as string);
  });
  rows.forEach((row, place) => {
    const span = tree.spans[row] as Span;
    if (hasFailed(span)) line(span, place, failing);
  });
  context.fillStyle = canvasColour(box, 'var(--text)');
  for (const { fromNs, toNs } of path)
    context.fillRect(x(fromNs), canvas.height - 2 * ratio, x(toNs) - x(fromNs), 2 * ratio);
}
