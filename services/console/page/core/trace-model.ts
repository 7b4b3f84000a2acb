import type { Span, Trace } from './api-types.ts';
import { criticalPath, type PathSegment, pathTimes, selfTimes } from './span-times.ts';
import { type SpanTree, spanTree } from './span-tree.ts';

/** A trace with all that is worked out once and looked at often. Times are nanoseconds. */
export interface TraceModel {
  readonly trace: Trace;
  readonly tree: SpanTree;
  readonly self: Float64Array;
  readonly path: readonly PathSegment[];
  readonly pathNs: Float64Array;
  /** Of the row's first segment in `path` and those that follow: the path by row. */
  readonly segmentsOf: ReadonlyMap<number, readonly PathSegment[]>;
  /** Place of a service among all by number of spans: its colour. */
  readonly colourOf: ReadonlyMap<string, number>;
}

/** As many colours as can be told apart; further services share them, and their names stand beside. */
export const SERVICE_COLOURS = 10;

export function traceModel(trace: Trace): TraceModel {
  const tree = spanTree(trace.spans);
  const path = criticalPath(tree);
  return {
    trace,
    tree,
    self: selfTimes(tree),
    path,
    pathNs: pathTimes(tree, path),
    segmentsOf: Map.groupBy(path, ({ row }) => row),
    colourOf: new Map(trace.services.map(({ name }, place) => [name, place % SERVICE_COLOURS])),
  };
}

/** Rows of the spans that have all the words in their names, ids or, where they are at hand, attributes. */
export function findRows(spans: readonly Span[], typed: string): number[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const found: number[] = [];
  spans.forEach((span, row) => {
    if (words.every((word) => has(span, word))) found.push(row);
  });
  return found;
}

function has(span: Span, word: string): boolean {
  return (
    span.operation.toLowerCase().includes(word) ||
    span.service.toLowerCase().includes(word) ||
    span.spanId.startsWith(word) ||
    span.statusMessage.toLowerCase().includes(word) ||
    (span.detail?.attributes.some(({ key, value }) =>
      `${key}=${value.slice(0, SEARCHED_MAX)}`.toLowerCase().includes(word),
    ) ??
      false)
  );
}

/** Characters of a value that are searched; a value of a megabyte would slow down every key that is pressed. */
const SEARCHED_MAX = 1_000;
