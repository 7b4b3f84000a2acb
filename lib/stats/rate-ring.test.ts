import { describe, expect, it } from '@jest/globals';
import { RateRings } from './rate-ring.ts';

const CALLS = 0;
const ERRORS = 1;

describe('RateRings', () => {
  it('sums the newest windows, signed counts included', () => {
    const rings = new RateRings({ slots: 4, channels: 2 });
    const row = rings.addRow(100);
    rings.add(row, 100, CALLS, 7);
    rings.add(row, 98, CALLS, 5);
    rings.add(row, 98, ERRORS, 3);
    rings.add(row, 98, ERRORS, -1);
    const sums = new Float64Array(6);
    rings.sumNewest(row, [1, 3, 4], CALLS, ERRORS, -1, sums);
    expect([...sums]).toEqual([7, 0, 12, 2, 12, 2]);
    rings.setMark(row, 100, 1);
    rings.sumNewest(row, [1, 3, 4], CALLS, ERRORS, 1, sums);
    expect([...sums]).toEqual([0, 0, 5, 2, 5, 2]);
  });

  it('forgets the oldest window with each step and starts the new one at zero', () => {
    const rings = new RateRings({ slots: 3, channels: 1 });
    const row = rings.addRow(10);
    for (const window of [8, 9, 10]) rings.add(row, window, 0, window);
    rings.step(row, 1);
    expect([8, 9, 10, 11].map((window) => rings.at(row, window, 0))).toEqual([0, 9, 10, 0]);
    expect([9, 10, 11].map((window) => rings.mark(row, window))).toEqual([0, 0, 1]);
    expect(rings.holds(row, 8)).toBe(false);
    expect(rings.holds(row, 12)).toBe(false);
  });

  it('keeps rows apart across pages, and a reused row starts empty', () => {
    const rings = new RateRings({ slots: 2, channels: 1 });
    const rows = Array.from({ length: 1000 }, (_, i) => rings.addRow(i));
    for (const row of rows) rings.add(row, row, 0, row + 1);
    expect(rows.every((row) => rings.at(row, row, 0) === row + 1 && rings.head(row) === row)).toBe(true);
    rings.freeRow(700);
    expect(rings.addRow(5)).toBe(700);
    expect(rings.at(700, 5, 0)).toBe(0);
    expect(rings.at(701, 701, 0)).toBe(702);
  });

  it('saturates instead of wrapping round', () => {
    const rings = new RateRings({ slots: 2, channels: 1 });
    const row = rings.addRow(0);
    rings.add(row, 0, 0, 2 ** 31 - 2);
    rings.add(row, 0, 0, 1e12);
    expect(rings.at(row, 0, 0)).toBe(2 ** 31 - 1);
  });

  it('restarts empty after a long silence', () => {
    const rings = new RateRings({ slots: 3, channels: 1 });
    const row = rings.addRow(3);
    rings.add(row, 3, 0, 9);
    rings.restart(row, 1000, 1);
    const sums = new Float64Array(2);
    rings.sumNewest(row, [3], 0, 0, -1, sums);
    expect(sums[0]).toBe(0);
    expect(rings.mark(row, 999)).toBe(1);
  });
});

it('holds zeros, not nothing, in the windows before 1970 behind a clock that stands at zero', () => {
  const rings = new RateRings({ slots: 4, channels: 1 });
  const row = rings.addRow(0);
  expect(rings.at(row, -2, 0)).toBe(0);
  rings.add(row, -1, 0, 7);
  expect(rings.at(row, -1, 0)).toBe(7);
});
