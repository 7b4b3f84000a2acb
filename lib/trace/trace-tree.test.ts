import { describe, expect, it } from '@jest/globals';
import { otlp, type ResourceLiteral } from '../testkit/otlp-builder.ts';
import { scanOtlpRequest } from './otlp-scan.ts';
import { SpanTable } from './span-table.ts';
import { TraceTree } from './trace-tree.ts';

describe('TraceTree', () => {
  it('links children to parents in row order, whatever the order of arrival', () => {
    const tree = treeOf([
      { service: 'b', spans: [{ id: 3, parent: 2 }] },
      { service: 'a', spans: [{ id: 2, parent: 1 }, { id: 1 }, { id: 4, parent: 1 }] },
    ]);
    expect(parents(tree, 4)).toEqual([1, 2, -1, 2]);
    expect(children(tree, 2)).toEqual([1, 3]);
    expect(order(tree)).toEqual([2, 1, 3, 0]);
    expect(tree.isRoot(2)).toBe(true);
  });

  it('keeps several roots and marks orphans, which are no roots', () => {
    const tree = treeOf([{ service: 'a', spans: [{ id: 1 }, { id: 2 }, { id: 3, parent: 99 }, { id: 4, parent: 3 }] }]);
    expect([0, 1, 2, 3].map((row) => tree.isRoot(row))).toEqual([true, true, false, false]);
    expect([0, 1, 2, 3].map((row) => tree.isOrphan(row))).toEqual([false, false, true, false]);
    expect(tree.orderCount).toBe(4);
  });

  it('takes a span that is its own parent for a root', () => {
    const tree = treeOf([
      {
        service: 'a',
        spans: [
          { id: 1, parent: 1 },
          { id: 2, parent: 1 },
        ],
      },
    ]);
    expect(parents(tree, 2)).toEqual([-1, 0]);
    expect(tree.isRoot(0)).toBe(true);
  });

  it('cuts each cycle above its earliest span and keeps what hangs below it', () => {
    const tree = treeOf([
      {
        service: 'a',
        spans: [
          { id: 9, parent: 3 },
          { id: 1, parent: 3, start: 5 },
          { id: 2, parent: 1, start: 2 },
          { id: 3, parent: 2, start: 7 },
          { id: 5, parent: 6, start: 1 },
          { id: 6, parent: 5, start: 0 },
          { id: 7 },
        ],
      },
    ]);
    expect(parents(tree, 7)).toEqual([3, 3, -1, 2, 5, -1, -1]);
    expect(tree.orderCount).toBe(7);
    expect([0, 1, 2, 3, 4, 5, 6].map((row) => tree.isOrphan(row))).toEqual([
      false,
      false,
      true,
      false,
      false,
      true,
      false,
    ]);
    expect(children(tree, 3)).toEqual([0, 1]);
  });

  describe('of spans that share an id', () => {
    it('hangs the serving half under the calling half', () => {
      const tree = treeOf([
        { service: 'app', spans: [{ id: 2, parent: 1, kind: 'server' }] },
        {
          service: 'web',
          spans: [
            { id: 1, kind: 'server' },
            { id: 2, parent: 1, kind: 'client' },
          ],
        },
      ]);
      expect(parents(tree, 3)).toEqual([2, -1, 1]);
    });

    it('does so for a shared root and when the serving half lost its parent id', () => {
      const tree = treeOf([
        { service: 'web', spans: [{ id: 1, kind: 'client' }] },
        {
          service: 'app',
          spans: [
            { id: 1, kind: 'server' },
            { id: 2, parent: 1, kind: 'client' },
          ],
        },
      ]);
      expect(parents(tree, 3)).toEqual([-1, 0, 1]);
      expect(tree.isRoot(0)).toBe(true);
    });

    it('gives children to the half of their own service, else to the calling half', () => {
      const tree = treeOf([
        {
          service: 'web',
          spans: [
            { id: 1, kind: 'client' },
            { id: 4, parent: 1 },
          ],
        },
        {
          service: 'app',
          spans: [
            { id: 1, kind: 'server' },
            { id: 5, parent: 1 },
          ],
        },
        { service: 'other', spans: [{ id: 6, parent: 1 }] },
      ]);
      expect(parents(tree, 5)).toEqual([-1, 0, 0, 2, 0]);
    });

    it('gives a loop-back child to the serving half', () => {
      const tree = treeOf([
        {
          service: 'app',
          spans: [
            { id: 1, kind: 'client' },
            { id: 1, kind: 'server' },
            { id: 2, parent: 1, kind: 'client' },
          ],
        },
      ]);
      expect(parents(tree, 3)).toEqual([-1, 0, 1]);
    });

    it('keeps two servers with one id apart, each with its own children', () => {
      const tree = treeOf([
        { service: 'web', spans: [{ id: 1, kind: 'client' }] },
        {
          service: 'app1',
          spans: [
            { id: 1, kind: 'server' },
            { id: 2, parent: 1 },
          ],
        },
        {
          service: 'app2',
          spans: [
            { id: 1, kind: 'server' },
            { id: 3, parent: 1 },
          ],
        },
      ]);
      expect(parents(tree, 5)).toEqual([-1, 0, 1, 0, 3]);
    });
  });

  it('lets the longest of several parts of one span stand for it', () => {
    const tree = treeOf([
      {
        service: 'a',
        spans: [
          { id: 1, duration: 1 },
          { id: 2, parent: 1 },
          { id: 1, duration: 9 },
          { id: 1, duration: 30 },
          { id: 1, duration: 5 },
        ],
      },
    ]);
    expect([...tree.duplicateOf.subarray(0, 5)]).toEqual([3, -1, 3, -1, 3]);
    expect(parents(tree, 5)).toEqual([-1, 3, -1, -1, -1]);
    expect(order(tree)).toEqual([3, 1]);
  });

  it('builds a chain of 10 000 and a cycle of 10 000 without recursion, and is then as good as new', () => {
    const chain = Array.from({ length: 10_000 }, (_, i) => ({ id: i + 1, parent: i }));
    const tree = new TraceTree();
    build(tree, [{ service: 'a', spans: chain }]);
    expect(tree.orderCount).toBe(10_000);
    expect(tree.parent[9_999]).toBe(9_998);
    build(tree, [{ service: 'a', spans: chain.map((span) => (span.id === 1 ? { id: 1, parent: 10_000 } : span)) }]);
    expect(tree.orderCount).toBe(10_000);
    expect(tree.isOrphan(0)).toBe(true);
    build(tree, [{ service: 'a', spans: [{ id: 1 }, { id: 2, parent: 1 }] }]);
    expect(order(tree)).toEqual([0, 1]);
  });

  it('stays linear when ten thousand spans share one id', () => {
    const spans = Array.from({ length: 10_000 }, (_, i) => ({ service: `s${i}`, spans: [{ id: 1, duration: i }] }));
    const tree = treeOf(spans);
    expect(tree.orderCount).toBe(65);
    expect([...tree.duplicateOf.subarray(0, 10_000)].filter((row) => row >= 0)).toHaveLength(9_935);
  });
});

function treeOf(resources: readonly ResourceLiteral[]): TraceTree {
  const tree = new TraceTree();
  build(tree, resources);
  return tree;
}

/** Services get their number from their name, so that two contexts of one service are one. */
function build(tree: TraceTree, resources: readonly ResourceLiteral[]): void {
  const bytes = otlp(resources);
  const table = new SpanTable();
  expect(scanOtlpRequest(bytes, table)).toBeUndefined();
  const names = [...new Set(resources.map((resource) => resource.service))];
  tree.build(
    bytes,
    table,
    Int32Array.from(resources, (resource) => names.indexOf(resource.service)),
  );
}

function parents(tree: TraceTree, count: number): number[] {
  return [...tree.parent.subarray(0, count)];
}

function children(tree: TraceTree, row: number): number[] {
  const found: number[] = [];
  for (let child = tree.firstChild[row] as number; child >= 0; child = tree.nextSibling[child] as number)
    found.push(child);
  return found;
}

function order(tree: TraceTree): number[] {
  return [...tree.order.subarray(0, tree.orderCount)];
}
