import type { Span } from './api-types.ts';

/**
 * The tree of a trace's spans, as columns over its rows: parents before children, siblings by start, as the console sends
 * them. Nothing here is recursive: 80 000 spans in one chain are a tree like any other. Times are nanoseconds.
 */
export interface SpanTree {
  readonly spans: readonly Span[];
  /** Row of the parent, or -1. */
  readonly parent: Int32Array;
  /** First row behind the row's whole subtree. */
  readonly end: Int32Array;
  readonly childCount: Int32Array;
  /** Failed spans in the subtree, the row's own included. */
  readonly failedBelow: Int32Array;
  /** From the first start to the last end; never empty. */
  readonly fromNs: number;
  readonly toNs: number;
}

export function spanTree(spans: readonly Span[]): SpanTree {
  const parent = Int32Array.from(spans, (span, row) => (span.parent < row ? span.parent : -1));
  const end = Int32Array.from(parent, (_, row) => row + 1);
  const childCount = new Int32Array(parent.length);
  const failedBelow = Int32Array.from(spans, (span) => (hasFailed(span) ? 1 : 0));
  for (let row = parent.length - 1; row >= 0; row--) {
    const above = parent[row] as number;
    if (above < 0) continue;
    childCount[above] = (childCount[above] as number) + 1;
    failedBelow[above] = (failedBelow[above] as number) + (failedBelow[row] as number);
    end[above] = Math.max(end[above] as number, end[row] as number);
  }
  return { spans, parent, end, childCount, failedBelow, ...extentOf(spans) };
}

export const hasFailed = (span: Span) => span.status === 'error';
export const endOf = (span: Span) => span.offsetNs + span.durationNs;

/** Where the longest of the trees begins: the work that the trace is named after, in a trace of several roots. */
export function mainRoot(tree: SpanTree): number {
  let longest = 0;
  for (let row = 0; row < tree.spans.length; row = tree.end[row] as number) {
    if ((tree.spans[row] as Span).durationNs > (tree.spans[longest] as Span).durationNs) longest = row;
  }
  return longest;
}

function extentOf(spans: readonly Span[]): { fromNs: number; toNs: number } {
  let fromNs = Number.POSITIVE_INFINITY;
  let toNs = Number.NEGATIVE_INFINITY;
  for (const span of spans) {
    fromNs = Math.min(fromNs, span.offsetNs);
    toNs = Math.max(toNs, endOf(span));
  }
  return fromNs <= toNs ? { fromNs, toNs: Math.max(toNs, fromNs + 1) } : { fromNs: 0, toNs: 1 };
}
