import type { Span } from './trace.ts';

/**
 * The tree of a trace's spans, as columns. Rows are the spans' places in the waterfall: parents before children, siblings
 * by start. Nothing here is recursive: 80 000 spans in one chain are a tree like any other.
 */
export interface SpanTree {
  readonly spans: readonly Span[];
  /** Row of the parent, or -1. */
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  /** First row behind the row's whole subtree. */
  readonly end: Int32Array;
  /** A parent is named that is not in the trace, or that would close a circle. */
  readonly orphan: Uint8Array;
  readonly childCount: Int32Array;
  /** Failed spans in the subtree, the row's own included. */
  readonly failedBelow: Int32Array;
  /** From the first start to the last end, in microseconds, at least 1. */
  readonly fromUs: number;
  readonly toUs: number;
}

export function buildSpanTree(unsorted: readonly Span[]): SpanTree {
  const { parents, orphans } = parentsOf(unsorted);
  const { firstChild, nextSibling, roots } = childLists(unsorted, parents);
  const count = unsorted.length;
  const order = new Int32Array(count);
  const depth = new Int32Array(count);
  const rowOf = new Int32Array(count).fill(-1);
  let row = 0;
  for (const root of roots) {
    for (let at = root; at >= 0; ) {
      order[row] = at;
      rowOf[at] = row;
      const above = rowOf[parents[at] as number] ?? -1;
      depth[row] = at === root ? 0 : (depth[above] as number) + 1;
      row++;
      at = nextInWalk(at, root, firstChild, nextSibling, parents);
    }
  }
  const spans = Array.from(order, (at) => unsorted[at] as Span);
  const parent = Int32Array.from(order, (at) => ((parents[at] as number) < 0 ? -1 : (rowOf[parents[at] as number] as number)));
  const orphan = Uint8Array.from(order, (at) => orphans[at] as number);
  return { spans, parent, depth, orphan, ...subtreeSums(spans, parent), ...extentOf(spans) };
}

/** Parent of each span in the order given; circles are cut above their earliest span. */
function parentsOf(spans: readonly Span[]): { parents: Int32Array; orphans: Uint8Array } {
  const byId = new Map<string, number[]>();
  spans.forEach((span, at) => {
    const same = byId.get(span.spanId);
    if (same === undefined) byId.set(span.spanId, [at]);
    else same.push(at);
  });
  const parents = new Int32Array(spans.length).fill(-1);
  const orphans = new Uint8Array(spans.length);
  spans.forEach((span, at) => {
    const caller = callerWithSharedId(spans, byId.get(span.spanId) ?? [], at);
    if (caller >= 0) {
      parents[at] = caller;
      return;
    }
    if (span.parentSpanId === '' || span.parentSpanId === span.spanId) return;
    const parent = nearestParent(spans, byId.get(span.parentSpanId) ?? [], span);
    parents[at] = parent;
    orphans[at] = parent < 0 ? 1 : 0;
  });
  cutCircles(spans, parents, orphans);
  return { parents, orphans };
}

/** Zipkin gives both sides of a call one id: the serving side is the child of the calling side. */
function callerWithSharedId(spans: readonly Span[], same: readonly number[], at: number): number {
  if (same.length < 2 || spans[at]?.kind !== 'server') return -1;
  return same.find((other) => other !== at && spans[other]?.kind === 'client') ?? -1;
}

/** Of several spans with the parent's id, the one of the child's own service, else the calling half. */
function nearestParent(spans: readonly Span[], candidates: readonly number[], child: Span): number {
  if (candidates.length < 2) return candidates[0] ?? -1;
  const own = candidates.findLast((at) => spans[at]?.service === child.service);
  return own ?? candidates.find((at) => spans[at]?.kind === 'client') ?? (candidates[0] as number);
}

function cutCircles(spans: readonly Span[], parents: Int32Array, orphans: Uint8Array): void {
  const checked = new Uint8Array(parents.length);
  for (let from = 0; from < parents.length; from++) {
    let at = from;
    for (; at >= 0 && checked[at] === 0; at = parents[at] as number) checked[at] = 2;
    if (at >= 0 && checked[at] === 2) {
      let earliest = at;
      for (let on = parents[at] as number; on !== at; on = parents[on] as number) {
        if ((spans[on] as Span).startUs < (spans[earliest] as Span).startUs) earliest = on;
      }
      parents[earliest] = -1;
      orphans[earliest] = 1;
    }
    for (let on = from; on >= 0 && checked[on] === 2; on = parents[on] as number) checked[on] = 1;
  }
}

function childLists(spans: readonly Span[], parents: Int32Array) {
  const byStart = Int32Array.from(spans.keys()).sort(
    (a, b) => (spans[b] as Span).startUs - (spans[a] as Span).startUs || b - a,
  );
  const firstChild = new Int32Array(spans.length).fill(-1);
  const nextSibling = new Int32Array(spans.length).fill(-1);
  const roots: number[] = [];
  // Latest first, each put before those that are there: lists by start.
  for (const at of byStart) {
    const parent = parents[at] as number;
    if (parent < 0) roots.push(at);
    else {
      nextSibling[at] = firstChild[parent] as number;
      firstChild[parent] = at;
    }
  }
  return { firstChild, nextSibling, roots: roots.reverse() };
}

function nextInWalk(at: number, root: number, first: Int32Array, next: Int32Array, parents: Int32Array): number {
  if ((first[at] as number) >= 0) return first[at] as number;
  for (let on = at; on !== root; on = parents[on] as number) {
    if ((next[on] as number) >= 0) return next[on] as number;
  }
  return -1;
}

function subtreeSums(spans: readonly Span[], parent: Int32Array) {
  const end = Int32Array.from(parent, (_, row) => row + 1);
  const childCount = new Int32Array(parent.length);
  const failedBelow = Int32Array.from(spans, (span) => (span.failed ? 1 : 0));
  for (let row = parent.length - 1; row >= 0; row--) {
    const above = parent[row] as number;
    if (above < 0) continue;
    childCount[above] = (childCount[above] as number) + 1;
    failedBelow[above] = (failedBelow[above] as number) + (failedBelow[row] as number);
    end[above] = Math.max(end[above] as number, end[row] as number);
  }
  return { end, childCount, failedBelow };
}

function extentOf(spans: readonly Span[]): { fromUs: number; toUs: number } {
  let fromUs = Number.POSITIVE_INFINITY;
  let toUs = Number.NEGATIVE_INFINITY;
  for (const span of spans) {
    fromUs = Math.min(fromUs, span.startUs);
    toUs = Math.max(toUs, span.startUs + span.durationUs);
  }
  return fromUs <= toUs ? { fromUs, toUs: Math.max(toUs, fromUs + 1) } : { fromUs: 0, toUs: 1 };
}
