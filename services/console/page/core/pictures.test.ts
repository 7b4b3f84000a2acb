import { describe, expect, it } from '@jest/globals';
import type { TraceSummary } from './api-types.ts';
import { scatter } from './scatter.ts';
import { ALL, inZoom, zoomOf, zoomOn, zoomOut } from './zoom.ts';

const trace = (startMs: number, durationMs: number, spanCount = 1) =>
  ({ startMs, durationMs, spanCount }) as TraceSummary;

describe('the scatter of durations', () => {
  it('spreads hanging and quick ones over one logarithmic axis', () => {
    const { dots, lines } = scatter([trace(0, 1), trace(50, 100, 8), trace(100, 30_000)]);
    expect(dots.map(({ x }) => x)).toEqual([0, 0.5, 1]);
    const [low, middle, high] = dots.map(({ y }) => y) as [number, number, number];
    expect(low).toBeGreaterThan(0);
    expect(high).toBeLessThan(1);
    expect(middle).toBeGreaterThan(0.35);
    expect(lines.map(({ ms }) => ms)).toEqual([1, 10, 100, 1_000, 10_000]);
  });

  it('bears none, one, and those without a length', () => {
    expect(scatter([])).toMatchObject({ dots: [], lines: [] });
    const { dots, lines } = scatter([trace(5, 0)]);
    expect(dots).toMatchObject([{ x: 0.5 }]);
    expect([dots[0]?.y, lines[0]?.y].every(Number.isFinite)).toBe(true);
  });
});

describe('zoom', () => {
  it('is in order, in bounds and never empty', () => {
    expect(zoomOf(900, 100)).toEqual({ from: 100, to: 900 });
    expect(zoomOf(-50, 2_000_000)).toEqual(ALL);
    expect(zoomOf(1_000_000, 1_000_000)).toEqual({ from: 999_980, to: 1_000_000 });
    expect(zoomOf(Number.NaN, 5)).toEqual(ALL);
    const near = zoomOn(400_000, 500_000);
    expect(near).toEqual({ from: 385_000, to: 515_000 });
    expect(zoomOut(zoomOut(zoomOut(zoomOut(near))))).toEqual(ALL);
  });

  it('tells where a stretch lies in the part that is shown', () => {
    const half = zoomOf(500_000, 1_000_000);
    expect(inZoom(half, 0.75, 1)).toEqual({ left: 0.5, width: 0.5 });
    expect(inZoom(half, 0, 0.6)?.left).toBe(0);
    expect(inZoom(half, 0.1, 0.4)).toBeUndefined();
  });
});
