import type { DetectorState } from '../../../lib/codec/incident-records.ts';
import { rateIncreaseScore } from '../../../lib/stats/glr.ts';
import { RateRings } from '../../../lib/stats/rate-ring.ts';
import { grown, RateBaselines } from './rate-baselines.ts';
import type { Rules } from './rules.ts';
import { keyOf, type Subject } from './subject.ts';

/** Why a detector fires: the window length that speaks the loudest. */
export interface Finding {
  readonly windowSeconds: number;
  readonly score: number;
  readonly dispersion: number;
  readonly calls: number;
  readonly errors: number;
  readonly baselineRate: number;
  readonly baselineCalls: number;
  /** Window in which the rise most likely began. */
  readonly onset: number;
}

/**
 * Detectors for many subjects, one a row, in typed arrays (about 0.9 KiB a row): a ring of the last windows beside a
 * baseline. Method MW-GLR: over several windows at once, the likelihood ratio of
 * "the error rate rose" against "it is the baseline's", both taken as samples, divided by the dispersion.
 *
 * Time is event time, and each row's own: a row moves on when newer counts of its subject come, nothing else moves it.
 */
export class DetectorTable {
  /** Deltas that came too late for their window. */
  lateDropped = 0;
  protected readonly rules: Rules;
  protected readonly rings: RateRings;
  protected readonly baseline: RateBaselines;
  private readonly rowByKey = new Map<string, number>();
  private readonly subjects: (Subject | undefined)[] = [];
  private readonly keys: (string | undefined)[] = [];
  private touchedAt = new Float64Array(ROWS_AT_FIRST);
  private calmSince = new Float64Array(ROWS_AT_FIRST);
  private openRows = new Uint8Array(ROWS_AT_FIRST);
  private readonly sums: Float64Array;

  /** @param countsTraces without, a row is a quarter smaller. */
  constructor(rules: Rules, { countsTraces = true } = {}) {
    this.rules = rules;
    this.rings = new RateRings({ slots: rules.windowsKept, channels: countsTraces ? CHANNELS : TRACES });
    this.baseline = new RateBaselines(rules);
    this.sums = new Float64Array(2 * rules.windowLengths.length);
  }

  get size(): number {
    return this.rowByKey.size;
  }

  rowOf(key: string): number | undefined {
    return this.rowByKey.get(key);
  }

  rows(): IterableIterator<number> {
    return this.rowByKey.values();
  }

  subject(row: number): Subject {
    const subject = this.subjects[row];
    if (subject === undefined) throw new Error(`detector row ${row} is not in use`);
    return subject;
  }

  key(row: number): string {
    return this.keys[row] as string;
  }

  add(subject: Subject, window: number, nowMs: number): number {
    const row = this.rings.addRow(window);
    this.grow(row);
    const key = keyOf(subject);
    this.rowByKey.set(key, row);
    this.subjects[row] = subject;
    this.keys[row] = key;
    this.baseline.begin(row);
    this.touchedAt[row] = nowMs;
    this.calmSince[row] = NOT_CALM;
    this.openRows[row] = 0;
    return row;
  }

  remove(row: number): void {
    this.rowByKey.delete(this.key(row));
    this.subjects[row] = undefined;
    this.keys[row] = undefined;
    this.rings.freeRow(row);
  }

  /** Adds signed counts to a window. False when the window is older than what the row holds. */
  count(row: number, window: number, calls: number, errors: number, traces: number, nowMs: number): boolean {
    if (window > this.rings.head(row)) this.advance(row, window);
    if (!this.rings.holds(row, window)) {
      this.lateDropped++;
      return false;
    }
    if (calls !== 0) this.rings.add(row, window, CALLS, calls);
    if (errors !== 0) this.rings.add(row, window, ERRORS, errors);
    if (traces !== 0) this.rings.add(row, window, TRACES, traces);
    if (nowMs > (this.touchedAt[row] as number)) this.touchedAt[row] = nowMs;
    return true;
  }

  head(row: number): number {
    return this.rings.head(row);
  }

  lastTouchedAt(row: number): number {
    return this.touchedAt[row] as number;
  }

  /** Requests in one window, never below zero; 0 when the row does not hold it. */
  callsIn(row: number, window: number): number {
    return Math.max(0, this.rings.at(row, window, CALLS));
  }

