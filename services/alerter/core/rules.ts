/**
 * The figures by which detectors and incidents decide. Times are milliseconds; event time is counted in windows of
 * `windowMs`, numbered since 1970.
 */
export interface Rules {
  readonly windowMs: number;
  /** Windows that a detector remembers; later deltas for older ones are dropped. */
  readonly windowsKept: number;
  /** Lengths, in windows, over which the rate is compared with the baseline; ascending. */
  readonly windowLengths: readonly number[];
  /** Score needed to fire: ln(effective tests a day / false alerts a day allowed); 12 allows 0.02, 15 allows 0.001. */
  readonly threshold: number;
  readonly errorsMin: number;
  /** The rate must be above the baseline by this much, and by this factor. */
  readonly rateRiseMin: number;
  readonly rateRatioMin: number;
  /** A call is slow when it takes longer than the usual 95th percentile by this factor, and by so many milliseconds. */
  readonly slowerRatioMin: number;
  readonly slowerByMinMs: number;
  /** The share of slow calls must be above the usual one by this much. */
  readonly slowRiseMin: number;
  readonly baselineHalfLifeMs: number;
  /** What is believed of a subject before anything is known. */
  readonly priorCalls: number;
  readonly priorErrors: number;
  /** An alert is over after `calmMs` with the score below `calmScore`, judged over at least `calmCallsMin` calls. */
  readonly calmScore: number;
  readonly calmMs: number;
  readonly calmCallsMin: number;
  /** No traffic for so long: nothing can be said any more. */
  readonly staleMs: number;
  /** Open for so long: the new rate is taken for normal. */
  readonly expireMs: number;
  /** The same fault within this time after its end is the same incident. */
  readonly reopenMs: number;
  /** How long first alerts are held, so that those of one fault come as one incident. */
  readonly pendingMs: number;
  /** Least time between announcements of an open incident, unless its cause changes or its severity rises. */
  readonly updateMs: number;
  /** A window further ahead of stream time is a wrong clock: its counts go to the window of their arrival. */
  readonly clockAheadMaxMs: number;
  readonly subjectsMax: number;
  /** A subject without traffic for so long may be forgotten. */
  readonly subjectIdleMs: number;
}

export const DEFAULT_RULES: Rules = {
  windowMs: 10_000,
  windowsKept: 60,
  windowLengths: [3, 12, 60],
  threshold: 12,
  errorsMin: 5,
  rateRiseMin: 0.01,
  rateRatioMin: 2,
  slowerRatioMin: 1.4,
  slowerByMinMs: 5,
  slowRiseMin: 0.05,
  baselineHalfLifeMs: 6 * 3_600_000,
  priorCalls: 100,
  priorErrors: 0.5,
  calmScore: 3,
  calmMs: 120_000,
  calmCallsMin: 20,
  staleMs: 600_000,
  expireMs: 24 * 3_600_000,
  reopenMs: 15 * 60_000,
  pendingMs: 5_000,
  updateMs: 30_000,
  clockAheadMaxMs: 60_000,
  subjectsMax: 100_000,
  subjectIdleMs: 24 * 3_600_000,
};

export const DETECTOR_NAME = 'mw-glr';
export const DETECTOR_VERSION = '1';

/** Independent tests that the overlapping windows of one subject amount to in a day; turns a score into a rate. */
export const EFFECTIVE_TESTS_PER_DAY = 3_744;
