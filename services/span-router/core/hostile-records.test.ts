import { describe, expect, it } from '@jest/globals';
import { type HostileRecord, hostileRecords } from '../../../lib/testkit/faults/hostile-records.ts';
import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import { fixturePorts, fixtureSettings, record, spanBodies } from '../router-fixture.ts';
import { RouteBuilder } from './route.ts';

const sizes = { hugeTraceSpans: 2_500, chainSpans: 10_000, attributeBytes: 1_000_000, flips: 200 };
const records = hostileRecords(new SeededRandom(1), sizes);

describe('hostile records', () => {
  const foreseen = new Map(
    records.flatMap((item) => (item.expected === undefined ? [] : [[item.kind, item] as const])),
  );

  it.each([...foreseen.values()])('$kind', (item) => {
    expect(routed(item)).toEqual(item.expected);
  });

  it('with flipped bits never throw, and lose no span without a dead letter for it', () => {
    const flipped = records.filter(({ expected }) => expected === undefined);
    expect(flipped).toHaveLength(sizes.flips);
    const results = flipped.map(routed);
    // Some are refused as a whole, some in part, and some are still requests.
    expect(results.some(({ spans, letters }) => spans === 0 && letters === 1)).toBe(true);
    expect(results.some(({ spans, letters }) => spans > 0 && letters === 0)).toBe(true);
    expect(results.every(({ spans, letters }) => spans + letters > 0)).toBe(true);
  });

  it('are the same for the same seed', () => {
    const bytesOf = (seed: number) =>
      Buffer.concat(hostileRecords(new SeededRandom(seed), sizes).map(({ value }) => value ?? Buffer.alloc(1)));
    expect(bytesOf(1).equals(bytesOf(1))).toBe(true);
    expect(bytesOf(1).equals(bytesOf(2))).toBe(false);
  });
});

function routed({ value }: HostileRecord): { spans: number; letters: number } {
  const route = new RouteBuilder(fixtureSettings(), fixturePorts().ports);
  route.take(record(0, value));
  const spans = route.takeBundles().reduce((sum, { bytes }) => sum + spanBodies(bytes).length, 0);
  return { spans, letters: route.deadLetters.count };
}
