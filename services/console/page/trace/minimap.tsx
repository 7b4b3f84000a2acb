import { useEffect, useRef, useState } from 'preact/hooks';
import type { Span } from '../core/api-types.ts';
import { minimapPixels } from '../core/minimap-pixels.ts';
import { SERVICE_COLOURS, type TraceModel } from '../core/trace-model.ts';
import { WHOLE, type Zoom, zoomOf } from '../core/zoom.ts';
import { canvasColours, colourBytes } from '../ui/colour.ts';
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

function draw(canvas: HTMLCanvasElement, { tree, colourOf, path }: TraceModel, rows: Int32Array): void {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  canvas.height = Math.round(HEIGHT * ratio);
  const { width, height } = canvas;
  const context = canvas.getContext('2d');
  if (context === null) return;
  const services = Array.from({ length: SERVICE_COLOURS }, (_, at) => ({
    value: 'var(--service)',
    className: `s${at}`,
  }));
  const wanted = [{ value: 'transparent' }, ...services, { value: 'var(--failing-solid)' }, { value: 'var(--text)' }];
  const colours = canvasColours(canvas.parentElement ?? canvas, wanted);
  const bytes = colourBytes(colours);
  const pixels = minimapPixels(
    tree,
    rows,
    { width, height, ratio },
    (row) => 1 + (colourOf.get((tree.spans[row] as Span).service) ?? 0),
    SERVICE_COLOURS + 1,
  );
  const image = context.createImageData(width, height);
  const target = new Uint32Array(image.data.buffer);
  const palette = new Uint32Array(bytes.buffer, bytes.byteOffset, colours.length);
  for (let at = 0; at < pixels.length; at++) target[at] = palette[pixels[at] as number] as number;
  context.putImageData(image, 0, 0);
  context.fillStyle = colours.at(-1) as string;
  const x = (ns: number) => ((ns - tree.fromNs) / (tree.toNs - tree.fromNs)) * width;
  for (const { fromNs, toNs } of path) context.fillRect(x(fromNs), height - 2 * ratio, x(toNs) - x(fromNs), 2 * ratio);
}
