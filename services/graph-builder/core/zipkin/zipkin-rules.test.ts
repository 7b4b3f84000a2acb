import { describe, expect, it } from '@jest/globals';
import { LIMITS, LiteralFold } from '../testing/fold-literal.ts';
import { treeOf } from '../testing/tree-text.ts';
import { CONTRACT_CASES, SHOP, SHOP_LINKS } from '../testing/zipkin-cases/contract-cases.ts';
import { LINK_CASES } from '../testing/zipkin-cases/link-cases.ts';
import { MERGE_CASES } from '../testing/zipkin-cases/merge-cases.ts';
import { QUIRK_CASES } from '../testing/zipkin-cases/quirk-cases.ts';
import { TREE_CASES } from '../testing/zipkin-cases/tree-cases.ts';
import { NOT_OURS, ZIPKIN_TEST_NAMES } from '../testing/zipkin-cases/zipkin-test-names.ts';
import { linksOf, span, toOtlp, type ZipkinLiteral } from '../testing/zipkin-literal.ts';
import type { GraphMode } from '../trace-fold.ts';
import { compareForMerge, mergeSpans } from './merge-spans.ts';
import type { ZipkinSpan } from './zipkin-span.ts';
import { breadthFirst, type ZipkinNode } from './zipkin-tree.ts';

const MODES: readonly GraphMode[] = ['zipkin', 'accurate'];

describe.each(MODES)('trees in mode %s', (mode) => {
  it.each([...MERGE_CASES, ...TREE_CASES].map((one) => [one.name, one] as const))('%s', (_, one) => {
    const expected = mode === 'zipkin' ? one.zipkin : (one.accurate ?? one.zipkin);
    expect(treeOf(one.trace, mode)).toBe(expected);
    if (mode === 'accurate') expect(treeOf([...one.trace].reverse(), mode)).toBe(expected);
  });
});

describe.each(MODES)('links in mode %s', (mode) => {
  const cases = [...LINK_CASES, ...CONTRACT_CASES, ...QUIRK_CASES];
  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const expected = [...(mode === 'zipkin' ? one.zipkin : (one.accurate ?? one.zipkin))].sort();
    expect(linksOf(one.traces, mode)).toEqual(expected);
    const reversed = one.traces.map((trace) => [...trace].reverse());
    expect(linksOf(reversed, mode)).toEqual(expected);
  });
});

/** Cases that are no row of a table. Each is run in both modes. */
const OWN_TESTS: Readonly<Record<string, (mode: GraphMode) => void>> = {
  cleanupComparator_transitiveKindComparison() {
    const of = (kind: ZipkinSpan['kind'], name: string | undefined, shared = false): ZipkinSpan => ({
      ...{ row: 0, id: 'a', parentId: undefined, kind, shared, remote: -1, error: false, start: 0 },
      local: name === undefined ? undefined : { service: 1, name, ipv4: '', ipv6: '', port: 0 },
    });
    const distinct = [
      of('CLIENT', 'a'),
      of('CLIENT', 'b'),
      of(undefined, undefined),
      of(undefined, 'a'),
      of(undefined, 'b', true),
    ];
    const mixed = Array.from({ length: 50 }, (_, i) => distinct[(i * 3) % 5] as ZipkinSpan).sort(compareForMerge);
    expect([...new Set(mixed)]).toEqual(distinct);
    for (const a of distinct) for (const b of distinct) expect(compareForMerge(a, b)).toBe(-compareForMerge(b, a) + 0);
  },

  traversesBreadthFirst(mode) {
    const trace = [
      span('a', '', '', 'x'),
      ...['b', 'c', 'd'].map((id) => span(id, 'a', '', 'x')),
      ...['e', 'f', '1'].map((id) => span(id, 'b', '', 'x')),
      span('2', '1', '', 'x'),
    ];
    expect(treeOf(trace, mode)).toMatch(/^a:x\(b:x\(.*1:x\(2:x\).*\) c:x d:x\)$/);
    const node = (name: string, ...children: ZipkinNode[]) => ({ name, span: undefined, parent: undefined, children });
    const inner = node('b', node('e'), node('f'), node('1', node('2')));
    const order = breadthFirst(node('a', inner, node('c'), node('d'))) as (ZipkinNode & { name: string })[];
    expect(order.map(({ name }) => name).join('')).toBe('abcdef12');
  },

  replayOverwrites(mode) {
    expect(linksOf([[...SHOP, ...SHOP]], mode)).toEqual(SHOP_LINKS);
    // A later revision with the same spans takes back as much as it adds.
    const fold = new LiteralFold(LIMITS, mode).add(toOtlp(SHOP), { trace: 1 });
    const once = JSON.stringify(fold.records('edge').map(({ exemplars: _, ...counts }) => counts));
    fold.add(toOtlp([...SHOP, ...SHOP]), { trace: 1 }).add(toOtlp(SHOP), { trace: 1, sign: -1 });
    expect(JSON.stringify(fold.records('edge').map(({ exemplars: _, ...counts }) => counts))).toBe(once);
  },

  endTsInsideTheTrace(mode) {
    const long: ZipkinLiteral[] = [
      span('1', '', 'CLIENT', 'frontend', '', { start: 0, duration: 60_000 }),
      span('2', '1', 'SERVER', 'backend', '', { start: 1, duration: 59_000 }),
    ];
    const [edge, ...more] = new LiteralFold(LIMITS, mode).add(toOtlp(long)).records('edge');
    expect([edge?.windowStart, more]).toEqual([1_699_999_200_000_000, []]);
  },

  canSearchForIntervalsBesidesToday(mode) {
    const fold = new LiteralFold(LIMITS, mode);
    const day = 86_400_000;
    fold.add(toOtlp(SHOP)).add(toOtlp(SHOP.map((one) => ({ ...one, start: (one.start ?? 0) - day }))));
    const calls = fold.records('edge').filter(({ client }) => client === 'frontend');
    expect(calls.map((one) => [one.windowStart, one.calls]).sort()).toEqual([
      [1_699_999_200_000_000 - day * 1000, 1],
      [1_699_999_200_000_000, 1],
    ]);
    expect(fold.edges().filter((edge) => edge.startsWith('backend → db'))[0]).toContain('2 calls 2 error');
  },

  manyLinks(mode) {
    const traces = Array.from({ length: 256 }, (_, i) => [
      span('10', '', 'CLIENT', `web-${i}`),
      span('10', '', 'SERVER', `app-${i}`, '', { shared: true }),
      span('11', '10', 'CLIENT', `app-${i}`, `db-${i}`),
    ]);
    const links = linksOf(traces, mode);
    expect(links).toHaveLength(512);
    expect(links.every((link) => /^\S+ → \S+$/.test(link))).toBe(true);
  },
};

