import { squaredResidual } from '../../../lib/stats/glr.ts';
import type { Rules } from './rules.ts';

/**
 * What is normal for many subjects, one a row, in typed arrays: calls and errors that decay with time, beside a prior,
 * and how much more the errors scatter than independent ones would (dispersion).
 */
export class RateBaselines {
  /** What a baseline loses in one window. */
  readonly decayPerWindow: number;
  private readonly priorCalls: number;
  private readonly priorErrors: number;
  private calls = new Float64Array(ROWS_AT_FIRST);
  private errors = new Float64Array(ROWS_AT_FIRST);
  private dispersionSum = new Float64Array(ROWS_AT_FIRST);
  private dispersionWeight = new Float64Array(ROWS_AT_FIRST);

  constructor(rules: Rules) {
    this.decayPerWindow = 2 ** (-rules.windowMs / rules.baselineHalfLifeMs);
    this.priorCalls = rules.priorCalls;
    this.priorErrors = rules.priorErrors;
  }

  /** A row about which nothing is known. */
  begin(row: number): void {
    this.grow(row);
    this.set(row, 0, 0);
    this.dispersionSum[row] = DISPERSION_START;
    this.dispersionWeight[row] = DISPERSION_START;
  }

  set(row: number, calls: number, errors: number): void {
    this.calls[row] = calls;
    this.errors[row] = errors;
  }

  /** Calls, prior included. */
  callsOf(row: number): number {
    return (this.calls[row] as number) + this.priorCalls;
  }

  /** Errors, prior included. */
  errorsOf(row: number): number {
    return (this.errors[row] as number) + this.priorErrors;
  }

  rateOf(row: number): number {
    return this.errorsOf(row) / this.callsOf(row);
  }

  /** The baseline does not outweigh the prior yet. */
  isYoung(row: number): boolean {
    return (this.calls[row] as number) < PRIOR_OUTWEIGHED * this.priorCalls;
  }

  /** A window later: what is known fades, and these counts become part of it. */
  admit(row: number, calls: number, errors: number): void {
    this.decay(row, 1);
    this.calls[row] = (this.calls[row] as number) + calls;
    this.errors[row] = (this.errors[row] as number) + errors;
  }

  decay(row: number, windows: number): void {
    if (windows === 0) return;
    const factor = windows === 1 ? this.decayPerWindow : this.decayPerWindow ** windows;
    this.calls[row] = (this.calls[row] as number) * factor;
    this.errors[row] = (this.errors[row] as number) * factor;
  }

  /**
   * Takes the residual of a minute's counts, unless so few errors are expected that it would say nothing. Not for a young
   * row: the residual would measure how wrong the prior is.
   */
  learnDispersion(row: number, calls: number, errors: number): void {
    const rate = this.rateOf(row);
    if (calls * rate <= EXPECTED_ERRORS_MIN) return;
    const residual = Math.min(RESIDUAL_MAX, squaredResidual(calls, Math.max(0, errors), rate));
    this.dispersionSum[row] = DISPERSION_MEMORY * (this.dispersionSum[row] as number) + residual;
    this.dispersionWeight[row] = DISPERSION_MEMORY * (this.dispersionWeight[row] as number) + 1;
  }

  /** Variance of the errors as a multiple of what independent calls would have; 1 at least. */
  dispersion(row: number): number {
    const mean = (this.dispersionSum[row] as number) / (this.dispersionWeight[row] as number);
    return Math.max(1, Math.min(DISPERSION_MAX, mean));
  }

  save(row: number): SavedBaseline {
    return {
      baselineCalls: this.calls[row] as number,
      baselineErrors: this.errors[row] as number,
      dispersionSum: this.dispersionSum[row] as number,
      dispersionWeight: this.dispersionWeight[row] as number,
    };
  }

  restore(row: number, saved: SavedBaseline): void {
    this.set(row, saved.baselineCalls, saved.baselineErrors);
    this.dispersionSum[row] = saved.dispersionSum;
    this.dispersionWeight[row] = saved.dispersionWeight;
  }

  private grow(row: number): void {
    if (row < this.calls.length) return;
    const length = this.calls.length * 2;
    this.calls = grown(this.calls, length);
    this.errors = grown(this.errors, length);
    this.dispersionSum = grown(this.dispersionSum, length);
    this.dispersionWeight = grown(this.dispersionWeight, length);
  }
}

interface SavedBaseline {
  readonly baselineCalls: number;
  readonly baselineErrors: number;
  readonly dispersionSum: number;
  readonly dispersionWeight: number;
}

/** A longer copy. */
export function grown(column: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(length);
  larger.set(column);
  return larger;
}

const ROWS_AT_FIRST = 256;
const EXPECTED_ERRORS_MIN = 0.2;
const RESIDUAL_MAX = 50;
const DISPERSION_START = 20;
const DISPERSION_MEMORY = 0.995;
const DISPERSION_MAX = 30;
const PRIOR_OUTWEIGHED = 10;
