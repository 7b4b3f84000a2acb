import type { Span } from '../core/api-types.ts';
import { plural } from '../core/format.ts';
import { endOf, hasFailed } from '../core/span-tree.ts';
import type { TraceModel } from '../core/trace-model.ts';
import { nanos, WARNING_NAMES } from '../core/trace-warnings.ts';
import { inZoom, type Zoom } from '../core/zoom.ts';
import { HealthMark, Icon } from '../ui/icons.tsx';
import { Text } from '../ui/text.tsx';

/** Pixels; styles/trace.css has the same. */
export const ROW_HEIGHT = 26;
/** Deeper rows are not moved further to the right; their depth is told instead. */
const INDENT_MAX = 24;

interface WaterfallRowProps {
  readonly model: TraceModel;
  readonly row: number;
  readonly top: number;
  readonly zoom: Zoom;
  readonly closed: boolean;
  readonly selected: boolean;
  readonly current: boolean;
  readonly found: boolean;
  readonly showPath: boolean;
  readonly onSelect: () => void;
  readonly onToggle: () => void;
}

export function WaterfallRow(props: WaterfallRowProps) {
  const { model, row, top, closed, selected, current, found, showPath, onSelect, onToggle } = props;
  const { tree, self, pathNs, colourOf } = model;
  const span = tree.spans[row] as Span;
  const children = tree.childCount[row] as number;
  const failed = hasFailed(span);
  const hidden = closed ? (tree.end[row] as number) - row - 1 : 0;
  const failedInside = closed && (tree.failedBelow[row] as number) > (failed ? 1 : 0);
  const onPath = showPath && (pathNs[row] as number) > 0;
  const classes = [
    'span-row',
    `s${colourOf.get(span.service) ?? 0}`,
    selected ? 'selected' : '',
    current ? 'current' : '',
    found ? 'found' : '',
    failed ? 'failed' : '',
  ];
  const toggle = (event: Event) => {
    event.stopPropagation();
    onToggle();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys go to the tree, which points at the current row.
    // biome-ignore lint/a11y/useFocusableInteractive: the tree has the focus.
    <div
      id={`row-${row}`}
      class={classes.filter((name) => name !== '').join(' ')}
      role="treeitem"
      aria-level={span.depth + 1}
      aria-expanded={children > 0 ? !closed : undefined}
      aria-selected={selected}
      style={{ transform: `translateY(${top}px)` }}
      onClick={onSelect}
    >
      <span class="span-name" style={{ paddingLeft: `${Math.min(INDENT_MAX, span.depth) * 12 + 4}px` }}>
        {children > 0 ? (
          <button
            type="button"
            class={`caret ${closed ? '' : 'open'}`}
            tabIndex={-1}
            aria-hidden="true"
            onClick={toggle}
          >
            <Icon name="right" size={12} />
          </button>
        ) : (
          <span class="caret none" />
        )}
        {span.depth > INDENT_MAX && <span class="faint depth">{span.depth}</span>}
        <i class="swatch-service" />
        {failed && <HealthMark health="failing" size={12} />}
        {span.warnings.length > 0 && <HealthMark health="degraded" size={12} />}
        <b>
          <Text of={span.service} max={40} />
        </b>
        <Text of={span.operation} max={80} class="span-operation" />
        {hidden > 0 && <span class="tag">{`+${hidden}`}</span>}
        {failedInside && <HealthMark health="failing" size={12} />}
      </span>
      <span class="span-self">
        {nanos(self[row] as number)}
        <span class="hidden"> of its own, {wordsOf(model, row, onPath)}</span>
      </span>
      <Bar {...props} span={span} onPath={onPath} />
    </div>
  );
}

function Bar({ model, row, zoom, span, onPath }: WaterfallRowProps & { span: Span; onPath: boolean }) {
  const { tree, segmentsOf } = model;
  const share = (ns: number) => (ns - tree.fromNs) / (tree.toNs - tree.fromNs);
  const at = inZoom(zoom, share(span.offsetNs), share(endOf(span)));
  if (at === undefined) {
    const isBefore = share(endOf(span)) * 1_000_000 < zoom.from;
    return <span class={`span-bar-box outside ${isBefore ? 'before' : 'after'}`} />;
  }
  const isLate = at.left + at.width > 0.82;
  const isInside = isLate && at.left <= 0.12;
  const label = isInside
    ? { left: `${at.left * 100}%` }
    : isLate
      ? { right: `${(1 - at.left) * 100}%` }
      : { left: `${(at.left + at.width) * 100}%` };
  return (
    <span class="span-bar-box">
      <span class="span-bar" style={{ left: `${at.left * 100}%`, width: `${at.width * 100}%` }} />
      {onPath &&
        segmentsOf.get(row)?.map(({ fromNs, toNs }) => {
          const segment = inZoom(zoom, share(fromNs), share(toNs));
          return segment === undefined ? null : (
            <span
              key={fromNs}
              class="path-bar"
              style={{ left: `${segment.left * 100}%`, width: `${segment.width * 100}%` }}
            />
          );
        })}
      <span class={`span-duration ${isInside ? 'inside' : ''}`} style={label}>
        {nanos(span.durationNs)}
      </span>
    </span>
  );
}

/** What marks and colours say to those who see them. */
function wordsOf({ tree }: TraceModel, row: number, onPath: boolean): string {
  const span = tree.spans[row] as Span;
  return [
    hasFailed(span) ? 'failed' : 'not failed',
    onPath ? 'on the critical path' : '',
    ...span.warnings.map((warning) => WARNING_NAMES[warning]),
    (tree.childCount[row] as number) > 0 ? plural(tree.childCount[row] as number, 'child', 'children') : '',
    'lasting ',
  ]
    .filter((part) => part !== '')
    .join(', ');
}
