import type { OutRecord } from '../../../lib/kafka/types.ts';
import type { AssemblerSettings } from './assembler-settings.ts';
import { ContextTable } from './contexts.ts';
import type { Checkpoint } from './index-snapshot.ts';
import { EmittedPairs } from './read-back.ts';
import { type TraceWindow, Windows } from './windows.ts';

/** All that belongs to one incarnation of a partition's assembler; thrown away as a whole. */
export interface AssemblerState {
  /** Of the store; an adopted one is older than the incarnation. */
  readonly namespace: string;
  readonly incarnation: string;
  /** C: next input offset not in this state. */
  applied: number;
  /** C of the last commit. */
  committed: number;
  /** Below this offset the state is being rebuilt and nothing is emitted. */
  buildTo: number;
  streamTimeMs: number;
  contextSinceMs: number;
  /** E: end of traces[p] after the last commit known. */
  tracesEnd: number;
  nextWindow: number;
  /** Ascending; the first one gives R. */
  checkpoints: Checkpoint[];
  counters: Record<string, number>;
  emitted: EmittedPairs;
  readonly windows: Windows;
  readonly contexts: ContextTable;
  /** Newest closed window of each trace until the store remembers it. */
  readonly closed: Map<string, TraceWindow>;
  outbox: OutboxEntry[];
  outboxBytes: number;
  /** In the transaction that is under way. */
  sending: OutboxEntry[];
  deadLetters: OutRecord[];
}

/** A trace that waits for its transaction. */
export interface OutboxEntry {
  readonly window: TraceWindow;
  readonly record: OutRecord;
  readonly newHashes: Buffer;
  readonly revision: number;
}

export function emptyState(settings: AssemblerSettings, namespace: string, incarnation: string): AssemblerState {
  return {
    namespace,
    incarnation,
    applied: 0,
    committed: 0,
    buildTo: 0,
    streamTimeMs: 0,
    contextSinceMs: 0,
    tracesEnd: 0,
    nextWindow: 0,
    checkpoints: [],
    counters: {},
    emitted: new EmittedPairs(),
    windows: new Windows(settings),
    contexts: new ContextTable(settings.contextsMax),
    closed: new Map(),
    outbox: [],
    outboxBytes: 0,
    sending: [],
    deadLetters: [],
  };
}

/** L: nothing below it is still needed. `sending` counts as sent: this is asked for the transaction that sends it. */
export function lowestNeeded(state: AssemblerState): number {
  let low = state.applied;
  for (const { window } of state.outbox) low = Math.min(low, window.offsets[0] as number);
  return Math.min(low, state.windows.lowestOffset() ?? low);
}
