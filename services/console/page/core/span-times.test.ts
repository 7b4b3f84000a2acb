import { describe, expect, it } from '@jest/globals';
import { criticalPath, pathTimes, selfTimes } from './span-times.ts';
import { spanTree } from './span-tree.ts';
import { type SpanLine, spansOf } from './testing/spans.ts';

const told = (lines: readonly SpanLine[]) => {
  const tree = spanTree(spansOf(lines));
  return criticalPath(tree)
    .toReversed()
    .map(({ row, fromNs, toNs }) => `${tree.spans[row]?.spanId} ${fromNs}-${toNs}`);
};

describe('the critical path', () => {
  // The shapes are those of Jaeger's fixtures: nested, parallel, out of range, overflowing, asynchronous.
  it.each<[string, SpanLine[], string[]]>([
    ['is the span itself when it is alone', [['a', '', 0, 10]], ['a 0-10']],
    [
      'goes through children one after another',
      [
        ['a', '', 0, 100],
        ['b', 'a', 10, 40],
        ['c', 'a', 50, 90],
      ],
      ['a 0-10', 'b 10-40', 'a 40-50', 'c 50-90', 'a 90-100'],
    ],
    [
      'takes of parallel children the one that ended last',
      [
        ['a', '', 0, 100],
        ['b', 'a', 10, 60],
        ['c', 'a', 20, 80],
      ],
      ['a 0-20', 'c 20-80', 'a 80-100'],
    ],
    [
      'takes children that follow one another in the same moment, as millisecond clocks have it',
      [
        ['a', '', 0, 30],
        ['b', 'a', 0, 10],
        ['c', 'a', 10, 20],
        ['d', 'a', 20, 30],
      ],
      ['b 0-10', 'c 10-20', 'd 20-30'],
    ],
    [
      'counts a child that outlasts its parent only inside of it',
      [
        ['a', '', 0, 50],
        ['b', 'a', 20, 80],
      ],
      ['a 0-20', 'b 20-50'],
    ],
    [
      'leaves out a child that lies outside of its parent',
      [
        ['a', '', 0, 50],
        ['b', 'a', 60, 80],
      ],
      ['a 0-50'],
    ],
    [
      'counts a child that begins too early only inside of its parent, its own child as well',
      [
        ['a', '', 20, 60],
        ['b', 'a', 0, 40],
        ['c', 'b', 5, 30],
      ],
      ['c 20-30', 'b 30-40', 'a 40-60'],
    ],
    [
      'does not wait for what a queue delivers',
      [
        ['a', '', 0, 40],
        ['send', 'a', 10, 30, { kind: 'producer' }],
        ['work', 'send', 12, 29, { kind: 'consumer' }],
      ],
      ['a 0-10', 'send 10-30', 'a 30-40'],
    ],
    [
      'begins at the longest of several roots',
      [
        ['a', '', 0, 5],
        ['b', '', 2, 50],
        ['c', 'b', 10, 20],
      ],
      ['b 2-10', 'c 10-20', 'b 20-50'],
    ],
    [
      'passes children without a length',
      [
        ['a', '', 0, 10],
        ['b', 'a', 4, 4],
        ['c', 'a', 4, 4],
      ],
      ['a 0-4', 'a 4-10'],
    ],
  ])('%s', (_, lines, path) => {
    expect(told(lines)).toEqual(path);
  });

  it('covers the root whole and once, whatever the tree', () => {
    let seed = 11;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % below;
    };
    for (let round = 0; round < 200; round++) {
      const lines: SpanLine[] = [['s0', '', 0, 1_000]];
      for (let at = 1; at < 25; at++) {
        const start = random(1_000);
        lines.push([`s${at}`, `s${random(at)}`, start, start + random(400)]);
      }
      const tree = spanTree(spansOf(lines));
      const path = criticalPath(tree).toReversed();
      expect(path[0]?.fromNs).toBe(0);
      expect(path.at(-1)?.toNs).toBe(1_000);
      expect(path.slice(1).filter(({ fromNs }, before) => fromNs !== path[before]?.toNs)).toEqual([]);
      expect(pathTimes(tree, path).reduce((sum, ns) => sum + ns, 0)).toBe(1_000);
    }
  });

  it('walks 80 000 spans, in one chain and side by side', () => {
    const chain = Array.from(
      { length: 80_000 },
      (_, at): SpanLine => [`s${at}`, at === 0 ? '' : `s${at - 1}`, at, 200_000 - at],
    );
    const flat = Array.from(
      { length: 80_000 },
      (_, at): SpanLine => [`s${at}`, at === 0 ? '' : 's0', at, at === 0 ? 90_000 : at + 1],
    );
    expect(criticalPath(spanTree(spansOf(chain))).length).toBe(159_999);
    expect(criticalPath(spanTree(spansOf(flat))).length).toBe(80_001);
  });
});

describe('self time', () => {
  it('is what no child covers: overlapping children count once, and only inside of their parent', () => {
    const tree = spanTree(
      spansOf([
        ['a', '', 0, 100],
        ['b', 'a', 10, 40],
        ['c', 'a', 30, 60],
        ['d', 'a', 90, 150],
        ['e', 'b', 0, 20],
      ]),
    );
    expect([...selfTimes(tree)]).toEqual([100 - 50 - 10, 30 - 10, 30, 60, 20]);
  });
});
