import { describe, expect, it } from '@jest/globals';
import { selfTimes } from './span-times.ts';
import { spanTree } from './span-tree.ts';
import { type SpanLine, spansOf } from './testing/spans.ts';
import { findRows } from './trace-model.ts';
import { compareTimes, operationTimes } from './trace-statistics.ts';

const timesOf = (lines: readonly SpanLine[]) => {
  const tree = spanTree(spansOf(lines));
  return operationTimes(tree, selfTimes(tree));
};

describe('times by operation', () => {
  it('come with most self time first', () => {
    const times = timesOf([
      ['GET', '', 0, 100],
      ['SELECT', 'GET', 10, 80, { service: 'db', failed: true }],
    ]);
    expect(times.map(({ operation, selfNs, totalNs, failed }) => [operation, selfNs, totalNs, failed])).toEqual([
      ['SELECT', 70, 70, 1],
      ['GET', 30, 100, 0],
    ]);
  });

  it('differ by new errors first, then by how much', () => {
    const here = timesOf([
      ['GET', '', 0, 200],
      ['SELECT', 'GET', 10, 180],
      ['INSERT', 'GET', 180, 185, { failed: true }],
    ]);
    const other = timesOf([
      ['GET', '', 0, 100],
      ['SELECT', 'GET', 10, 20],
      ['INSERT', 'GET', 30, 35],
      ['CACHE', 'GET', 40, 41],
    ]);
    expect(compareTimes(here, other).map(({ operation, moreNs }) => [operation, moreNs])).toEqual([
      ['INSERT', 0],
      ['SELECT', 160],
      ['GET', -59],
      ['CACHE', -1],
    ]);
  });
});

describe('findRows', () => {
  const spans = spansOf([
    ['GET /cart', '', 0, 10],
    ['SELECT cart', 'GET /cart', 1, 2, { service: 'db' }],
  ]);
  it.each([
    ['cart', [0, 1]],
    ['CART db', [1]],
    ['  ', []],
    ['nothing', []],
  ])('%s', (typed, rows) => {
    expect(findRows(spans, typed)).toEqual(rows);
  });
});
