import type { Registry } from 'prom-client';
import { bucketUpperMicros } from '../../../lib/stats/duration-histogram.ts';

/**
 * Series that only rise, fed by signed changes: a correction that takes something back is held until later calls have
 * made up for it. At most `seriesMax` label sets; what is beyond them is left out and counted.
 */
export class RisingCounter<L extends string> {
  private readonly series = new Map<string, { labels: Record<L, string>; sum: number; shown: number }>();
  private readonly seriesMax: number;
  private readonly overflow: () => void;

  constructor(registry: Registry, name: string, help: string, seriesMax: number, overflow: () => void) {
    this.seriesMax = seriesMax;
    this.overflow = overflow;
    register(registry, name, help, 'counter', () =>
      [...this.series.values()].map(({ labels, shown }) => ({ labels, value: shown })),
    );
  }

  add(labels: Record<L, string>, change: number): void {
    const key = Object.values(labels).join('\u0000');
    let series = this.series.get(key);
    if (series === undefined) {
      if (this.series.size >= this.seriesMax) return this.overflow();
      series = { labels, sum: 0, shown: 0 };
      this.series.set(key, series);
    }
    series.sum += change;
    if (series.sum > series.shown) series.shown = series.sum;
  }
}

export interface SignedHistogram {
  forEachBucket(visit: (bucket: number, count: number) => void): void;
  readonly zeroCount: number;
  readonly sumMicros: number;
}

/** The same for durations, in the buckets that Tempo uses. */
export class RisingHistogram<L extends string> {
  private readonly series = new Map<string, DurationSeries<L>>();
  private readonly seriesMax: number;
  private readonly overflow: () => void;

  constructor(registry: Registry, name: string, help: string, seriesMax: number, overflow: () => void) {
    this.seriesMax = seriesMax;
    this.overflow = overflow;
    register(registry, name, help, 'histogram', () => [...this.series.values()].flatMap((one) => valuesOf(name, one)));
  }

  add(labels: Record<L, string>, change: SignedHistogram): void {
    const key = Object.values(labels).join('\u0000');
    let series = this.series.get(key);
    if (series === undefined) {
      if (this.series.size >= this.seriesMax) return this.overflow();
      const buckets = () => new Float64Array(BOUNDS_SECONDS.length + 1);
      series = { labels, sums: buckets(), shown: buckets(), sumSeconds: 0, shownSeconds: 0 };
      this.series.set(key, series);
    }
    const { sums, shown } = series;
    sums[0] = (sums[0] as number) + change.zeroCount;
    change.forEachBucket((bucket, count) => {
      const at = boundOf(bucket);
      sums[at] = (sums[at] as number) + count;
    });
    series.sumSeconds += change.sumMicros / 1e6;
    for (let i = 0; i < sums.length; i++) shown[i] = Math.max(shown[i] as number, sums[i] as number);
    series.shownSeconds = Math.max(series.shownSeconds, series.sumSeconds);
  }
}

interface DurationSeries<L extends string> {
  readonly labels: Record<L, string>;
  /** Per bound, not cumulative; the last is everything above. */
  readonly sums: Float64Array;
  readonly shown: Float64Array;
  sumSeconds: number;
  shownSeconds: number;
}

interface MetricValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

function valuesOf<L extends string>(name: string, { labels, shown, shownSeconds }: DurationSeries<L>): MetricValue[] {
  const values: MetricValue[] = [];
  let count = 0;
  for (let i = 0; i < shown.length; i++) {
    count += shown[i] as number;
    values.push({ labels: { ...labels, le: BOUNDS_SECONDS[i] ?? '+Inf' }, value: count, metricName: `${name}_bucket` });
  }
  values.push({ labels, value: shownSeconds, metricName: `${name}_sum` });
  values.push({ labels, value: count, metricName: `${name}_count` });
  return values;
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

/** Seconds; Tempo's defaults for service graphs and span metrics. */
const BOUNDS_SECONDS = [
  0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384,
];

/** Index of the first bound that the whole bucket is below; off by at most the width of the bucket, 9 %. */
function boundOf(bucket: number): number {
  const upperSeconds = bucketUpperMicros(bucket) / 1e6;
  for (let i = 0; i < BOUNDS_SECONDS.length; i++)
    if (upperSeconds <= (BOUNDS_SECONDS[i] as number) * ROUNDING) return i;
  return BOUNDS_SECONDS.length;
}

/** A bucket that ends a hair above a bound belongs below it. */
const ROUNDING = 1.05;
