import { MemoryWindowStore } from '../services/trace-assembler/adapters/memory-window-store.ts';
import { AssemblerStage } from '../services/trace-assembler/core/assembler-stage.ts';
import type { WindowStore } from '../services/trace-assembler/ports.ts';

/** What the trace-assembler is set to unless told otherwise, for partition 0 of a log of one partition. */
export const ASSEMBLER_SETTINGS = {
  spansTopic: 'spans',
  tracesTopic: 'traces',
  deadLettersTopic: 'dead-letters',
  partition: 0,
  idleTimeoutMs: 10_000,
  rootlessIdleTimeoutMs: 60_000,
  ageMaxMs: 300_000,
  windowBytesMax: 1 << 20,
  spansPerTraceMax: 10_000,
  horizonMs: 300_000,
  contextsMax: 10_000,
  outboxBytesMax: 1 << 20,
  transactionBytesMax: 8 << 20,
};

/** The assembler's own code with windows in memory, at the start of an empty log; `onTrace` is told each trace's spans. */
export function benchAssembler(
  onTrace: (spanCount: number) => void,
  store: WindowStore = new MemoryWindowStore(REMEMBERED_MAX),
): AssemblerStage {
  return new AssemblerStage(
    ASSEMBLER_SETTINGS,
    store,
    {
      bounds: async () => ({ start: 0, end: 0 }),
      fetch: async () => {
        throw new Error('nothing to read back');
      },
    },
    {
      received: () => {},
      foreignRecord: () => {},
      recovered: () => {},
      open: () => {},
      emitted: (trace) => onTrace(trace.spanCount),
    },
  );
}

const REMEMBERED_MAX = 100_000;