  /** Traces that touched the subject from `fromWindow` on, as far as the row remembers; calls where traces are not counted. */
  tracesSince(row: number, fromWindow: number): number {
    const head = this.rings.head(row);
    let traces = 0;
    let calls = 0;
    for (let window = Math.max(fromWindow, head - this.rules.windowsKept + 1); window <= head; window++) {
      traces += this.tracesIn(row, window);
      calls += this.rings.at(row, window, CALLS);
    }
    return Math.max(0, traces !== 0 ? traces : calls);
  }

  /** Errors in one window beyond those of the baseline; may be negative; 0 when the row does not hold it. */
  excessIn(row: number, window: number): number {
    const { rings } = this;
    if (!rings.holds(row, window)) return 0;
    return rings.at(row, window, ERRORS) - this.baselineRate(row) * this.callsIn(row, window);
  }

  /** Error rate of the baseline, prior included. */
  baselineRate(row: number): number {
    return this.baseline.rateOf(row);
  }

  isOpen(row: number): boolean {
    return this.openRows[row] === 1;
  }

  /**
   * What fires, if anything does. A row that is not open leaves out the windows of its last alert, or a fault that is
   * over would fire again from the longest window. Open rows are judged too: the walk along failing edges asks.
   */
  evaluate(row: number): Finding | undefined {
    const lengths = this.rules.windowLengths;
    const longest = lengths.length - 1;
    this.rings.sumNewest(row, lengths, CALLS, ERRORS, this.isOpen(row) ? NONE_SKIPPED : HELD, this.sums);
    // The longest window has seen every error that a shorter one has.
    if ((this.sums[2 * longest + 1] as number) < this.rules.errorsMin && !this.hasNegative()) return undefined;
    const calls = this.baseline.callsOf(row);
    const errors = this.baseline.errorsOf(row);
    let best: Finding | undefined;
    for (let i = 0; i <= longest; i++) {
      best = this.louder(best, row, i, calls, errors);
      // What the ring holds enters the baseline only later. Until that has something to say, a short window is compared
      // with those before it as well, or nothing but a total failure could fire in the first ten minutes.
      if (i < longest && this.baseline.isYoung(row)) {
        const callsBefore = Math.max(0, this.callsSum(longest) - this.callsSum(i));
        const errorsBefore = Math.min(callsBefore, Math.max(0, this.errorsSum(longest) - this.errorsSum(i)));
        best = this.louder(best, row, i, calls + callsBefore, errors + errorsBefore);
      }
    }
    return best === undefined ? undefined : { ...best, onset: this.onset(row) };
  }

  /** The largest score, whether it is enough to fire or not. */
  score(row: number): number {
    const lengths = this.rules.windowLengths;
    this.rings.sumNewest(row, lengths, CALLS, ERRORS, this.isOpen(row) ? NONE_SKIPPED : HELD, this.sums);
    let most = 0;
    for (let i = 0; i < lengths.length; i++) {
      const calls = this.baseline.callsOf(row);
      const score = rateIncreaseScore(this.callsSum(i), this.errorsSum(i), calls, this.baseline.errorsOf(row));
      most = Math.max(most, score);
    }
    return most / this.baseline.dispersion(row);
  }

  /** Window from which on, up to the head, the rise is the most likely: the estimate of when a fault began. */
  onset(row: number): number {
    const head = this.rings.head(row);
    const baseCalls = this.baseline.callsOf(row);
    const baseErrors = this.baseline.errorsOf(row);
    let calls = 0;
    let errors = 0;
    let onset = head;
    let best = 0;
    for (let window = head; window > head - this.rules.windowsKept; window--) {
      if (!this.isOpen(row) && this.rings.mark(row, window) === HELD) continue;
      calls += this.rings.at(row, window, CALLS);
      errors += this.rings.at(row, window, ERRORS);
      const n = Math.max(0, calls);
      const score = rateIncreaseScore(n, Math.min(n, Math.max(0, errors)), baseCalls, baseErrors);
      if (score > best) {
        best = score;
        onset = window;
      }
    }
    return onset;
  }

  /** The row alerts: what it sees from `fromWindow` on stays out of the baseline until it is closed. */
  open(row: number, fromWindow: number): void {
    this.openRows[row] = 1;
    this.calmSince[row] = NOT_CALM;
    for (let window = fromWindow; window <= this.rings.head(row); window++) this.rings.setMark(row, window, HELD);
  }

  close(row: number): void {
    this.openRows[row] = 0;
    this.calmSince[row] = NOT_CALM;
  }

