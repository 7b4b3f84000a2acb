import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { openMetricsText } from '../../../lib/observability/open-metrics.ts';
import { DurationHistogram } from '../../../lib/stats/duration-histogram.ts';
import { RisingCounter, RisingHistogram } from './rising-metrics.ts';

/** A clock that is set by hand. */
const time = { nowMs: 0, monotonicMs: () => time.nowMs };
const limits = (seriesMax = 10, onOverflow = () => {}) => ({ seriesMax, staleMs: 1_000, clock: time, onOverflow });

describe('RisingCounter', () => {
  it('never falls: what was taken back is made up for first', async () => {
    const registry = new Registry();
    const counter = new RisingCounter<'a'>(registry, 'x_total', 'Things.', limits());
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

  it('puts what is beyond its limit into the overflow series, as Tempo does, and tells', async () => {
    const registry = new Registry();
    let overflowed = 0;
    const counter = new RisingCounter<'a'>(
      registry,
      'x_total',
      'Things.',
      limits(2, () => overflowed++),
    );
    for (const a of ['1', '2', '3', '1', '4']) counter.add({ a }, 1);
    const text = await registry.metrics();
    expect(text.match(/^x_total\{.*/gm)).toEqual([
      'x_total{a="1"} 2',
      'x_total{a="2"} 1',
      'x_total{metric_overflow="true"} 2',
    ]);
    expect(overflowed).toBe(2);
  });

  it('forgets a series that got nothing for long, and so has room for others', async () => {
    time.nowMs = 0;
    const registry = new Registry();
    const counter = new RisingCounter<'a'>(registry, 'x_total', 'Things.', limits(2));
    counter.add({ a: 'old' }, 1);
    time.nowMs = 600;
    counter.add({ a: 'kept' }, 1);
    time.nowMs = 1_200;
    counter.add({ a: 'new' }, 1);
    expect((await registry.metrics()).match(/^x_total\{.*/gm)).toEqual(['x_total{a="kept"} 1', 'x_total{a="new"} 1']);
    time.nowMs = 5_000;
    expect(await registry.metrics()).not.toContain('x_total{');
  });
});

describe('RisingHistogram', () => {
  const BOUNDS = [0.002, 0.064, 0.128, 16.384];

  it('puts durations into the buckets of seconds, cumulative, with sum and count', async () => {
    const registry = new Registry();
    const histogram = new RisingHistogram<'a'>(registry, 'y_seconds', 'Durations.', BOUNDS, limits());
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

  it('shows the newest exemplar of each bucket to whoever reads OpenMetrics', async () => {
    const registry = new Registry();
    const histogram = new RisingHistogram<'a'>(registry, 'y_seconds', 'Durations.', BOUNDS, limits());
    const exemplar = (traceId: string, durationMicros: number) => ({ traceId, spanId: 's', durationMicros });
    histogram.add({ a: '1' }, new DurationHistogram(), [exemplar('t1', 70_000), exemplar('t2', 90_000)]);
    histogram.add({ a: '1' }, new DurationHistogram(), [exemplar('t3', 99e6)]);
    const text = await openMetricsText(registry);
    expect(text).toContain('y_seconds_bucket{a="1",le="0.128"} 0 # {trace_id="t2",span_id="s"} 0.09\n');
    expect(text).toContain('y_seconds_bucket{a="1",le="+Inf"} 0 # {trace_id="t3",span_id="s"} 99\n');
    expect(await registry.metrics()).not.toContain('t2');
  });
});
