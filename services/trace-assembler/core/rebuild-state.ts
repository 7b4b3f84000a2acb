import type { LedgerEntry } from '../../../lib/codec/records.ts';
import type { PartitionLog } from '../../../lib/kafka/types.ts';
import { EARLIEST, type Incarnation } from '../../../lib/worker/types.ts';
import type { ClosedTrace, WindowStore } from '../ports.ts';
import type { AssemblerSettings } from './assembler-settings.ts';
import { type AssemblerState, emptyState } from './assembler-state.ts';
import { readBackTraces } from './read-back.ts';
import { hashesOfTrace } from './trace-hashes.ts';
import { traceKeyOf } from './trace-keys.ts';

/**
 * The state from which reading the input again, from `applied` on, gives the windows of the last commit: Kafka alone is
 * asked, whatever the store holds. What stands in committed traces already is known by (trace, offset) and left out.
 *
 * @throws SpanloomError as `readBackTraces` does.
 */
export async function rebuildState(
  settings: AssemblerSettings,
  store: WindowStore,
  traces: PartitionLog,
  last: LedgerEntry | undefined,
  incarnation: Incarnation,
): Promise<AssemblerState> {
  const state = emptyState(settings, incarnation.nonce, incarnation.nonce);
  const { contextSinceMs } = await store.begin(state.namespace, last?.streamTime ?? 0);
  state.contextSinceMs = contextSinceMs;
  if (last === undefined) {
    state.tracesEnd = (await traces.bounds()).end;
    state.checkpoints = [{ applied: 0, position: state.tracesEnd }];
    state.applied = EARLIEST;
    state.committed = EARLIEST;
    return state;
  }
  const remembered: ClosedTrace[] = [];
  await readBackTraces(traces, last.outputPosition, last.outputEnd, async (trace) => {
    const traceKey = traceKeyOf(trace.traceId);
    for (const offset of trace.inputs) if (offset >= last.low) state.emitted.add(traceKey, offset);
    remembered.push({ traceId: trace.traceId, revision: trace.revision, hashes: hashesOfTrace(trace) });
    if (remembered.length >= REMEMBER_BATCH) await store.remember(remembered.splice(0));
  });
  await store.remember(remembered);
  state.applied = last.low;
  state.committed = last.applied;
  state.buildTo = last.applied;
  state.tracesEnd = last.outputEnd;
  state.checkpoints = [{ applied: last.low, position: last.outputPosition }];
  state.counters = { ...last.counters };
  return state;
}

const REMEMBER_BATCH = 500;
