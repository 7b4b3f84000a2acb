import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { GraphView } from '../core/graph-view.ts';
import { type Direction, walk } from '../core/graph-walk.ts';
import type { Layout, Place, Places } from '../core/layout.ts';
import { fitAll, parseView, printView, reveal, type Size, type Viewport, zoomAt } from '../core/viewport.ts';
import { Icon, type IconName } from '../ui/icons.tsx';
import { isTyping } from '../ui/keys.ts';
import type { Shown } from './figures.ts';
import { Links } from './links.tsx';
import { NodeCard } from './node-card.tsx';

export interface Selection {
  readonly service: string;
  readonly client: string;
  readonly server: string;
}

interface PictureProps {
  readonly view: GraphView;
  readonly layout: Layout;
  readonly shown: Shown;
  readonly selection: Selection;
  /** Services that stand out; the others step back. Empty: all alike. */
  readonly marked: ReadonlySet<string>;
  /** As the URL has it; empty: all of it. */
  readonly seen: string;
  readonly onSeen?: (seen: string) => void;
  readonly onService: (name: string) => void;
  readonly onLink: (client: string, server: string) => void;
  readonly onFocus?: (name: string) => void;
  readonly onTidy?: () => void;
}

export function Picture(props: PictureProps) {
  const { view, layout, shown, selection, marked, seen, onSeen } = props;
  const { places } = layout;
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const placed = useMemo(() => view.nodes.filter(({ name }) => places.has(name)), [view, places]);
  const all = useMemo(
    () =>
      fitAll(
        placed.map(({ name }) => places.get(name) as Place),
        size,
      ),
    [placed, places, size],
  );
  const [moved, setMoved] = useState<Viewport | undefined>(() => parseView(seen));
  useEffect(() => setMoved(parseView(seen)), [seen]);
  const port = moved ?? all;
  const move = (next: Viewport | undefined) => {
    setMoved(next);
    onSeen?.(next === undefined ? '' : printView(next));
  };
  const [current, setCurrent] = useState('');
  const first = placed.find(({ name }) => name === (selection.service || current)) ?? placed[0];
  const enter = (name: string) => {
    setCurrent(name);
    const place = places.get(name);
    const next = place === undefined ? port : reveal(port, place, size);
    if (next.x !== port.x || next.y !== port.y) setMoved(next);
    box.current?.querySelector<HTMLElement>(`[data-name="${CSS.escape(name)}"]`)?.focus({ preventScroll: true });
  };
  const onKey = (event: KeyboardEvent) => {
    if (isTyping(event) || first === undefined) return;
    const direction = ARROWS[event.key];
    const from = (document.activeElement as HTMLElement | null)?.dataset['name'] ?? first.name;
    if (direction !== undefined) enter(walk(onlyPlaced(places, placed), view.links, from, direction));
    else if (event.key === '0') move(undefined);
    else if (event.key === '+' || event.key === '=') move(zoomAt(port, 1.25, middle(size)));
    else if (event.key === '-') move(zoomAt(port, 0.8, middle(size)));
    else if (event.key === 'f') props.onFocus?.(from);
    else return;
    event.preventDefault();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys belong to the buttons inside.
    <div class="picture" ref={box} onKeyDown={onKey} {...usePointer(box, port, move)}>
      <div class="scene" style={{ transform: `translate(${port.x}px, ${port.y}px) scale(${port.scale})` }}>
        <Links
          links={view.links}
          layout={layout}
          shown={shown}
          selection={selection}
          marked={marked}
          scale={port.scale}
          onLink={props.onLink}
        />
        <ul class="nodes" aria-label="Services">
          {placed.map((node) => (
            <NodeCard
              key={node.name}
              node={node}
              place={places.get(node.name) as Place}
              shown={shown}
              selected={selection.service === node.name}
              faded={marked.size > 0 && !marked.has(node.name)}
              reachable={node === first}
              onOpen={() => props.onService(node.name)}
              onEnter={() => setCurrent(node.name)}
            />
          ))}
        </ul>
      </div>
      <div class="picture-tools">
        <Tool icon="plus" words="Larger (+)" onClick={() => move(zoomAt(port, 1.25, middle(size)))} />
        <Tool icon="minus" words="Smaller (−)" onClick={() => move(zoomAt(port, 0.8, middle(size)))} />
        <Tool icon="fit" words="Show all (0)" onClick={() => move(undefined)} />
        {props.onTidy !== undefined && <Tool icon="tidy" words="Lay out anew" onClick={props.onTidy} />}
      </div>
    </div>
  );
}

const ARROWS: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};

function Tool({ icon, words, onClick }: { icon: IconName; words: string; onClick: () => void }) {
  return (
    <button type="button" class="icon-button" aria-label={words} title={words} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

/** Drags and the wheel. A wheel over the picture belongs to it, so the listener must not be passive. */
function usePointer(box: { current: HTMLDivElement | null }, port: Viewport, move: (next: Viewport) => void) {
  const latest = useRef({ port, move });
  latest.current = { port, move };
  const start = useRef<{ x: number; y: number; port: Viewport } | undefined>(undefined);
  useEffect(() => {
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const bounds = box.current?.getBoundingClientRect();
      if (bounds === undefined) return;
      const point = { x: event.clientX - bounds.left, y: event.clientY - bounds.top };
      latest.current.move(zoomAt(latest.current.port, Math.exp(-event.deltaY / 500), point));
    };
    const element = box.current;
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  }, []);
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0 || (event.target as Element).closest('button, .link-line') !== null) return;
      start.current = { x: event.clientX, y: event.clientY, port };
      box.current?.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      const from = start.current;
      if (from === undefined) return;
      move({ ...from.port, x: from.port.x + event.clientX - from.x, y: from.port.y + event.clientY - from.y });
    },
    onPointerUp: () => {
      start.current = undefined;
    },
  };
}

function useSize(box: { current: HTMLDivElement | null }): Size {
  const [size, setSize] = useState<Size>({ width: 1_000, height: 600 });
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const watcher = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  return size;
}

const middle = ({ width, height }: Size): Place => ({ x: width / 2, y: height / 2 });

function onlyPlaced(places: Places, nodes: readonly { readonly name: string }[]): Places {
  return new Map(nodes.map(({ name }) => [name, places.get(name) as Place]));
}
