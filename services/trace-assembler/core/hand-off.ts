import type { LedgerEntry } from '../../../lib/codec/records.ts';
import type { Incarnation } from '../../../lib/worker/types.ts';
import type { RememberedTrace, WindowStore } from '../ports.ts';
import type { AssemblerSettings } from './assembler-settings.ts';
import { type AssemblerState, emptyState, type OutboxEntry } from './assembler-state.ts';
import { decodeIndex, encodeIndex, fromTheStart, INDEX_VERSION } from './index-snapshot.ts';
import { closedTrace } from './trace-keys.ts';

/** What the ledger entry of a clean hand-off names. */
export type HandOff = NonNullable<LedgerEntry['handOff']>;

/**
 * Leaves the index of the open windows for whoever comes next.
 * @param sent the traces of the transaction that ends this incarnation; its end is not known yet.
 */
export async function leaveIndex(
  store: WindowStore,
  state: AssemblerState,
  sent: readonly OutboxEntry[],
): Promise<HandOff> {
  // The end of the transaction before is lower than the end of this one, and lower is safe.
  const checkpoints = [...state.checkpoints, { applied: state.applied, position: state.tracesEnd }];
  // An incarnation drains once, so its own nonce names this index and no other, also in a store that goes back.
  const nonce = state.incarnation;
  const index = encodeIndex({
    version: INDEX_VERSION,
    applied: state.applied,
    streamTimeMs: state.streamTimeMs,
    nextWindow: state.nextWindow,
    windows: [...state.windows.values()].map(
      ({ predecessor, emitted: _emitted, dueBucket: _dueBucket, ...window }) => ({
        ...window,
        remembered: predecessor?.emitted ?? window.remembered,
      }),
    ),
    contexts: state.contexts.snapshot(),
    checkpoints,
    closing: sent.map(({ window, newHashes, revision }) => ({
      traceKey: window.traceKey,
      emitted: { revision, hashes: newHashes },
    })),
  });
  await store.saveIndex(state.namespace, nonce, index);
  return { namespace: state.namespace, nonce };
}

/** Goes on with the windows that the last owner left. `undefined` when its index is not there, or not of this entry. */
export async function adoptIndex(
  settings: AssemblerSettings,
  store: WindowStore,
  last: LedgerEntry & { readonly handOff: HandOff },
  incarnation: Incarnation,
): Promise<AssemblerState | undefined> {
  const { namespace, nonce } = last.handOff;
  const { index, contextSinceMs } = await store.takeIndex(namespace, nonce);
  const snapshot = index === null ? undefined : decodeIndex(index);
  if (snapshot === undefined || snapshot.applied !== last.applied) return undefined;
  const state = emptyState(settings, namespace, incarnation.nonce);
  state.applied = snapshot.applied;
  state.committed = snapshot.applied;
  state.streamTimeMs = snapshot.streamTimeMs;
  state.nextWindow = snapshot.nextWindow;
  state.contextSinceMs = contextSinceMs;
  // Both have R, and differ only if the drain's own transaction found the log made anew.
  const isAnew = last.outputPosition < (snapshot.checkpoints[0]?.position ?? 0);
  state.checkpoints = isAnew ? fromTheStart(snapshot.checkpoints) : snapshot.checkpoints;
  state.tracesEnd = last.outputEnd;
  state.counters = { ...last.counters };
  state.contexts.restore(snapshot.contexts, snapshot.applied);
  for (const window of snapshot.windows) {
    const remembered = window.remembered === null ? null : withBuffer(window.remembered);
    state.windows.add({ ...window, remembered, predecessor: null, emitted: null, dueBucket: -1 });
  }
  await store.remember(snapshot.closing.map(({ traceKey, emitted }) => closedTrace(traceKey, withBuffer(emitted))));
  return state;
}

/** Deserialising gives plain Uint8Array. */
function withBuffer({ revision, hashes }: RememberedTrace): RememberedTrace {
  return { revision, hashes: Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength) };
}
