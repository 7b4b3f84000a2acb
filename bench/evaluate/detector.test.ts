import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from '../../lib/testkit/traffic/random.ts';
import { evaluateDetector } from './detector.ts';
import { drawErrors } from './draw-counts.ts';

describe('the evaluation of the detector', () => {
  it('finds plain faults and seldom cries wolf, the same for the same seed', () => {
    const options = { seed: 5, edgeDays: 2, trials: 4 };
    const figures = evaluateDetector(options);
    expect(figures.falseAlertsPerEdgeDay.value).toBeLessThanOrEqual(0.5);
    expect(figures.plus30at5rps.recall.value).toBe(1);
    expect(figures.plus30at5rps.medianDelayS).toBeLessThanOrEqual(30);
    expect(evaluateDetector(options)).toEqual(figures);
  });

  it.each([0, 0.005])('draws errors with the mean and the variance asked for (rho %d)', (rho) => {
    const random = new SeededRandom(3);
    const draws = Array.from({ length: 8_000 }, () => drawErrors(random, 500, 0.05, rho));
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
    expect(Math.abs(mean / 25 - 1)).toBeLessThan(0.02);
    expect(Math.abs(variance / (500 * 0.05 * 0.95 * (1 + 499 * rho)) - 1)).toBeLessThan(0.12);
  });
});
