import type { Span } from '../core/api-types.ts';
import { plural } from '../core/format.ts';
import { hrefOf } from '../core/routes.ts';
import { hasFailed } from '../core/span-tree.ts';
import type { TraceModel } from '../core/trace-model.ts';
import { nanos } from '../core/trace-warnings.ts';
import { HealthMark } from '../ui/icons.tsx';
import { Text } from '../ui/text.tsx';

interface MiniWaterfallProps {
  readonly model: TraceModel;
  readonly title: string;
  /** What the full width stands for, so that two of them can be compared. */
  readonly longestNs: number;
  readonly originSpanId?: string;
}

const ROWS_MAX = 24;

/** A trace at a glance: its first rows, and every failed one. */
export function MiniWaterfall({ model, title, longestNs, originSpanId = '' }: MiniWaterfallProps) {
  const { tree, trace, colourOf } = model;
  const chosen = tree.spans
    .flatMap((span, row) => (row < ROWS_MAX || hasFailed(span) ? [row] : []))
    .slice(0, ROWS_MAX + 12);
  const rest = tree.spans.length - chosen.length;
  return (
    <section class="mini" aria-label={title}>
      <h3>
        {title}{' '}
        <a class="link" href={hrefOf('trace', { selected: originSpanId }, trace.traceId)}>
          <code>{trace.traceId.slice(0, 8)}</code>
        </a>{' '}
        <span class="faint">
          {nanos(tree.toNs - tree.fromNs)}, {plural(trace.spanCount, 'span')}
          {trace.errorCount > 0 && `, ${plural(trace.errorCount, 'error')}`}
        </span>
      </h3>
      <ol>
        {chosen.map((row) => {
          const span = tree.spans[row] as Span;
          return (
            <li
              key={row}
              class={`s${colourOf.get(span.service) ?? 0} ${span.spanId === originSpanId ? 'origin' : ''} ${hasFailed(span) ? 'failed' : ''}`}
            >
              <span class="mini-name" style={{ paddingLeft: `${Math.min(8, span.depth) * 10}px` }}>
                {hasFailed(span) && <HealthMark health="failing" size={11} />}
                <b>
                  <Text of={span.service} max={30} />
                </b>{' '}
                <Text of={span.operation} max={50} />
                {span.spanId === originSpanId && <span class="tag failed">begins here</span>}
              </span>
              <span class="mini-box">
                <span
                  class="span-bar"
                  style={{
                    left: `${((span.offsetNs - tree.fromNs) / longestNs) * 100}%`,
                    width: `${(span.durationNs / longestNs) * 100}%`,
                  }}
                />
              </span>
              <span class="mini-time">{nanos(span.durationNs)}</span>
            </li>
          );
        })}
      </ol>
      {rest > 0 && <p class="faint">and {plural(rest, 'span')} more</p>}
    </section>
  );
}
