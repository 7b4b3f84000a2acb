import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { DurationHistogram } from '../../../lib/stats/duration-histogram.ts';
import { RisingCounter, RisingHistogram } from './rising-metrics.ts';

describe('RisingCounter', () => {
  it('never falls: what was taken back is made up for first', async () => {
    const registry = new Registry();
    const counter = new RisingCounter<'a'>(registry, 'x_total', 'Things.', 10, () => {});
    const shown = async () => Number(/x_total\{a="1"\} (\d+)/.exec(await registry.metrics())?.[1]);
    counter.add({ a: '1' }, 3);
    expect(await shown()).toBe(3);
    counter.add({ a: '1' }, -2);
    expect(await shown()).toBe(3);
    counter.add({ a: '1' }, 1);
    expect(await shown()).toBe(3);
    counter.add({ a: '1' }, 5);
    expect(await shown()).toBe(7);
  });

  it('leaves out series beyond its limit and counts them', async () => {
    const registry = new Registry();
    let left = 0;
    const counter = new RisingCounter<'a'>(registry, 'x_total', 'Things.', 2, () => left++);
    for (const a of ['1', '2', '3', '1']) counter.add({ a }, 1);
    expect((await registry.metrics()).match(/^x_total\{/gm)).toHaveLength(2);
    expect(left).toBe(1);
  });
});

describe('RisingHistogram', () => {
  it('puts durations into the buckets of seconds, cumulative, with sum and count', async () => {
    const registry = new Registry();
    const histogram = new RisingHistogram<'a'>(registry, 'y_seconds', 'Durations.', 10, () => {});
    const change = new DurationHistogram();
    change.record(1_000);
    change.record(100_000, 2);
    change.record(60_000_000);
    histogram.add({ a: '1' }, change);
    const text = await registry.metrics();
    expect(text).toContain('# TYPE y_seconds histogram');
    expect(text).toContain('y_seconds_bucket{a="1",le="0.002"} 1');
    expect(text).toContain('y_seconds_bucket{a="1",le="0.064"} 1');
    expect(text).toContain('y_seconds_bucket{a="1",le="0.128"} 3');
    expect(text).toContain('y_seconds_bucket{a="1",le="16.384"} 3');
    expect(text).toContain('y_seconds_bucket{a="1",le="+Inf"} 4');
    expect(text).toContain('y_seconds_count{a="1"} 4');
    expect(text).toContain('y_seconds_sum{a="1"} 60.201');
  });
});
