import type { SeededRandom } from '../../../lib/testkit/traffic/random.ts';

/** A labelled fault: what it does to calls, and what is to be named as its cause. */
export interface Fault {
  /** Virtual milliseconds. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** The service or peer that is to be named. */
  readonly service: string;
  /** Also to be named, when only the calls of this one fail. */
  readonly caller: string | undefined;
  /** The version that is to be named, when a deploy is to blame. */
  readonly version: string | undefined;
  /** What it does to one attempt of a call, if anything. */
  strike(call: Attempt, random: SeededRandom): Effect | undefined;
}

/** One attempt of a call. `operation` is empty for a peer without spans. */
export interface Attempt {
  readonly caller: string;
  readonly callee: string;
  readonly operation: string;
  readonly atMs: number;
}

export type Effect =
  /** The callee works on it and fails. */
  | { readonly kind: 'fails'; readonly version?: string }
  /** Nobody is there: no span of the callee, and the caller knows at once. */
  | { readonly kind: 'refused' }
  /** No span of the callee, and the caller waits for so long, or until it gives up. */
  | { readonly kind: 'hangs'; readonly forMs: number }
  /** The callee is fine and in time; its answer is lost on the way. */
  | { readonly kind: 'lost' }
  /** The callee itself takes so much longer. */
  | { readonly kind: 'slow'; readonly byMs: number }
  /** The way there and back takes so much longer. */
  | { readonly kind: 'far'; readonly byMs: number }
  /** Done by a new version, and well. */
  | { readonly kind: 'deployed'; readonly version: string };

/** Draws an effect for an attempt that the fault hits. */
export type Strike = (random: SeededRandom) => Effect | undefined;

/** @param where names what is hit; `caller` and `operation` narrow it down. */
export function faultAt(
  where: { readonly callee: string; readonly caller?: string; readonly operation?: string },
  time: { readonly fromMs: number; readonly untilMs: number },
  strike: Strike,
  version?: string,
): Fault {
  const { callee, caller, operation } = where;
  return {
    ...time,
    service: callee,
    caller,
    version,
    strike(call, random) {
      if (call.callee !== callee || call.atMs < time.fromMs || call.atMs >= time.untilMs) return undefined;
      if (caller !== undefined && call.caller !== caller) return undefined;
      if (operation !== undefined && call.operation !== operation) return undefined;
      return strike(random);
    },
  };
}
