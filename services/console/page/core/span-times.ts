import type { SpanTree } from './span-tree.ts';
import type { Span } from './trace.ts';

/** A stretch of the critical path: from `fromUs` to `toUs` the trace waited for the row's span itself. */
export interface PathSegment {
  readonly row: number;
  readonly fromUs: number;
  readonly toUs: number;
}

/**
 * Time of each row that no child of it covers, in microseconds: children may overlap one another and reach out of their
 * parent, and count once and only inside of it.
 */
export function selfTimes(tree: SpanTree): Float64Array {
  const self = new Float64Array(tree.spans.length);
  /** Up to where each row is covered by children seen so far; children come by start. */
  const coveredTo = Float64Array.from(tree.spans, (span) => span.startUs);
  tree.spans.forEach((span, row) => {
    self[row] = (self[row] as number) + span.durationUs;
    const above = tree.parent[row] as number;
    if (above < 0) return;
    const from = Math.max(span.startUs, coveredTo[above] as number);
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
 * Source of the rule: Jaeger's critical path; here a child may end in the very moment in which the next one starts.
 */
export function criticalPath(tree: SpanTree, root = 0): PathSegment[] {
  if (tree.spans.length === 0) return [];
  const segments: PathSegment[] = [];
  const rootSpan = tree.spans[root] as Span;
  const stack = [frameOf(tree, root, rootSpan.startUs, endOf(rootSpan))];
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const child = frame.children[frame.next++];
    const childSpan = child === undefined ? undefined : (tree.spans[child] as Span);
    const childEndUs = childSpan === undefined ? frame.fromUs : Math.min(endOf(childSpan), frame.limitUs);
    if (childSpan !== undefined && (childEndUs > frame.atUs || childEndUs <= frame.fromUs)) continue;
    if (frame.atUs > childEndUs) segments.push({ row: frame.row, fromUs: childEndUs, toUs: frame.atUs });
    if (child === undefined || childSpan === undefined) {
      stack.pop();
      continue;
    }
    frame.atUs = Math.max(childSpan.startUs, frame.fromUs);
    stack.push(frameOf(tree, child, frame.atUs, childEndUs));
  }
  return segments;
}

interface Frame {
  readonly row: number;
  /** The part of the span that counts: within its parent's, before what was chosen already. */
  readonly fromUs: number;
  readonly limitUs: number;
  /** How far back the walk has come. */
  atUs: number;
  /** Those that ended last come first. */
  readonly children: readonly number[];
  next: number;
}

function frameOf(tree: SpanTree, row: number, fromUs: number, limitUs: number): Frame {
  return { row, fromUs, limitUs, atUs: limitUs, children: blockingChildren(tree, row), next: 0 };
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

export const endOf = (span: Span) => span.startUs + span.durationUs;
