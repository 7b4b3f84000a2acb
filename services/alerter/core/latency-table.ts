import type { DetectorState } from '../../../lib/codec/incident-records.ts';
import type { SparseHistogram } from '../../../lib/stats/duration-histogram.ts';
import { DetectorTable } from './detector-table.ts';
import { bucketUpTo, countAbove, DurationBaselines, middleMicros, upperMicros } from './duration-baselines.ts';
import { grown } from './rate-baselines.ts';
import type { Rules } from './rules.ts';
import type { Subject } from './subject.ts';

/**
 * Detectors of shifts of the 95th percentile, of the same family as those of error rates: a call that takes well longer
 * than 95 % of the subject's calls used to is slow, and the share of slow calls is a rate like that of errors. Once one
 * call in twenty is slow, the percentile itself has moved beyond the threshold.
 *
 * What is slow is chosen from the baseline's durations, first after a minute, then ever less often up to once an hour;
 * what was counted by the old measure is then not judged any more. A row takes at most 1 KiB.
 */
export class LatencyTable extends DetectorTable {
  private readonly baselines = new DurationBaselines();
  /** The longest bucket that is not slow; UNKNOWN before it is chosen. */
  private thresholds = new Int16Array(ROWS_AT_FIRST);
  private chooseAt = new Float64Array(ROWS_AT_FIRST);
  private bornAt = new Float64Array(ROWS_AT_FIRST);
  private decayedAt = new Float64Array(ROWS_AT_FIRST);

  constructor(rules: Rules) {
    super(latencyRules(rules), { countsTraces: false });
  }

  override add(subject: Subject, window: number, nowMs: number): number {
    const row = super.add(subject, window, nowMs);
    if (row >= this.thresholds.length) this.growTo(row);
    this.begin(row, window);
    return row;
  }

  /**
   * Adds the calls of a record. Failed ones count as errors elsewhere, not as slow here: a fault whose calls hang and
   * then fail is not two. False when the window is older than what the row holds.
   *
   * @param errors failed calls among them, signed as they are.
   */
  countDurations(row: number, window: number, durations: SparseHistogram, errors: number, nowMs: number): boolean {
    const head = this.head(row);
    const threshold = this.thresholds[row] as number;
    const [above, all] = threshold === UNKNOWN ? [0, 0] : countAbove(durations, threshold);
    if (!this.count(row, window, all, withoutFailed(above, errors), 0, nowMs)) return false;
    if (this.head(row) > head) this.moveOn(row);
    if (!this.isOpen(row)) this.baselines.add(row, durations);
    return true;
  }

  /** Calls that take longer are slow; undefined while that is not known. */
  slowerThanMicros(row: number): number | undefined {
    const threshold = this.thresholds[row] as number;
    return threshold === UNKNOWN ? undefined : upperMicros(threshold);
  }

  /** What half of the calls take at most; undefined before the first. */
  usualMicros(row: number): number | undefined {
    const bucket = this.baselines.quantileBucket(row, 0.5);
    return bucket < 0 ? undefined : middleMicros(bucket);
  }

  /** The row alerts, or is on its way to it. */
  isSuspicious(row: number): boolean {
    return this.isOpen(row) || this.score(row) >= this.rules.calmScore;
  }

  /** What is usual now is learnt from scratch. */
  override adoptAsNormal(row: number): void {
    this.close(row);
    this.setBaseline(row, 0, 0);
    this.begin(row, this.head(row));
  }

  override save(row: number): DetectorState {
    return {
      ...super.save(row),
      latency: {
        threshold: this.thresholds[row] as number,
        chooseAt: this.chooseAt[row] as number,
        bornAt: this.bornAt[row] as number,
        decayedAt: this.decayedAt[row] as number,
        ...this.baselines.save(row),
      },
    };
  }

  override restore(state: DetectorState): number {
    const row = super.restore(state);
    const { latency } = state;
    if (latency === null) return row;
    this.thresholds[row] = latency.threshold;
    this.chooseAt[row] = latency.chooseAt;
    this.bornAt[row] = latency.bornAt;
    this.decayedAt[row] = latency.decayedAt;
    this.baselines.restore(row, latency);
    return row;
  }

  private begin(row: number, window: number): void {
    this.baselines.clear(row);
    this.thresholds[row] = UNKNOWN;
    this.bornAt[row] = window;
    this.decayedAt[row] = window;
    this.chooseAt[row] = window + CHOOSE_FIRST_AFTER;
  }

  /** The head has moved: time to forget a little, and perhaps to choose anew what is slow. */
  private moveOn(row: number): void {
    const head = this.head(row);
    const passed = head - (this.decayedAt[row] as number);
    if (passed >= DECAY_EVERY) {
      if (!this.isOpen(row)) this.baselines.decay(row, this.baseline.decayPerWindow ** passed);
      this.decayedAt[row] = head;
    }
    if (head < (this.chooseAt[row] as number) || this.isOpen(row)) return;
    const calls = this.baselines.above(row, -1);
    const isKnown = this.thresholds[row] !== UNKNOWN;
    if (calls < CHOOSE_CALLS_MIN || (isKnown && this.isSuspicious(row))) return;
    this.choose(row, calls);
    const age = head - (this.bornAt[row] as number);
    this.chooseAt[row] = head + Math.min(CHOOSE_EVERY, age);
  }

  private choose(row: number, calls: number): void {
    const usual = upperMicros(this.baselines.quantileBucket(row, QUANTILE));
    const limit = Math.max(usual * this.rules.slowerRatioMin, usual + this.rules.slowerByMinMs * 1000);
    const threshold = bucketUpTo(limit);
    if (threshold === this.thresholds[row]) return;
    this.thresholds[row] = threshold;
    this.setBaseline(row, calls, this.baselines.above(row, threshold));
  }

  private growTo(row: number): void {
    const length = Math.max(this.thresholds.length * 2, row + 1);
    const thresholds = new Int16Array(length);
    thresholds.set(this.thresholds);
    this.thresholds = thresholds;
    this.chooseAt = grown(this.chooseAt, length);
    this.bornAt = grown(this.bornAt, length);
    this.decayedAt = grown(this.decayedAt, length);
  }
}

const UNKNOWN = -1;
const QUANTILE = 0.95;
const ROWS_AT_FIRST = 256;
/** In windows of 10 s: a minute, five minutes, an hour. */
const CHOOSE_FIRST_AFTER = 6;
const DECAY_EVERY = 30;
const CHOOSE_EVERY = 360;
const CHOOSE_CALLS_MIN = 100;

/** The same rules, read for slow calls in the place of errors. */
function latencyRules(rules: Rules): Rules {
  return { ...rules, rateRiseMin: rules.slowRiseMin, priorErrors: (1 - QUANTILE) * rules.priorCalls };
}

function withoutFailed(slow: number, failed: number): number {
  if (failed === 0 || Math.sign(slow) !== Math.sign(failed)) return slow;
  return Math.sign(slow) * Math.max(0, Math.abs(slow) - Math.abs(failed));
}
