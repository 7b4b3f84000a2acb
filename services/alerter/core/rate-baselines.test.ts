import { describe, expect, it } from '@jest/globals';
import { RateBaselines } from './rate-baselines.ts';
import { DEFAULT_RULES } from './rules.ts';

const { priorCalls, priorErrors, baselineHalfLifeMs, windowMs } = DEFAULT_RULES;
const HALF_LIFE = baselineHalfLifeMs / windowMs;
const ROW = 300;

function baselineOf(calls: number, errors: number): RateBaselines {
  const baselines = new RateBaselines(DEFAULT_RULES);
  for (let row = 0; row <= ROW; row++) baselines.begin(row);
  baselines.set(ROW, calls, errors);
  return baselines;
}

describe('what is normal for a subject', () => {
  it('is the prior at first', () => {
    const baselines = baselineOf(0, 0);
    expect(baselines.rateOf(ROW)).toBe(priorErrors / priorCalls);
    expect(baselines.isYoung(ROW)).toBe(true);
    expect(baselines.dispersion(ROW)).toBe(1);
  });

  it('fades by half in a half-life, at once or window by window', () => {
    const atOnce = baselineOf(8_000, 80);
    atOnce.decay(ROW, HALF_LIFE);
    const stepwise = baselineOf(8_000, 80);
    for (let window = 0; window < HALF_LIFE; window++) stepwise.admit(ROW, 0, 0);
    for (const baselines of [atOnce, stepwise]) {
      expect(baselines.callsOf(ROW) - priorCalls).toBeCloseTo(4_000, 6);
      expect(baselines.errorsOf(ROW) - priorErrors).toBeCloseTo(40, 6);
    }
    atOnce.decay(ROW, 0);
    expect(atOnce.callsOf(ROW) - priorCalls).toBeCloseTo(4_000, 6);
  });

  it('takes in windows, and outweighs the prior in the end', () => {
    const baselines = baselineOf(0, 0);
    for (let window = 0; window < 100; window++) baselines.admit(ROW, 200, 2);
    expect(baselines.rateOf(ROW)).toBeCloseTo(0.01, 3);
    expect(baselines.isYoung(ROW)).toBe(false);
  });

  it('scatters more where errors come in heaps, and is saved with that', () => {
    const baselines = baselineOf(100_000, 1_000);
    for (let minute = 0; minute < 200; minute++) baselines.learnDispersion(ROW, 1_000, minute % 10 === 0 ? 100 : 0);
    expect(baselines.dispersion(ROW)).toBeGreaterThan(5);
    const restored = new RateBaselines(DEFAULT_RULES);
    restored.begin(0);
    restored.restore(0, baselines.save(ROW));
    expect(restored.dispersion(0)).toBe(baselines.dispersion(ROW));
    expect(restored.rateOf(0)).toBe(baselines.rateOf(ROW));
  });
});
