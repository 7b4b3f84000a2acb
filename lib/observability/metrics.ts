import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { registerProcessMetrics } from './process-metrics.ts';

/** What one service counts. The first five are the same everywhere, so that one dashboard shows what came, went and stayed. */
export interface Metrics {
  /** Taken in from upstream and not to be read again. `unit`: `records` unless said otherwise, e.g. `spans`, `bytes`. */
  received(count: number, unit?: string): void;
  /** Given on, by named output (`traces`, `dead_letters`, …). */
  sent(output: string, count: number): void;
  /** Left out on purpose, by reason. What was received is sent or dropped, or still held. */
  dropped(reason: string, count: number): void;
  /** Failures by error code (docs/errors.md). */
  errors(code: string, count?: number): void;
  /** How far behind the end of a partition: records, and seconds since the oldest unread one was appended. */
  lag(topic: string, partition: number, records: number, seconds: number): void;
  /** Forgets the lag of a partition that another process owns now. */
  lagGone(topic: string, partition: number): void;
  /** Own instruments; `name` is without the prefix `spanloom_<service>_` and, for counters, ends in `_total`. */
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  gauge<L extends string = never>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  histogram<L extends string = never>(
    name: string,
    help: string,
    options?: { labels?: readonly L[]; buckets?: readonly number[] },
  ): Histogram<L>;
  /** For names that others fixed, e.g. `traces_service_graph_*`: register there. */
  readonly registry: Registry;
}

/** Metrics of one service in a registry of their own, with those of its process. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  const prefix = `spanloom_${service.replaceAll('-', '_')}_`;
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labels: readonly L[] = []): Counter<L> => {
    if (!name.endsWith('_total')) throw new Error(`Counter ${name}: the name of a counter ends in _total`);
    return new Counter({ name: prefix + name, help, labelNames: labels, registers });
  };
  const gauge = <L extends string>(name: string, help: string, labels: readonly L[] = []): Gauge<L> =>
    new Gauge({ name: prefix + name, help, labelNames: labels, registers });

  registerProcessMetrics(registry);
  const received = counter('received_total', COMMON_METRICS.received_total.help, COMMON_METRICS.received_total.labels);
  const sent = counter('sent_total', COMMON_METRICS.sent_total.help, COMMON_METRICS.sent_total.labels);
  const dropped = counter('dropped_total', COMMON_METRICS.dropped_total.help, COMMON_METRICS.dropped_total.labels);
  const errors = counter('errors_total', COMMON_METRICS.errors_total.help, COMMON_METRICS.errors_total.labels);
  const lagRecords = gauge('lag_records', COMMON_METRICS.lag_records.help, COMMON_METRICS.lag_records.labels);
  const lagSeconds = gauge('lag_seconds', COMMON_METRICS.lag_seconds.help, COMMON_METRICS.lag_seconds.labels);
  return {
    received: (count, unit = 'records') => received.inc({ unit }, count),
    sent: (output, count) => sent.inc({ output }, count),
    dropped: (reason, count) => dropped.inc({ reason }, count),
    errors: (code, count = 1) => errors.inc({ code }, count),
    lag(topic, partition, records, seconds) {
      lagRecords.set({ topic, partition }, records);
      lagSeconds.set({ topic, partition }, seconds);
    },
    lagGone(topic, partition) {
      lagRecords.remove({ topic, partition });
      lagSeconds.remove({ topic, partition });
    },
    counter,
    gauge,
    histogram: (name, help, { labels = [], buckets = SECONDS_BUCKETS } = {}) =>
      new Histogram({ name: prefix + name, help, labelNames: labels, buckets: [...buckets], registers }),
    registry,
  };
}

/** What every service exports below its prefix; docs/metrics.md is made from it. */
export const COMMON_METRICS = {
  received_total: { kind: 'counter', help: 'Taken in from upstream, by unit.', labels: ['unit'] },
  sent_total: { kind: 'counter', help: 'Given on, by output.', labels: ['output'] },
  dropped_total: { kind: 'counter', help: 'Left out on purpose, by reason.', labels: ['reason'] },
  errors_total: { kind: 'counter', help: 'Failures, by the code that docs/errors.md explains.', labels: ['code'] },
  lag_records: {
    kind: 'gauge',
    help: 'Records of a partition that are not processed yet.',
    labels: ['topic', 'partition'],
  },
  lag_seconds: {
    kind: 'gauge',
    help: 'Seconds behind the end of a partition; 0 when caught up.',
    labels: ['topic', 'partition'],
  },
} as const;

/** From a fast Redis call to a slow upload. */
const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
