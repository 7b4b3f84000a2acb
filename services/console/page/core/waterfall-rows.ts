import { hasFailed, type SpanTree } from './span-tree.ts';

/** The rows that are shown, ascending: all but those below a closed one. One pass that leaps over closed subtrees. */
export function visibleRows(tree: SpanTree, closed: ReadonlySet<number>): Int32Array {
  const rows = new Int32Array(tree.spans.length);
  let shown = 0;
  for (let row = 0; row < tree.spans.length; ) {
    rows[shown++] = row;
    row = closed.has(row) ? (tree.end[row] as number) : row + 1;
  }
  return rows.subarray(0, shown);
}

/** The closed set in which `row` is shown: its ancestors opened. */
export function revealRow(tree: SpanTree, closed: ReadonlySet<number>, row: number): ReadonlySet<number> {
  const opened = new Set(closed);
  for (let above = tree.parent[row] as number; above >= 0; above = tree.parent[above] as number) opened.delete(above);
  return opened.size === closed.size ? closed : opened;
}

/** Place of a row among the visible ones, or of its closed ancestor. */
export function placeOf(rows: Int32Array, row: number): number {
  let [low, high] = [0, rows.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((rows[middle] as number) <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Which rows to draw for a scrolled list of rows of one height; some more on both sides, so that scrolling shows no gap. */
export function rowWindow(scrollTop: number, height: number, rowHeight: number, count: number, spare = 8) {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - spare);
  const last = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + spare);
  return { first: Math.min(first, Math.max(0, count - 1)), last };
}

/** The deepest of failed spans is where an error began, most likely: the first failed one without a failed one below it. */
export function firstErrorRow(tree: SpanTree): number {
  return tree.spans.findIndex((span, row) => hasFailed(span) && tree.failedBelow[row] === 1);
}

/** The next row that satisfies, from `from` on and round the end; -1: there is none. */
export function nextRow(count: number, from: number, step: 1 | -1, satisfies: (row: number) => boolean): number {
  for (let tried = 1; tried <= count; tried++) {
    const row = (((from + step * tried) % count) + count) % count;
    if (satisfies(row)) return row;
  }
  return -1;
}
