import type { OutageSchedule } from '../../lib/testkit/traffic/outage.ts';
import type { TrafficOptions } from '../../lib/testkit/traffic/traffic.ts';

/** When things happen in the demo, in milliseconds since its traffic began. */
export interface Timeline {
  /** Requests arrive until then. */
  readonly trafficMs: number;
  readonly outages: OutageSchedule;
  readonly requestsPerSecond: TrafficOptions['requestsPerSecond'];
  /** By then a bounded run has seen everything, or has failed; Infinity for an endless one. */
  readonly deadlineMs: number;
}

/** Until Ctrl-C: a failover every five minutes. */
export const ENDLESS: Timeline = {
  trafficMs: Infinity,
  outages: { firstMs: 30_000, lengthMs: 20_000, everyMs: 300_000 },
  requestsPerSecond: { first: 4, peak: 45, rampMs: 15_000 },
  deadlineMs: Infinity,
};

/**
 * Bounded: the last requests that hang began at 38 s and end by 69 s, are exported by 72 s, their traces close 10 s
 * later and are archived 5 s after that. The half minute left is for whoever kills a service meanwhile.
 */
export const ONCE: Timeline = {
  trafficMs: 60_000,
  outages: { firstMs: 18_000, lengthMs: 20_000 },
  requestsPerSecond: { first: 4, peak: 45, rampMs: 10_000 },
  deadlineMs: 118_000,
};
