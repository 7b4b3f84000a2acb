import { endOf } from './span-times.ts';
import type { SpanTree } from './span-tree.ts';
import type { Span } from './trace.ts';

export type WarningKind = 'orphan' | 'early' | 'outside' | 'no root' | 'several roots';

export interface TraceWarning {
  readonly kind: WarningKind;
  /** The row that it is about; -1: the whole trace. */
  readonly row: number;
  /** Microseconds that clocks disagree by, at least; 0 where that is not what it is about. */
  readonly skewUs: number;
}

/** Below this, clocks of machines that are kept in step differ anyway. */
export const SKEW_NOTICED_US = 1_000;

/** What makes a trace lie, or less than whole: missing parents, and children that no clock could have started so early. */
export function traceWarnings(tree: SpanTree): TraceWarning[] {
  const warnings: TraceWarning[] = [];
  let roots = 0;
  tree.spans.forEach((span, row) => {
    const parent = tree.parent[row] as number;
    if (parent < 0 && tree.orphan[row] === 0) roots++;
    if (tree.orphan[row] === 1) warnings.push({ kind: 'orphan', row, skewUs: 0 });
    const skew = parent < 0 ? undefined : skewOf(tree.spans[parent] as Span, span);
    if (skew !== undefined) warnings.push({ ...skew, row });
  });
  if (roots === 0 && tree.spans.length > 0) warnings.unshift({ kind: 'no root', row: -1, skewUs: 0 });
  if (roots > 1) warnings.unshift({ kind: 'several roots', row: -1, skewUs: 0 });
  return warnings;
}

/** A child may well end after its parent; it cannot begin before it, and what it is waited for cannot begin after its end. */
function skewOf(parent: Span, child: Span): Pick<TraceWarning, 'kind' | 'skewUs'> | undefined {
  const earlyUs = parent.startUs - child.startUs;
  if (earlyUs >= SKEW_NOTICED_US) return { kind: 'early', skewUs: earlyUs };
  const lateUs = child.startUs - endOf(parent);
  const isWaitedFor = parent.kind === 'client' && child.kind === 'server';
  if (isWaitedFor && lateUs >= SKEW_NOTICED_US) return { kind: 'outside', skewUs: lateUs };
  return undefined;
}

/** A sentence that says what is odd, and what it does to what is seen. */
export function describeWarning(warning: TraceWarning, durationOf: (us: number) => string): string {
  switch (warning.kind) {
    case 'orphan':
      return 'Its parent span is not in this trace: it was lost, is not sampled, or has yet to arrive. It is shown without one.';
    case 'early':
      return `It begins ${durationOf(warning.skewUs)} before its parent: the clocks of the two machines differ by at least that. Bars are drawn as they were reported.`;
    case 'outside':
      return `It begins ${durationOf(warning.skewUs)} after the call that it answers has ended: the clocks of the two machines differ by at least that, or the caller had given up. Bars are drawn as they were reported.`;
    case 'no root':
      return 'The span that began this trace is missing, so its start and duration are those of what is known.';
    case 'several roots':
      return 'More than one span has no parent: several pieces of work share this trace id.';
  }
}