describe.each(MODES)('further cases in mode %s', (mode) => {
  it.each(Object.entries(OWN_TESTS))('%s', (_, run) => run(mode));

  it('names services in lower case only as Zipkin does', () => {
    const trace = [span('a', '', 'SERVER', 'Web'), span('b', 'a', 'CLIENT', 'web', 'DB')];
    const expected = mode === 'zipkin' ? ['web → db'] : ['Web → web', 'web → DB'];
    expect(linksOf([trace], mode).sort()).toEqual([...expected].sort());
  });

  it('links a chain of 10 000 deep', () => {
    const chain = Array.from({ length: 10_000 }, (_, i) =>
      span((i + 1).toString(16), i === 0 ? '' : i.toString(16), i % 2 === 0 ? 'SERVER' : 'CLIENT', `s${i >> 1}`),
    );
    const fold = new LiteralFold({ services: 6_000, operations: 20_000, operationsPerService: 10 }, mode);
    const edges = fold.add(toOtlp(chain)).records('edge');
    expect(edges.filter(({ client }) => client !== 'user').reduce((sum, { calls }) => sum + calls, 0)).toBe(4_999);
  });
});

describe('mergeSpans', () => {
  it('gives a shared span the parent of its client', () => {
    const of = (kind: ZipkinSpan['kind'], parentId: string | undefined, shared: boolean): ZipkinSpan => ({
      ...{ row: 0, id: 'b', parentId, kind, shared, local: undefined, remote: -1, error: false, start: 0 },
    });
    const merged = mergeSpans([of('SERVER', undefined, true), of('CLIENT', 'a', false)]);
    expect(merged.map(({ kind, parentId }) => [kind, parentId])).toEqual([
      ['CLIENT', 'a'],
      ['SERVER', 'a'],
    ]);
  });
});

describe('the tables', () => {
  const rows = [...MERGE_CASES, ...TREE_CASES, ...LINK_CASES, ...CONTRACT_CASES].map(({ name }) => name);

  it('have each case that Zipkin tests exactly once: as a row, a test or a reason', () => {
    const ours = [...rows, ...Object.keys(OWN_TESTS), ...Object.keys(NOT_OURS)];
    expect(ours.sort()).toEqual(Object.values(ZIPKIN_TEST_NAMES).flat().sort());
    expect(Object.values(ZIPKIN_TEST_NAMES).map((names) => names.length)).toEqual([11, 18, 40, 24, 1]);
    expect(QUIRK_CASES).toHaveLength(6);
  });

  it('say why wherever the accurate graph differs, and nowhere else', () => {
    for (const one of [...MERGE_CASES, ...TREE_CASES, ...LINK_CASES, ...CONTRACT_CASES, ...QUIRK_CASES]) {
      expect([one.name, one.why !== undefined]).toEqual([one.name, one.accurate !== undefined]);
      expect(one.accurate).not.toEqual(one.zipkin);
    }
  });
});
