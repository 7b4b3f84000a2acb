import { describe, expect, it } from '@jest/globals';
import { fitsPattern, textPattern } from './rules.ts';
import { randomnessOf, readOtState, THRESHOLD_NONE, thresholdOf, weightOf, withThreshold } from './threshold.ts';

const NOTHING = { randomness: undefined, threshold: undefined };

describe('thresholds', () => {
  it.each([
    [1, 0n, '0', 1],
    [0.5, 1n << 55n, '8', 2],
    [0.25, 3n << 54n, 'c', 4],
    [2 ** -20, THRESHOLD_NONE - (1n << 36n), 'fffff', 2 ** 20],
  ])('keeps a share of %d', (ratio, threshold, text, weight) => {
    expect(thresholdOf(ratio)).toBe(threshold);
    expect(withThreshold('', thresholdOf(ratio))).toBe(`ot=th:${text}`);
    expect(readOtState(`ot=th:${text}`).threshold).toBe(threshold);
    expect(weightOf(threshold)).toBe(weight);
  });

  it('keeps nothing with a share of 0, and something with the smallest one', () => {
    expect(thresholdOf(0)).toBe(THRESHOLD_NONE);
    expect(thresholdOf(1e-300)).toBeLessThan(THRESHOLD_NONE);
    expect(randomnessOf('f'.repeat(32), NOTHING)).toBeLessThan(THRESHOLD_NONE);
    expect(weightOf(thresholdOf(0.01))).toBeCloseTo(100, 6);
  });

  it('takes the randomness from the trace id, or from who says it', () => {
    expect(randomnessOf('ffffffffffffffffff0000000000000a', NOTHING)).toBe(10n);
    expect(randomnessOf('f'.repeat(32), readOtState('ot=rv:0000000000000a'))).toBe(10n);
  });

  it.each([
    ['a=1,ot=th:8;rv:0123456789abcd;x:y,b=2', 'ot=th:c;rv:0123456789abcd;x:y,a=1,b=2'],
    ['vendor=ot=th:8', 'ot=th:c,vendor=ot=th:8'],
    ['', 'ot=th:c'],
    [' a=1 , ot=p:8 ', 'ot=th:c;p:8,a=1'],
  ])('changes its own entry of %j alone', (before, after) => {
    expect(withThreshold(before, 3n << 54n)).toBe(after);
  });

  it.each(['', 'ot=', 'ot=th:', 'ot=th:g', 'ot=th:123456789012345', 'ot=rv:1', 'to=th:8', 'ot=TH:8'])(
    'reads nothing from %j',
    (tracestate) => expect(readOtState(tracestate)).toEqual(NOTHING),
  );
});

describe('fitsPattern', () => {
  it.each([
    ['a', 'a', true],
    ['a', 'A', false],
    ['', '', true],
    ['', '*', true],
    ['GET /health', 'GET *', true],
    ['GET /health', '*health', true],
    ['GET /health', 'G*h*h', true],
    ['aba', 'ab*ba', false],
    ['abba', 'ab*ba', true],
    ['abc', 'a*b*b*c', false],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
  ])('%j, %j: %s', (text, pattern, fits) => expect(fitsPattern(text, textPattern(pattern))).toBe(fits));

  it('needs no more for a text made to be tried again and again', () => {
    expect(fitsPattern(`${'a'.repeat(1_000_000)}b`, textPattern(`${'a*'.repeat(1_000)}c`))).toBe(false);
  });
});