  /** The rate of the last windows becomes the baseline, so that what has lasted does not alert again at once. */
  adoptAsNormal(row: number): void {
    this.close(row);
    const longest = this.rules.windowLengths.length - 1;
    this.rings.sumNewest(row, this.rules.windowLengths, CALLS, ERRORS, NONE_SKIPPED, this.sums);
    const calls = this.callsSum(longest);
    const weight = Math.max(calls, NEW_NORMAL_CALLS_MIN);
    if (calls > 0) this.setBaseline(row, weight, (this.errorsSum(longest) / calls) * weight);
    else this.setBaseline(row, 0, 0);
  }

  /** For an open row: true once it has been calm for long enough. Moves its calm clock. */
  hasCalmedDown(row: number): boolean {
    const head = this.rings.head(row);
    if (!this.isCalm(row)) {
      this.calmSince[row] = NOT_CALM;
      return false;
    }
    if (this.calmSince[row] === NOT_CALM) this.calmSince[row] = head;
    return (head - (this.calmSince[row] as number)) * this.rules.windowMs >= this.rules.calmMs;
  }

  save(row: number): DetectorState {
    const subject = this.subject(row);
    const head = this.rings.head(row);
    let oldest = head - this.rules.windowsKept + 1;
    while (oldest < head && this.isBlank(row, oldest)) oldest++;
    const state: DetectorState = {
      subject: subject.kind,
      client: subject.client,
      server: subject.server,
      operation: subject.operation,
      connectionType: subject.connectionType,
      peerKind: subject.peerKind,
      head,
      calls: [],
      errors: [],
      traces: [],
      held: [],
      ...this.baseline.save(row),
      touchedAt: this.touchedAt[row] as number,
      open: this.openRows[row] === 1,
      calmSince: this.calmSince[row] as number,
      latency: null,
      owner: '',
      versions: [],
    };
    for (let window = oldest; window <= head; window++) {
      state.calls.push(this.rings.at(row, window, CALLS));
      state.errors.push(this.rings.at(row, window, ERRORS));
      state.traces.push(this.tracesIn(row, window));
      if (this.rings.mark(row, window) === HELD) state.held.push(window);
    }
    return state;
  }

  restore(state: DetectorState): number {
    const { subject: kind, client, server, operation, connectionType, peerKind } = state;
    const row = this.add({ kind, client, server, operation, connectionType, peerKind }, state.head, state.touchedAt);
    state.calls.forEach((calls, i) => {
      const window = state.head - state.calls.length + 1 + i;
      this.rings.add(row, window, CALLS, calls);
      this.rings.add(row, window, ERRORS, state.errors[i] ?? 0);
      if (this.rings.channels > TRACES) this.rings.add(row, window, TRACES, state.traces[i] ?? 0);
    });
    for (const window of state.held) this.rings.setMark(row, window, HELD);
    this.baseline.restore(row, state);
    this.openRows[row] = state.open ? 1 : 0;
    this.calmSince[row] = state.calmSince;
    return row;
  }

  /** The baseline is this, and what the ring holds must not enter it as well, nor be judged by it. */
  protected setBaseline(row: number, calls: number, errors: number): void {
    this.baseline.set(row, calls, errors);
    this.holdAll(row);
  }

  private holdAll(row: number): void {
    const head = this.rings.head(row);
    for (let window = head - this.rules.windowsKept + 1; window <= head; window++) {
      this.rings.setMark(row, window, HELD);
    }
  }

  private advance(row: number, window: number): void {
    const mark = this.openRows[row] === 1 ? HELD : ADMITTED;
    const until = Math.min(window, this.rings.head(row) + this.rules.windowsKept);
    while (this.rings.head(row) < until) {
      const entering = this.rings.head(row) + 1;
      if (entering % WINDOWS_PER_GROUP === 0) this.learnDispersion(row, entering - 2 * WINDOWS_PER_GROUP);
      this.admit(row, entering - this.rules.windowsKept);
      this.rings.step(row, mark);
    }
    if (window > until) {
      this.baseline.decay(row, mark === HELD ? 0 : window - until);
      this.rings.restart(row, window, mark);
    }
  }

  /** A window leaves the ring: it enters the baseline unless the row alerted in it. */
  private admit(row: number, window: number): void {
    if (this.rings.mark(row, window) === HELD) return;
    const calls = Math.max(0, this.rings.at(row, window, CALLS));
    const errors = Math.min(calls, Math.max(0, this.rings.at(row, window, ERRORS)));
    this.baseline.admit(row, calls, errors);
  }

