import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Span } from '../core/api-types.ts';
import { plural } from '../core/format.ts';
import { endOf, hasFailed } from '../core/span-tree.ts';
import { findRows } from '../core/trace-model.ts';
import { nanos } from '../core/trace-warnings.ts';
import { nextRow, placeOf, revealRow, rowWindow, visibleRows } from '../core/waterfall-rows.ts';
import { ALL, WHOLE, type Zoom, zoomOf, zoomOn, zoomOut } from '../core/zoom.ts';
import { Toggle, useTyped } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import { isTyping } from '../ui/keys.ts';
import { Minimap } from './minimap.tsx';
import { SpanPanel } from './span-panel.tsx';
import { idOf } from './trace-head.tsx';
import type { TraceViewProps } from './trace-page.tsx';
import { ROW_HEIGHT, WaterfallRow } from './waterfall-row.tsx';

/** Rows that are closed stand in the URL by number, in base 36. */
const printRows = (rows: ReadonlySet<number>) => [...rows].map((row) => row.toString(36));

export function Waterfall({ model, state, onChange }: TraceViewProps) {
  const { tree, pathNs } = model;
  const list = useRef<HTMLDivElement>(null);
  const closed = useMemo(() => new Set(state.closed.map((row) => Number.parseInt(row, 36))), [state.closed]);
  const rows = useMemo(() => visibleRows(tree, closed), [tree, closed]);
  const selected = useMemo(
    () => tree.spans.findIndex(({ spanId }) => spanId === state.selected),
    [tree, state.selected],
  );
  const [current, setCurrent] = useState(Math.max(0, selected));
  const [scroll, setScroll] = useState({ top: 0, height: 600 });
  const zoom = zoomOf(state.from, state.to);
  const found = useMemo(() => findRows(tree.spans, state.find), [tree, state.find]);
  const foundSet = useMemo(() => new Set(found), [found]);

  const setClosed = (next: ReadonlySet<number>) => onChange({ closed: printRows(next) });
  const goTo = (row: number, open = state.selected !== '') => {
    if (row < 0) return;
    setCurrent(row);
    const opened = revealRow(tree, closed, row);
    if (opened !== closed || open)
      onChange({ closed: printRows(opened), ...(open ? { selected: idOf(model, row) } : {}) });
  };
  const toggle = (row: number) => {
    const next = new Set(closed);
    if (!next.delete(row)) next.add(row);
    setClosed(next);
  };
  // Whoever chose it (a key, a link, the jump to the first error): it is seen.
  useEffect(() => {
    if (selected < 0) return;
    setCurrent(selected);
    const opened = revealRow(tree, closed, selected);
    if (opened !== closed) setClosed(opened);
  }, [selected]);
  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const watcher = new ResizeObserver(() => {
      setScroll({ top: element.scrollTop, height: element.clientHeight });
      // The ruler and the small picture end where the rows do: before their scroll bar.
      element.parentElement?.style.setProperty('--gutter', `${element.offsetWidth - element.clientWidth}px`);
    });
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  const place = placeOf(rows, current);
  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const top = place * ROW_HEIGHT;
    const isSeen = top >= element.scrollTop && top + ROW_HEIGHT <= element.scrollTop + element.clientHeight;
    if (!isSeen) element.scrollTop = Math.max(0, top - element.clientHeight / 2);
  }, [place, current]);

  const zoomTo = (next: Zoom) => onChange({ from: next.from, to: next.to });
  const stretch = (span: Span): Zoom => {
    const share = (ns: number) => ((ns - tree.fromNs) / (tree.toNs - tree.fromNs)) * WHOLE;
    return zoomOn(share(span.offsetNs), share(endOf(span)));
  };
  const onKey = (event: KeyboardEvent) => {
    if (isTyping(event)) return;
    const step = (satisfies: (row: number) => boolean, by: 1 | -1) =>
      goTo(nextRow(tree.spans.length, current, by, satisfies));
    const failed = (row: number) => hasFailed(tree.spans[row] as Span);
    const onPath = (row: number) => (pathNs[row] as number) > 0;
    const isClosed = closed.has(current);
    const hasChildren = (tree.childCount[current] as number) > 0;
    const keys: Record<string, () => void> = {
      ArrowDown: () => goTo(rows[Math.min(rows.length - 1, place + 1)] as number),
      ArrowUp: () => goTo(rows[Math.max(0, place - 1)] as number),
      PageDown: () => goTo(rows[Math.min(rows.length - 1, place + 20)] as number),
      PageUp: () => goTo(rows[Math.max(0, place - 20)] as number),
      Home: () => goTo(rows[0] as number),
      End: () => goTo(rows.at(-1) as number),
      ArrowLeft: () => (hasChildren && !isClosed ? toggle(current) : goTo(tree.parent[current] as number)),
      ArrowRight: () =>
        hasChildren && isClosed ? toggle(current) : goTo(rows[Math.min(rows.length - 1, place + 1)] as number),
      Enter: () => onChange({ selected: idOf(model, current) }),
      ' ': () => (hasChildren ? toggle(current) : undefined),
      Escape: () => onChange({ selected: '' }),
      e: () => step(failed, 1),
      E: () => step(failed, -1),
      p: () => step(onPath, 1),
      P: () => step(onPath, -1),
      n: () => step((row) => foundSet.has(row), 1),
      N: () => step((row) => foundSet.has(row), -1),
      '+': () => zoomTo(stretch(tree.spans[current] as Span)),
      '=': () => zoomTo(stretch(tree.spans[current] as Span)),
      '-': () => zoomTo(zoomOut(zoom)),
      '0': () => zoomTo(ALL),
    };
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  const { first, last } = rowWindow(scroll.top, scroll.height, ROW_HEIGHT, rows.length);
  const drawn = Array.from(rows.subarray(first, last));
  return (
    <div class={`waterfall-body ${selected >= 0 ? 'with-panel' : ''}`}>
      <div class="waterfall">
        <Tools
          {...{ model, state, onChange }}
          found={found}
          current={current}
          zoom={zoom}
          onZoom={zoomTo}
          onRow={goTo}
          onClosed={setClosed}
        />
        <Minimap model={model} rows={rows} zoom={zoom} scroll={scroll} onZoom={zoomTo} />
        <Ruler zoom={zoom} wholeNs={tree.toNs - tree.fromNs} />
        <div
          ref={list}
          class="rows"
          role="tree"
          aria-label={`${plural(tree.spans.length, 'span')} by who called whom`}
          tabIndex={0}
          aria-activedescendant={place >= first && place < last ? `row-${current}` : undefined}
          onKeyDown={onKey}
          onScroll={(event) =>
            setScroll({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })
          }
        >
          <div class="rows-all" role="none" style={{ height: `${rows.length * ROW_HEIGHT}px` }}>
            {drawn.map((row, at) => (
              <WaterfallRow
                key={row}
                model={model}
                row={row}
                top={(first + at) * ROW_HEIGHT}
                zoom={zoom}
                closed={closed.has(row)}
                selected={row === selected}
                current={row === current}
                found={foundSet.has(row)}
                showPath={state.path === 'shown'}
                onSelect={() => goTo(row, true)}
                onToggle={() => toggle(row)}
              />
            ))}
          </div>
        </div>
      </div>
      {selected >= 0 && (
        <SpanPanel
          model={model}
          row={selected}
          onClose={() => onChange({ selected: '' })}
          onRow={(row) => goTo(row, true)}
        />
      )}
    </div>
  );
}

