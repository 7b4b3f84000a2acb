import type { Registry } from 'prom-client';
import type { MetricExemplar } from '../../../lib/observability/open-metrics.ts';
import { bucketUpperMicros } from '../../../lib/stats/duration-histogram.ts';
import { type SeriesLimits, SeriesSet } from './series-set.ts';

/**
 * Series that only rise, fed by signed changes: a correction that takes something back is held until later calls have
 * made up for it.
 */
export class RisingCounter<L extends string> {
  private readonly series: SeriesSet<{ sum: number; shown: number }>;

  constructor(registry: Registry, name: string, help: string, limits: SeriesLimits) {
    this.series = new SeriesSet(limits, () => ({ sum: 0, shown: 0 }));
    register(registry, name, help, 'counter', () =>
      this.series.entries().map(({ labels, series }) => ({ labels, value: series.shown })),
    );
  }

  add(labels: Readonly<Record<L, string>>, change: number): void {
    const series = this.series.of(labels);
    series.sum += change;
    if (series.sum > series.shown) series.shown = series.sum;
  }
}

export interface SignedHistogram {
  forEachBucket(visit: (bucket: number, count: number) => void): void;
  readonly zeroCount: number;
  readonly sumMicros: number;
}

/** An example of what a histogram counts. */
export interface DurationExemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly durationMicros: number;
}

/** The same for durations in seconds. */
export class RisingHistogram<L extends string> {
  private readonly boundsSeconds: readonly number[];
  private readonly series: SeriesSet<DurationSeries>;

  /** @param boundsSeconds ascending; +Inf comes on top. */
  constructor(registry: Registry, name: string, help: string, boundsSeconds: readonly number[], limits: SeriesLimits) {
    this.boundsSeconds = boundsSeconds;
    this.series = new SeriesSet(limits, () => new DurationSeries(boundsSeconds.length + 1));
    register(registry, name, help, 'histogram', () =>
      this.series.entries().flatMap(({ labels, series }) => this.valuesOf(name, labels, series)),
    );
  }

  add(labels: Readonly<Record<L, string>>, change: SignedHistogram, exemplars: readonly DurationExemplar[] = []): void {
    const series = this.series.of(labels);
    const { sums, shown } = series;
    sums[0] = (sums[0] as number) + change.zeroCount;
    change.forEachBucket((bucket, count) => {
      const at = this.placeOf(bucketUpperMicros(bucket) / 1e6 / ROUNDING);
      sums[at] = (sums[at] as number) + count;
    });
    series.sumSeconds += change.sumMicros / 1e6;
    for (let i = 0; i < sums.length; i++) shown[i] = Math.max(shown[i] as number, sums[i] as number);
    series.shownSeconds = Math.max(series.shownSeconds, series.sumSeconds);
    for (const { traceId, spanId, durationMicros } of exemplars) {
      const value = durationMicros / 1e6;
      series.exemplars[this.placeOf(value)] = { labelSet: { trace_id: traceId, span_id: spanId }, value };
    }
  }

  /** Index of the first bound that is not below. */
  private placeOf(seconds: number): number {
    const { boundsSeconds } = this;
    let at = 0;
    while (at < boundsSeconds.length && seconds > (boundsSeconds[at] as number)) at++;
    return at;
  }

  private valuesOf(name: string, labels: Readonly<Record<string, string>>, series: DurationSeries): MetricValue[] {
    const { shown, exemplars, shownSeconds } = series;
    const values: MetricValue[] = [];
    let count = 0;
    for (let i = 0; i < shown.length; i++) {
      count += shown[i] as number;
      values.push({
        labels: { ...labels, le: this.boundsSeconds[i] ?? '+Inf' },
        value: count,
        metricName: `${name}_bucket`,
        exemplar: exemplars[i],
      });
    }
    values.push({ labels, value: shownSeconds, metricName: `${name}_sum` });
    values.push({ labels, value: count, metricName: `${name}_count` });
    return values;
  }
}

class DurationSeries {
  /** Per bound, not cumulative; the last is everything above. */
  readonly sums: Float64Array;
  readonly shown: Float64Array;
  /** The newest of each bucket. */
  readonly exemplars: (MetricExemplar | undefined)[];
  sumSeconds = 0;
  shownSeconds = 0;

  constructor(buckets: number) {
    this.sums = new Float64Array(buckets);
    this.shown = new Float64Array(buckets);
    this.exemplars = new Array(buckets).fill(undefined);
  }
}

interface MetricValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
  readonly exemplar?: MetricExemplar | undefined;
}

/** prom-client's own instruments only take one observation at a time, and never one back. */
function register(
  registry: Registry,
  name: string,
  help: string,
  type: 'counter' | 'histogram',
  values: () => MetricValue[],
): void {
  const metric = { name, help, get: async () => ({ name, help, type, values: values(), aggregator: 'sum' }) };
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0]);
}

/** A bucket of ours that ends a hair above a bound belongs below it: off by at most the width of a bucket, 9 %. */
const ROUNDING = 1.05;
