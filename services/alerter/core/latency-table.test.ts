import { describe, expect, it } from '@jest/globals';
import { DurationHistogram } from '../../../lib/stats/duration-histogram.ts';
import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import { LatencyTable } from './latency-table.ts';
import { DEFAULT_RULES } from './rules.ts';

const SUBJECT = {
  kind: 'edge',
  client: 'a',
  server: 'b',
  operation: '',
  connectionType: '',
  peerKind: 'service',
} as const;
const WINDOWS_PER_DAY = 8_640;

/** One edge whose calls take log-normal times; time moves by windows of 10 s. */
class Edge {
  table = new LatencyTable(DEFAULT_RULES);
  row = this.table.add(SUBJECT, 0, 0);
  window = 0;
  private readonly random: SeededRandom;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  /** @returns whether it fired in any of the windows. */
  run(windows: number, draw: Draw = {}): boolean {
    let fired = false;
    for (let i = 0; i < windows; i++) fired = this.step(draw) || fired;
    return fired;
  }

  step({ calls = 50, medianMs = 50, sigma = 0.4, slowShare = 0, slowBy = 1, failed = 0 }: Draw): boolean {
    const histogram = new DurationHistogram();
    for (let i = 0; i < calls; i++) {
      const factor = this.random.chance(slowShare) ? slowBy : 1;
      histogram.record(this.random.logNormal(medianMs, sigma) * factor * 1000);
    }
    const sparse = histogram.sparse();
    if (sparse !== null) this.table.countDurations(this.row, this.window, sparse, failed, this.window * 10_000);
    this.window++;
    if (this.table.isOpen(this.row)) {
      if (this.table.hasCalmedDown(this.row)) this.table.close(this.row);
      return false;
    }
    const finding = this.table.evaluate(this.row);
    if (finding === undefined) return false;
    this.table.open(this.row, finding.onset);
    return true;
  }
}

interface Draw {
  calls?: number;
  medianMs?: number;
  sigma?: number;
  slowShare?: number;
  slowBy?: number;
  failed?: number;
}

describe('what is slow', () => {
  it('is not known in the first minute, then well above what 95 % of the calls take', () => {
    const edge = new Edge(1);
    edge.run(6);
    expect(edge.table.slowerThanMicros(edge.row)).toBeUndefined();
    edge.run(30);
    const p95 = 50_000 * Math.exp(1.645 * 0.4);
    const limit = Number(edge.table.slowerThanMicros(edge.row)) / p95;
    expect(limit).toBeGreaterThanOrEqual(1.3);
    expect(limit).toBeLessThanOrEqual(2);
    expect(Number(edge.table.usualMicros(edge.row)) / 50_000).toBeGreaterThan(0.8);
    expect(Number(edge.table.usualMicros(edge.row)) / 50_000).toBeLessThan(1.2);
  });

  it('follows what is usual within hours, not within an alert', () => {
    const edge = new Edge(2);
    edge.run(360, { medianMs: 100, calls: 10 });
    const before = Number(edge.table.slowerThanMicros(edge.row));
    edge.run(WINDOWS_PER_DAY, { medianMs: 50, calls: 10 });
    expect(Number(edge.table.slowerThanMicros(edge.row))).toBeLessThan(0.75 * before);
    const usual = Number(edge.table.slowerThanMicros(edge.row));
    expect(edge.run(360, { medianMs: 500, calls: 10 })).toBe(true);
    expect(edge.table.slowerThanMicros(edge.row)).toBe(usual);
  });

  it('is learnt anew when what has lasted becomes normal', () => {
    const edge = new Edge(3);
    edge.run(100);
    edge.run(100, { medianMs: 300 });
    edge.table.adoptAsNormal(edge.row);
    expect(edge.run(200, { medianMs: 300 })).toBe(false);
    expect(Number(edge.table.slowerThanMicros(edge.row))).toBeGreaterThan(400_000);
  });
});

describe('a shift', () => {
  it.each<[string, Draw, number]>([
    ['all calls twice as slow', { slowShare: 1, slowBy: 2 }, 3],
    ['a fifth of the calls three times as slow', { slowShare: 0.2, slowBy: 4 }, 6],
    ['half of few calls', { calls: 5, slowShare: 0.5, slowBy: 5 }, 9],
  ])('of %s is found', (_, draw, windows) => {
    const edge = new Edge(4);
    edge.run(360, { ...draw, slowShare: 0 });
    expect(edge.run(windows, draw)).toBe(true);
  });

  it.each<[string, Draw]>([
    ['a tenth slower', { slowShare: 1, slowBy: 1.1 }],
    ['one call in fifty', { slowShare: 0.02, slowBy: 10 }],
    ['faster', { slowShare: 1, slowBy: 0.2 }],
    ['a fraction of a millisecond', { medianMs: 0.3, sigma: 0.2, slowShare: 1, slowBy: 4 }],
    ['calls that failed, and count as errors', { slowShare: 0.5, slowBy: 20, failed: 50 }],
  ])('of %s is none', (_, draw) => {
    const edge = new Edge(5);
    edge.run(360, { ...draw, slowShare: 0, failed: 0 });
    expect(edge.run(60, draw)).toBe(false);
  });

  it('is over once the calls are as fast as before', () => {
    const edge = new Edge(6);
    edge.run(360);
    expect(edge.run(12, { slowShare: 1, slowBy: 4 })).toBe(true);
    edge.run(12);
    expect(edge.table.isOpen(edge.row)).toBe(true);
    edge.run(20);
    expect(edge.table.isOpen(edge.row)).toBe(false);
  });
});

it('cries wolf at most once in six edge-days, also when whole windows are slower than others', () => {
  const random = new SeededRandom(7);
  let alerts = 0;
  for (const calls of [1, 4, 12]) {
    const edge = new Edge(calls);
    for (let i = 0; i < 2 * WINDOWS_PER_DAY; i++) {
      if (edge.step({ calls: random.below(2 * calls + 1), medianMs: random.logNormal(50, 0.1) })) alerts++;
    }
  }
  expect(alerts).toBeLessThanOrEqual(1);
});

it('goes on after a restart as if there had been none', () => {
  const one = new Edge(8);
  const other = new Edge(8);
  for (let minute = 0; minute < 90; minute++) {
    const draw = minute >= 60 && minute < 70 ? { slowShare: 0.5, slowBy: 3 } : {};
    for (let i = 0; i < 6; i++) expect(other.step(draw)).toBe(one.step(draw));
    const state = other.table.save(other.row);
    other.table = new LatencyTable(DEFAULT_RULES);
    other.row = other.table.restore(state);
    expect(other.table.save(other.row)).toEqual(state);
  }
  expect(other.table.save(other.row)).toEqual(one.table.save(one.row));
});

it('takes at most 1 KiB a row', () => {
  const before = process.memoryUsage().arrayBuffers;
  const table = new LatencyTable(DEFAULT_RULES);
  for (let i = 0; i < 256; i++) table.add({ ...SUBJECT, server: `s${i}` }, 0, 0);
  expect((process.memoryUsage().arrayBuffers - before) / 256).toBeLessThanOrEqual(1024);
});