  /**
   * Takes the residual of the minute that begins at `first`, a minute late, so that late counts are in, and once the
   * baseline outweighs the prior.
   */
  private learnDispersion(row: number, first: number): void {
    if (this.baseline.isYoung(row)) return;
    let calls = 0;
    let errors = 0;
    for (let window = first; window < first + WINDOWS_PER_GROUP; window++) {
      if (this.rings.mark(row, window) === HELD) return;
      calls += this.rings.at(row, window, CALLS);
      errors += this.rings.at(row, window, ERRORS);
    }
    this.baseline.learnDispersion(row, calls, errors);
  }

  private louder(
    best: Finding | undefined,
    row: number,
    length: number,
    baseCalls: number,
    baseErrors: number,
  ): Finding | undefined {
    const calls = this.callsSum(length);
    const errors = this.errorsSum(length);
    if (!this.isRise(calls, errors, baseErrors / baseCalls)) return best;
    const dispersion = this.baseline.dispersion(row);
    const score = rateIncreaseScore(calls, errors, baseCalls, baseErrors) / dispersion;
    if (score < (best?.score ?? this.rules.threshold)) return best;
    return {
      windowSeconds: ((this.rules.windowLengths[length] as number) * this.rules.windowMs) / 1000,
      score,
      dispersion,
      calls,
      errors,
      baselineRate: baseErrors / baseCalls,
      baselineCalls: baseCalls - this.rules.priorCalls,
      onset: this.head(row),
    };
  }

  private isRise(calls: number, errors: number, baseRate: number): boolean {
    if (errors < this.rules.errorsMin) return false;
    const rate = errors / calls;
    return rate - baseRate >= this.rules.rateRiseMin && rate >= this.rules.rateRatioMin * baseRate;
  }

  /** Judged over the middle window; over the longest where that has too few calls. */
  private isCalm(row: number): boolean {
    const lengths = this.rules.windowLengths;
    this.rings.sumNewest(row, lengths, CALLS, ERRORS, NONE_SKIPPED, this.sums);
    const middle = lengths.length >> 1;
    const judged = this.callsSum(middle) >= this.rules.calmCallsMin ? middle : lengths.length - 1;
    const calls = this.callsSum(judged);
    if (calls === 0) return false;
    const errors = this.errorsSum(judged);
    if (errors / calls >= this.baselineRate(row) + this.rules.rateRiseMin / 2) return false;
    const score = rateIncreaseScore(calls, errors, this.baseline.callsOf(row), this.baseline.errorsOf(row));
    return score / this.baseline.dispersion(row) < this.rules.calmScore;
  }

  private callsSum(length: number): number {
    return Math.max(0, this.sums[2 * length] as number);
  }

  private errorsSum(length: number): number {
    return Math.min(this.callsSum(length), Math.max(0, this.sums[2 * length + 1] as number));
  }

  /** Corrections that came before what they correct: a longer window may then hold fewer errors than a shorter one. */
  private hasNegative(): boolean {
    for (let i = 3; i < this.sums.length; i += 2) {
      if ((this.sums[i] as number) < (this.sums[i - 2] as number)) return true;
    }
    return false;
  }

  private isBlank(row: number, window: number): boolean {
    return (
      this.rings.at(row, window, CALLS) === 0 &&
      this.rings.at(row, window, ERRORS) === 0 &&
      this.tracesIn(row, window) === 0 &&
      this.rings.mark(row, window) === ADMITTED
    );
  }

  private tracesIn(row: number, window: number): number {
    return this.rings.channels > TRACES ? this.rings.at(row, window, TRACES) : 0;
  }

  private grow(row: number): void {
    if (row < this.openRows.length) return;
    const length = this.openRows.length * 2;
    this.touchedAt = grown(this.touchedAt, length);
    this.calmSince = grown(this.calmSince, length);
    const openRows = new Uint8Array(length);
    openRows.set(this.openRows);
    this.openRows = openRows;
  }
}

const CALLS = 0;
const ERRORS = 1;
const TRACES = 2;
const CHANNELS = 3;
const ADMITTED = 0;
const HELD = 1;
const NONE_SKIPPED = -1;
const NOT_CALM = -1;
const ROWS_AT_FIRST = 256;
/** Residuals are taken per minute. */
const WINDOWS_PER_GROUP = 6;
/** So many calls of the new rate stand behind it at least, or the prior would pull it back down. */
const NEW_NORMAL_CALLS_MIN = 2_000;
