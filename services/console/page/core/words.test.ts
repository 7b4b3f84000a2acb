import { describe, expect, it } from '@jest/globals';
import { clock, count, duration, percent, rate, roughly, shortCount, signedPercent } from './format.ts';
import { shownText } from './shown-text.ts';

describe('figures', () => {
  it.each([
    [0, '0 µs'],
    [0.25, '0.25 µs'],
    [999, '999 µs'],
    [1_000, '1 ms'],
    [9_940, '9.9 ms'],
    [17_400, '17 ms'],
    [999_600, '1 s'],
    [30_004_000, '30 s'],
    [60_000_000, '1 min'],
    [123_000_000, '2 min 3 s'],
    [7_260_000_000, '2 h 1 min'],
    [-1_500, '−1.5 ms'],
    [Number.NaN, '–'],
  ])('%d µs is %s', (us, words) => {
    expect(duration(us)).toBe(words);
  });

  it.each([
    [0, '0 %'],
    [0.0004, '<0.1 %'],
    [0.004, '0.4 %'],
    [0.112, '11 %'],
    [0.9996, '>99.9 %'],
    [1, '100 %'],
    [-0.31, '−31 %'],
  ])('%d is %s', (share, words) => {
    expect(percent(share)).toBe(words);
  });

  it('are short where there is little room', () => {
    expect([0, 0.01, 12.3, 148, 2_300].map(rate)).toEqual(['0/s', '0.6/min', '12/s', '148/s', '2.3k/s']);
    expect([999, 1_234, 1_200_000].map(shortCount)).toEqual(['999', '1.2k', '1.2M']);
    expect([signedPercent(0.5), count(1_234_567), roughly(89), roughly(5_000), roughly(260_000)]).toEqual([
      '+50 %',
      '1,234,567',
      '89 s',
      '83 min',
      '3 days',
    ]);
    expect(clock(1_790_000_000_123, 'UTC', true)).toBe('14:13:20.123');
  });
});

describe('shown text', () => {
  it.each([
    ['<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
    ['a\u0000b\u001b[31m', 'a␀b␛[31m'],
    ['\u202eexe.txt', '⟨U+202E⟩exe.txt'],
    ['pay\u200bment', 'pay⟨U+200B⟩ment'],
    ['\ud800', '\ufffd'],
    ['line\nbreak\ttab', 'line\nbreak\ttab'],
    ['مرحبا', 'مرحبا'],
  ])('%j is %j', (value, shown) => {
    expect(shownText(value)).toBe(shown);
  });

  it('is of bounded length, and says what is left out', () => {
    expect(shownText('x'.repeat(1_048_576), 10)).toBe('xxxxxxxxxx… (1,048,576 characters)');
  });
});
