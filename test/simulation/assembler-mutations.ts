import { assembledTraceCodec } from '../../lib/codec/records.ts';
import type { PartitionLog } from '../../lib/kafka/types.ts';
import type { Stage, StageCommit } from '../../lib/worker/types.ts';
import type { AssemblerStage } from '../../services/trace-assembler/core/assembler-stage.ts';
import { decodeIndex } from '../../services/trace-assembler/core/index-snapshot.ts';
import { hashesOfTrace } from '../../services/trace-assembler/core/trace-hashes.ts';
import type { WindowStore } from '../../services/trace-assembler/ports.ts';
import type { SimWindowStore, StoreMutations } from './sim-window-store.ts';

/** Rules taken out of the assembler's protocol, one at a time, to see that the simulation would notice. */
export interface AssemblerMutations extends StoreMutations {
  /** M1: rebuild does not read its own output back. */
  readonly noReadBack?: boolean;
  /** M2: the low watermark L leaves out traces that are closed and not yet sent. */
  readonly noOutbox?: boolean;
  /** M4: rebuild reads its output back from its end only; the ledger's position R is not used. */
  readonly noPosition?: boolean;
  /** M6: rebuild takes a lagging leader's end for the end. */
  readonly noEnd?: boolean;
  /** M7: closed traces are remembered before the commit. */
  readonly rememberEarly?: boolean;
}

/** The log that is read back, without the rules that the mutations take out. */
export function mutatedTraces(traces: PartitionLog, mutations: AssemblerMutations): PartitionLog {
  const bounds = () => traces.bounds();
  if (mutations.noReadBack) {
    return { bounds, fetch: async (request) => ({ ...(await traces.fetch(request)), records: [] }) };
  }
  if (mutations.noPosition) {
    let isFirst = true;
    return {
      bounds,
      fetch: async (request) => {
        const fetched = await traces.fetch(request);
        const { end } = await traces.bounds();
        const answer = isFirst ? { ...fetched, records: [], nextOffset: Math.max(fetched.nextOffset, end) } : fetched;
        isFirst = false;
        return answer;
      },
    };
  }
  return mutations.noEnd ? new BelievedLog(traces) : traces;
}

/** While it is read back, the log ends where a fetch ends. */
class BelievedLog implements PartitionLog {
  isReadBack = false;
  private readonly log: PartitionLog;

  constructor(log: PartitionLog) {
    this.log = log;
  }

  async bounds() {
    const bounds = await this.log.bounds();
    return this.isReadBack ? { ...bounds, end: Number.MAX_SAFE_INTEGER } : bounds;
  }

  async fetch(request: Parameters<PartitionLog['fetch']>[0]) {
    const fetched = await this.log.fetch(request);
    const isEnd = fetched.nextOffset >= fetched.lastStableOffset;
    return { ...fetched, nextOffset: isEnd ? Number.MAX_SAFE_INTEGER : fetched.nextOffset };
  }
}

export function mutatedStage(
  stage: AssemblerStage,
  store: SimWindowStore,
  traces: PartitionLog,
  mutations: AssemblerMutations,
): Stage {
  if (mutations.noOutbox) leaveOutboxOut(stage);
  if (mutations.noNonce) believeIndex(stage, store);
  if (traces instanceof BelievedLog) {
    const recover = stage.recover.bind(stage);
    stage.recover = (last, incarnation) => {
      traces.isReadBack = last !== undefined;
      return recover(last, incarnation);
    };
  }
  return mutations.rememberEarly ? rememberingEarly(stage, store) : stage;
}

/** Whatever index is there is taken for the one that the ledger means, though it says another position. */
function believeIndex(stage: AssemblerStage, store: SimWindowStore): void {
  const recover = stage.recover.bind(stage);
  stage.recover = (last, incarnation) => {
    const index = last?.handOff == null ? undefined : store.peekIndex(last.handOff.namespace, last.handOff.nonce);
    const { applied } = (index === undefined ? undefined : decodeIndex(index)) ?? { applied: last?.applied ?? 0 };
    return recover(last && { ...last, applied }, incarnation);
  };
}

/** L of the open windows alone. The method is private to everyone but this. */
function leaveOutboxOut(stage: AssemblerStage): void {
  const inner = stage as unknown as {
    state: { applied: number; windows: { lowestOffset(): number | undefined } };
    low(): number;
  };
  inner.low = () => inner.state.windows.lowestOffset() ?? inner.state.applied;
}

function rememberingEarly(stage: Stage, store: WindowStore): Stage {
  return {
    recover: (last, incarnation) => stage.recover(last, incarnation),
    apply: (records, tick) => stage.apply(records, tick),
    prepare: async (reason): Promise<StageCommit | undefined> => {
      const commit = await stage.prepare(reason);
      const traces = (commit?.outputs ?? []).flatMap((output) =>
        output.records.map((record) => assembledTraceCodec.decode(record.value as Buffer)),
      );
      await store.remember(
        traces.map((trace) => ({ traceId: trace.traceId, revision: trace.revision, hashes: hashesOfTrace(trace) })),
      );
      return commit;
    },
    committed: (commit, end) => stage.committed(commit, end),
    onGap: (from, to) => stage.onGap?.(from, to),
    get full() {
      return stage.full;
    },
  };
}
