import { describe, expect, it } from '@jest/globals';
import { AlerterRun, type Fault, seededRandom, shopRequests, T0 } from './scenario.testkit.ts';

const SECOND = 1000;

/** Some faults of random place and length; some long enough for folding, some close enough for reopening. */
function drawFaults(seed: number): Fault[] {
  const random = seededRandom(seed);
  return Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
    const fromMs = T0 + Math.floor(random() * 1800) * SECOND;
    const lastsMs = (random() < 0.3 ? 900 : 20 + Math.floor(random() * 60)) * SECOND;
    return { fromMs, untilMs: fromMs + lastsMs, fastShare: random() };
  });
}

describe('a restart', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('changes no incident record, whenever it happens (seed %i)', (seed) => {
    const seconds = 2_700;
    const faults = drawFaults(seed);
    const options = { seed, seconds, perSecond: 3, faults, noise: 0.01 };
    const whole = new AlerterRun().add(shopRequests(options)).runUntil(T0 + seconds * SECOND);
    const split = new AlerterRun().add(shopRequests(options));
    const random = seededRandom(seed + 1000);
    split.runUntil(T0 + seconds * SECOND, (second) => {
      if (second % 10 === 0) split.checkpoint();
      if (random() < 0.01) split.restart();
    });
    expect(whole.announced.length).toBeGreaterThan(1);
    expect(split.announced).toEqual(whole.announced);
  });

  it('between a delta and the tick that judges it loses nothing', () => {
    const fault = { fromMs: T0 + 60 * SECOND, untilMs: T0 + 80 * SECOND, fastShare: 1 };
    const options = { seed: 4, seconds: 90, perSecond: 20, faults: [fault] };
    const run = new AlerterRun().add(shopRequests(options)).runUntil(T0 + 72 * SECOND);
    expect(run.announced).toEqual([]);
    run.restart();
    run.runUntil(T0 + 90 * SECOND);
    expect(run.announced[0]?.cause.service).toBe('orders-db');
  });
});
