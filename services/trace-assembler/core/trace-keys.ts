import type { ClosedTrace, RememberedTrace } from '../ports.ts';
import type { TraceWindow } from './windows.ts';

/** The 32 hex characters of a window's trace id: its store key begins with them, which saves encoding them again. */
export function hexOfWindow(window: TraceWindow): string {
  return window.storeKey.slice(0, 32);
}

/** @param traceId 32 hex characters. @returns the 16 id bytes as latin1. */
export function traceKeyOf(traceId: string): string {
  return Buffer.from(traceId, 'hex').latin1Slice();
}

/** @param traceKey the 16 id bytes as latin1. */
export function closedTrace(traceKey: string, { revision, hashes }: RememberedTrace): ClosedTrace {
  return { traceId: Buffer.from(traceKey, 'latin1').hexSlice(), revision, hashes };
}
