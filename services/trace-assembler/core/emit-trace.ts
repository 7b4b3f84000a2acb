import { type AssembledTrace, assembledTraceCodec, type CloseReason } from '../../../lib/codec/records.ts';
import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import { assembleTrace } from './assemble-trace.ts';
import type { AssemblerState } from './assembler-state.ts';
import { hexOfWindow } from './trace-keys.ts';
import type { TraceWindow } from './windows.ts';

/**
 * Makes a closed window's trace record and puts it into the outbox.
 * @param fragments what the store held of the window, one for each of its offsets.
 * @throws SpanloomError WINDOW_STORE_SURPRISE (retryable) when they are not what was put in.
 */
export function emitTrace(
  state: AssemblerState,
  window: TraceWindow,
  closeReason: CloseReason,
  fragments: readonly Buffer[],
): AssembledTrace {
  const before = window.predecessor?.emitted ?? window.remembered;
  window.predecessor = null;
  const revision = (before?.revision ?? 0) + 1;
  const assembly =
    fragments.length === window.offsets.length
      ? assembleTrace(
          {
            traceId: hexOfWindow(window),
            closeReason,
            revision,
            earlierHashes: before?.hashes ?? NO_HASHES,
            contextLost: window.contextLost && before === null,
            inputs: window.offsets,
            lastAppendTime: window.lastSeenMs,
            fragments,
          },
          (id) => state.contexts.get(id),
        )
      : undefined;
  if (assembly === undefined) {
    throw new SpanloomError('WINDOW_STORE_SURPRISE', `Window ${window.storeKey} came back damaged from the store`, {
      retryable: true,
    });
  }
  const { trace, hashes } = assembly;
  window.emitted = { revision, hashes: before === null ? hashes : Buffer.concat([before.hashes, hashes]) };
  const value = assembledTraceCodec.encode(trace);
  state.outbox.push({ window, record: { key: trace.traceId, value }, newHashes: hashes, revision });
  state.outboxBytes += value.length;
  const { counters } = state;
  counters.traces = (counters.traces ?? 0) + 1;
  counters.spans = (counters.spans ?? 0) + trace.spanCount;
  counters.duplicates = (counters.duplicates ?? 0) + trace.duplicateCount;
  counters.inputs = (counters.inputs ?? 0) + trace.inputs.length;
  return trace;
}

const NO_HASHES = Buffer.alloc(0);
