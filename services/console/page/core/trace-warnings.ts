import type { Span, SpanWarning } from './api-types.ts';
import { duration } from './format.ts';
import { endOf } from './span-tree.ts';

/** What is odd about a span, and what that does to what is seen. */
export function describeWarning(warning: SpanWarning, span: Span, parent: Span | undefined): string {
  switch (warning) {
    case 'orphan':
      return `Its parent ${span.parentSpanId ?? ''} is not in this trace: lost, not sampled, or yet to arrive. It is shown without one.`;
    case 'cycle':
      return 'Its parents form a ring, which was cut here: two spans share an id, or a tracer is broken.';
    case 'before_parent':
      return `It begins ${parent === undefined ? '' : `${nanos(parent.offsetNs - span.offsetNs)} `}before its parent: the clocks of the two differ by at least that. Bars are drawn as they were reported.`;
    case 'after_parent':
      return `It ends ${parent === undefined ? '' : `${nanos(endOf(span) - endOf(parent))} `}after a parent that waits for it: clocks differ, or the caller had given up. Bars are drawn as they were reported.`;
    case 'negative_duration':
      return 'It ended before it began, by its own clock. It is shown without a length.';
    case 'duplicate_id':
      return 'Another span of this trace has its id, so children may hang under the wrong one.';
  }
}

export const WARNING_NAMES: Readonly<Record<SpanWarning, string>> = {
  orphan: 'orphan',
  cycle: 'ring of parents',
  before_parent: 'clock skew',
  after_parent: 'clock skew',
  negative_duration: 'negative duration',
  duplicate_id: 'id used twice',
};

export const nanos = (value: number) => duration(value / 1_000);
