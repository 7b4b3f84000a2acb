import type { Verdict } from './verdict.ts';

/** A batch, or a part of one, that was sent and not taken. */
export interface Attempted {
  readonly traces: number;
  /** Requests made with just these traces, this one included. */
  readonly attempts: number;
  /** The destination took something else since these traces were first sent. */
  readonly othersDelivered: boolean;
  /** Of its oldest trace. */
  readonly ageMs: number;
  readonly deadLetterAfterMs: number;
}

/** again: the same once more, after a pause. split: both halves, at once. */
export type Step = 'again' | 'split' | 'bury_refused' | 'bury_old';

/** What follows when a batch was not taken. A batch is halved until the one trace that is refused stands alone. */
export function decide(verdict: Exclude<Verdict, { kind: 'delivered' }>, tried: Attempted): Step {
  const smaller = tried.traces > 1 ? 'split' : 'bury_refused';
  if (verdict.kind === 'refused' || verdict.kind === 'too_large') return smaller;
  if (tried.ageMs >= tried.deadLetterAfterMs) return 'bury_old';
  if (verdict.kind === 'retry') return 'again';
  // An error inside the receiver is an outage unless it takes other traces meanwhile.
  if (tried.othersDelivered && tried.attempts >= POISON_ATTEMPTS) return smaller;
  return tried.traces > 1 && tried.attempts >= PROBE_ATTEMPTS ? 'split' : 'again';
}

const POISON_ATTEMPTS = 3;
/** When nothing else is on its way, only halves can tell an outage from a trace that breaks the receiver. */
const PROBE_ATTEMPTS = 6;