interface ToolsProps extends TraceViewProps {
  readonly found: readonly number[];
  readonly current: number;
  readonly zoom: Zoom;
  readonly onZoom: (zoom: Zoom) => void;
  readonly onRow: (row: number) => void;
  readonly onClosed: (closed: ReadonlySet<number>) => void;
}

function Tools({ model, state, onChange, found, current, zoom, onZoom, onRow, onClosed }: ToolsProps) {
  const [typed, setTyped] = useTyped(state.find, (find) => onChange({ find }));
  const at = found.indexOf(current);
  const next = (event: Event) => {
    event.preventDefault();
    if (found.length > 0) onRow(found[(at + 1) % found.length] as number);
  };
  const closeAll = () => {
    const inner = model.tree.spans.flatMap((_, row) =>
      (model.tree.childCount[row] as number) > 0 && (model.tree.parent[row] as number) >= 0 ? [row] : [],
    );
    onClosed(new Set(inner.slice(0, 2_000)));
  };
  return (
    <div class="toolbar slim" role="group" aria-label="Waterfall">
      <form class="field-icon" role="search" aria-label="Spans" onSubmit={next}>
        <Icon name="search" />
        <input
          type="search"
          aria-label="Find spans"
          placeholder="Find spans by name, id, attribute"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </form>
      {state.find !== '' && (
        <span class="faint" role="status">
          {found.length === 0
            ? 'none'
            : `${at < 0 ? '' : `${at + 1} of `}${plural(found.length, 'span')}; Enter for the next`}
        </span>
      )}
      <Toggle on={state.path === 'shown'} onChange={(on) => onChange({ path: on ? 'shown' : 'hidden' })}>
        Critical path
      </Toggle>
      <span class="gap" />
      {(zoom.from > 0 || zoom.to < WHOLE) && (
        <button type="button" class="button" onClick={() => onZoom(ALL)}>
          <Icon name="fit" /> Whole trace
        </button>
      )}
      <button type="button" class="button" onClick={closeAll}>
        Close all
      </button>
      <button type="button" class="button" onClick={() => onClosed(new Set())}>
        Open all
      </button>
    </div>
  );
}

function Ruler({ zoom, wholeNs }: { zoom: Zoom; wholeNs: number }) {
  const at = (share: number) => nanos(((zoom.from + (zoom.to - zoom.from) * share) / WHOLE) * wholeNs);
  return (
    <div class="ruler" aria-hidden="true">
      <span class="ruler-name">service and operation</span>
      <span class="ruler-self">self</span>
      <span class="ruler-times">
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <span key={share} style={{ left: `${share * 100}%` }}>
            {at(share)}
          </span>
        ))}
      </span>
    </div>
  );
}
