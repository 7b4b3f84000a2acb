import type { Span } from './api-types.ts';
import { endOf, mainRoot, type SpanTree } from './span-tree.ts';

/** A stretch of the critical path: from `fromNs` to `toNs` the trace waited for the row's span itself. */
export interface PathSegment {
  readonly row: number;
  readonly fromNs: number;
  readonly toNs: number;
}

/**
 * Time of each row that no child of it covers, in nanoseconds: children may overlap one another and reach out of their
 * parent, and count once and only inside of it.
 */
export function selfTimes(tree: SpanTree): Float64Array {
  const self = Float64Array.from(tree.spans, (span) => span.durationNs);
  /** Up to where each row is covered by the children seen so far; children come by start. */
  const coveredTo = Float64Array.from(tree.spans, (span) => span.offsetNs);
  tree.spans.forEach((span, row) => {
    const above = tree.parent[row] as number;
    if (above < 0) return;
    const from = Math.max(span.offsetNs, coveredTo[above] as number);
    const to = Math.min(endOf(span), endOf(tree.spans[above] as Span));
    if (to <= from) return;
    self[above] = (self[above] as number) - (to - from);
    coveredTo[above] = to;
  });
  return self;
}

/**
 * The stretches that made the trace last as long as it did, latest first: from the root's end backwards to the child that
 * finished last before it, into that child, and back to the parent where the child began. A call into a queue does not
 * block its sender, so the walk does not go from a producer to its consumer. O(n log n), without recursion.
 * Source of the rule: Jaeger's critical path; here a child may also end in the very moment in which the next one starts.
 */
export function criticalPath(tree: SpanTree, root = mainRoot(tree)): PathSegment[] {
  const rootSpan = tree.spans[root];
  if (rootSpan === undefined) return [];
  const segments: PathSegment[] = [];
  const stack = [frameOf(tree, root, rootSpan.offsetNs, endOf(rootSpan))];
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const child = frame.children[frame.next++];
    if (child === undefined) {
      if (frame.atNs > frame.fromNs) segments.push({ row: frame.row, fromNs: frame.fromNs, toNs: frame.atNs });
      stack.pop();
      continue;
    }
    const span = tree.spans[child] as Span;
    const childEndNs = Math.min(endOf(span), frame.limitNs);
    const isOutside = childEndNs <= frame.fromNs || span.offsetNs > childEndNs;
    if (isOutside || childEndNs > frame.atNs) continue;
    if (frame.atNs > childEndNs) segments.push({ row: frame.row, fromNs: childEndNs, toNs: frame.atNs });
    frame.atNs = Math.max(span.offsetNs, frame.fromNs);
    stack.push(frameOf(tree, child, frame.atNs, childEndNs));
  }
  return segments;
}

/** Nanoseconds that each row is on the path by itself. */
export function pathTimes(tree: SpanTree, segments: readonly PathSegment[]): Float64Array {
  const times = new Float64Array(tree.spans.length);
  for (const { row, fromNs, toNs } of segments) times[row] = (times[row] as number) + toNs - fromNs;
  return times;
}

interface Frame {
  readonly row: number;
  /** The part of the span that counts: inside its parent's, before what was chosen already. */
  readonly fromNs: number;
  readonly limitNs: number;
  /** How far back the walk has come. */
  atNs: number;
  /** Those that ended last come first. */
  readonly children: readonly number[];
  next: number;
}

function frameOf(tree: SpanTree, row: number, fromNs: number, limitNs: number): Frame {
  return { row, fromNs, limitNs, atNs: limitNs, children: blockingChildren(tree, row), next: 0 };
}

function blockingChildren(tree: SpanTree, row: number): number[] {
  const found: number[] = [];
  const isProducer = tree.spans[row]?.kind === 'producer';
  for (let child = row + 1; child < (tree.end[row] as number); child = tree.end[child] as number) {
    if (isProducer && tree.spans[child]?.kind === 'consumer') continue;
    found.push(child);
  }
  return found.sort((a, b) => endOf(tree.spans[b] as Span) - endOf(tree.spans[a] as Span) || b - a);
}
