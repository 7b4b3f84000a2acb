import { deserialize, serialize } from 'node:v8';
import type { RememberedTrace } from '../ports.ts';
import type { ContextSnapshot } from './contexts.ts';
import type { TraceWindow } from './windows.ts';

/**
 * The worker's index as it goes from a draining owner to the next one. Written with a version: an owner that cannot read
 * it rebuilds from Kafka instead.
 */
export interface IndexSnapshot {
  version: typeof INDEX_VERSION;
  applied: number;
  streamTimeMs: number;
  nextWindow: number;
  windows: WindowSnapshot[];
  contexts: ContextSnapshot;
  checkpoints: Checkpoint[];
  /** Traces emitted by the drain's own transaction, not yet remembered by the store when the successor starts. */
  closing: { traceKey: string; emitted: RememberedTrace }[];
}

/** In traces[p], everything emitted after `applied` reached `applied` stands at `position` or later. */
export interface Checkpoint {
  applied: number;
  position: number;
}

/** Of a log that was made anew after they were taken: all that is in it is younger. */
export function fromTheStart(checkpoints: readonly Checkpoint[]): Checkpoint[] {
  return checkpoints.map(({ applied }) => ({ applied, position: 0 }));
}

export interface WindowSnapshot extends Omit<TraceWindow, 'predecessor' | 'emitted' | 'dueBucket'> {}

export const INDEX_VERSION = 1;

export function encodeIndex(snapshot: IndexSnapshot): Buffer {
  return serialize(snapshot);
}

/** @returns `undefined` when the bytes are not an index of this version. */
export function decodeIndex(bytes: Buffer): IndexSnapshot | undefined {
  try {
    const snapshot = deserialize(bytes) as Partial<IndexSnapshot> | null;
    return snapshot?.version === INDEX_VERSION ? (snapshot as IndexSnapshot) : undefined;
  } catch {
    return undefined;
  }
}
