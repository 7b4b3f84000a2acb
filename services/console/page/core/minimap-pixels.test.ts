import { describe, expect, it } from '@jest/globals';
import { minimapPixels } from './minimap-pixels.ts';
import { spanTree } from './span-tree.ts';
import { type SpanLine, spansOf } from './testing/spans.ts';
import { visibleRows } from './waterfall-rows.ts';

const FAILING = 9;

/** One text a line; services `a`, `b` … have the colours 1, 2 …. */
function picture(lines: readonly SpanLine[], width: number, height: number): string[] {
  const tree = spanTree(spansOf(lines));
  const colourOf = (row: number) => (tree.spans[row]?.service.charCodeAt(0) ?? 0) - 96;
  const pixels = minimapPixels(tree, visibleRows(tree, new Set()), { width, height, ratio: 1 }, colourOf, FAILING);
  return Array.from({ length: height }, (_, y) => pixels.subarray(y * width, (y + 1) * width).join(''));
}

describe('the small picture of a trace', () => {
  it('has a line for each row, where and as long as its span is', () => {
    const lines: SpanLine[] = [
      ['root', '', 0, 80, { service: 'a' }],
      ['call', 'root', 20, 60, { service: 'b' }],
      ['short', 'call', 40, 41, { service: 'a', failed: true }],
    ];
    expect(picture(lines, 8, 6)).toEqual(['11111111', '00000000', '00222200', '00000000', '00009000', '00000000']);
  });

  it('shows failed ones in front where rows share a line, and nothing beside the picture', () => {
    const calls = Array.from(
      { length: 100 },
      (_, at): SpanLine => [`call ${at}`, 'root', at, at + 1, { service: 'b', failed: at === 30 }],
    );
    expect(picture([['root', '', 0, 100, { service: 'a' }], ...calls], 10, 2)).toEqual(['2229211111', '0000022222']);
  });
});
