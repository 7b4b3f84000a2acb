import { describe, expect, it } from '@jest/globals';
import { spanTree } from './span-tree.ts';
import { spansOf } from './testing/spans.ts';
import { firstErrorRow, nextRow, placeOf, revealRow, rowWindow, visibleRows } from './waterfall-rows.ts';

const tree = spanTree(
  spansOf([
    ['root', '', 0, 100, { failed: true }],
    ['a', 'root', 1, 40],
    ['a1', 'a', 2, 30],
    ['b', 'root', 50, 90, { failed: true }],
    ['b1', 'b', 55, 80, { failed: true }],
    ['other', '', 10, 20],
  ]),
);

describe('the rows of a waterfall', () => {
  it('know where their subtrees end and what failed in them', () => {
    expect([...tree.end]).toEqual([5, 3, 3, 5, 5, 6]);
    expect([...tree.failedBelow]).toEqual([3, 0, 0, 2, 1, 0]);
    expect([...tree.childCount]).toEqual([2, 1, 0, 1, 0, 0]);
  });

  it('leave out what is below a closed one', () => {
    expect([...visibleRows(tree, new Set())]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...visibleRows(tree, new Set([1, 3]))]).toEqual([0, 1, 3, 5]);
    expect([...visibleRows(tree, new Set([0, 1]))]).toEqual([0, 5]);
  });

  it('open the ancestors of a row that is gone to, and nothing else', () => {
    expect([...revealRow(tree, new Set([0, 1, 3]), 4)]).toEqual([1]);
    const closed = new Set([1]);
    expect(revealRow(tree, closed, 4)).toBe(closed);
  });

  it('find the place of a row, or of the closed one above it', () => {
    const rows = visibleRows(tree, new Set([1]));
    expect([0, 1, 2, 3, 5].map((row) => placeOf(rows, row))).toEqual([0, 1, 1, 2, 4]);
  });

  it('are drawn only where they are seen', () => {
    expect(rowWindow(0, 260, 26, 80_000)).toEqual({ first: 0, last: 18 });
    expect(rowWindow(1_000_000, 260, 26, 80_000)).toEqual({ first: 38_453, last: 38_480 });
    expect(rowWindow(9e9, 260, 26, 100)).toEqual({ first: 99, last: 100 });
    expect(rowWindow(0, 260, 26, 0)).toEqual({ first: 0, last: 0 });
  });

  it('lead to where an error began, not to where it arrived', () => {
    expect(firstErrorRow(tree)).toBe(4);
    expect(firstErrorRow(spanTree(spansOf([['a', '', 0, 1]])))).toBe(-1);
  });

  it('lead round the end', () => {
    const failed = (row: number) => tree.spans[row]?.status === 'error';
    expect([nextRow(6, 0, 1, failed), nextRow(6, 4, 1, failed), nextRow(6, 0, -1, failed)]).toEqual([3, 0, 4]);
    expect(nextRow(6, 0, 1, () => false)).toBe(-1);
  });
});
