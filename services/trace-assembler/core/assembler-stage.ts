import type { LedgerEntry } from '../../../lib/codec/records.ts';
import type { LogRecord, PartitionLog } from '../../../lib/kafka/types.ts';
import {
  type CommitReason,
  EARLIEST,
  type EndOfOutput,
  type Incarnation,
  type Stage,
  type StageCommit,
  type Tick,
} from '../../../lib/worker/types.ts';
import type { WindowStore } from '../ports.ts';
import type { AssemblerEvents, AssemblerSettings } from './assembler-settings.ts';
import { type AssemblerState, emptyState, lowestNeeded, type OutboxEntry } from './assembler-state.ts';
import { emitTrace } from './emit-trace.ts';
import { adoptIndex, type HandOff, leaveIndex } from './hand-off.ts';
import { type Checkpoint, fromTheStart } from './index-snapshot.ts';
import { EmittedPairs } from './read-back.ts';
import { rebuildState } from './rebuild-state.ts';
import { closedTrace, hexOfWindow } from './trace-keys.ts';
import { contextSkeleton } from './trace-request.ts';
import { WindowChanges } from './window-changes.ts';
import type { TraceWindow } from './windows.ts';

/**
 * The trace assembler of one partition, as a stage of the worker loop.
 *
 * Kafka is the truth; the store holds the bytes of open windows and this object the index of them. The protocol, its
 * faults and why each rule is needed stand in docs/design/assembler-protocol.md.
 */
export class AssemblerStage implements Stage {
  private readonly settings: AssemblerSettings;
  private readonly store: WindowStore;
  private readonly traces: PartitionLog;
  private readonly events: AssemblerEvents;
  /** A hand-off is adopted at most once in the life of this process: what failed once is rebuilt from then on. */
  private handOffUsed = false;
  private state: AssemblerState;

  constructor(settings: AssemblerSettings, store: WindowStore, traces: PartitionLog, events: AssemblerEvents) {
    this.settings = settings;
    this.store = store;
    this.traces = traces;
    this.events = events;
    this.state = emptyState(settings, '', '');
  }

  get full(): boolean {
    const { outboxBytes, buildTo, applied } = this.state;
    return outboxBytes >= this.settings.outboxBytesMax && applied >= buildTo;
  }

  // ---- recover: adopt a clean hand-off, else rebuild from Kafka ------------------------------------------------------

  async recover(last: LedgerEntry | undefined, incarnation: Incarnation): Promise<number> {
    const { settings, store, traces } = this;
    if (isHandOff(last) && !this.handOffUsed) {
      this.handOffUsed = true;
      const adopted = await adoptIndex(settings, store, last, incarnation);
      if (adopted !== undefined) return this.goOn(adopted, 'hand-off');
    }
    const rebuilt = await rebuildState(settings, store, traces, last, incarnation);
    return this.goOn(rebuilt, last === undefined ? 'first run' : 'rebuild');
  }

  private goOn(state: AssemblerState, how: 'first run' | 'hand-off' | 'rebuild'): number {
    this.state = state;
    this.events.recovered(how, state.windows.size, Math.max(0, state.applied));
    return state.applied;
  }

  onGap(_from: number, to: number): void {
    this.state.applied = Math.max(this.state.applied, to);
  }

  // ---- run: windows open, grow and close at record borders -----------------------------------------------------------

  async apply(records: readonly LogRecord[], tick: Tick): Promise<void> {
    const { state } = this;
    // Asked before anything closes: a window that closes in this step still needs its contexts.
    const retiredContexts = state.contexts.retire(this.low());
    const changes = new WindowChanges(this.settings, state, this.events);
    for (const record of records) {
      state.streamTimeMs = Math.max(state.streamTimeMs, record.timestampMs);
      changes.closeDue();
      changes.take(record);
    }
    state.applied = tick.nextOffset;
    if (tick.caughtUp && state.applied >= state.buildTo) {
      state.streamTimeMs = Math.max(state.streamTimeMs, tick.streamTimeMs);
      changes.closeDue();
    }
    await this.perform(changes, retiredContexts);
    if (state.applied >= state.buildTo && state.emitted.size > 0) state.emitted = new EmittedPairs();
    state.contexts.rotate(state.applied);
    this.events.open(state.windows.size, state.contexts.size);
  }

  /** One atomic call of the store; then the closed windows become trace records in the outbox. */
  private async perform({ appends, closing }: WindowChanges, retiredContexts: readonly number[]): Promise<void> {
    const { state } = this;
    if (appends.size === 0 && closing.length === 0 && retiredContexts.length === 0) return;
    const opened: TraceWindow[] = [];
    const result = await this.store.step(state.namespace, {
      appends: [...appends].map(([window, { had, fragments }]) => {
        if (had === 0) opened.push(window);
        return { windowKey: window.storeKey, traceId: hexOfWindow(window), had, fragments };
      }),
      takes: closing.map(({ window }) => ({
        windowKey: window.storeKey,
        traceId: hexOfWindow(window),
        length: window.offsets.length,
      })),
      contexts: state.contexts.takeFresh().map((context) => ({ id: context.id, bytes: contextSkeleton(context) })),
      retiredContexts,
    });
    opened.forEach((window, i) => {
      window.remembered = result.remembered[i] ?? null;
    });
    closing.forEach(({ window, reason }, i) => {
      this.events.emitted(emitTrace(state, window, reason, result.taken[i] ?? []));
    });
  }

  // ---- commit: what waits, and the ledger entry that says from where to go on ----------------------------------------

  async prepare(reason: CommitReason): Promise<StageCommit | undefined> {
    const { state, settings } = this;
    if (state.applied < state.buildTo || state.applied === EARLIEST) return undefined;
    if (reason === 'interval' && state.outbox.length === 0 && state.applied === state.committed) return undefined;
    const sent = this.takeOutbox(reason === 'drain' ? Number.POSITIVE_INFINITY : settings.transactionBytesMax);
    const deadLetters = state.deadLetters;
    state.deadLetters = [];
    state.sending = sent;
    const low = this.low();
    while (state.checkpoints.length > 1 && (state.checkpoints[1] as Checkpoint).applied <= low)
      state.checkpoints.shift();
    const handOff = reason === 'drain' ? await leaveIndex(this.store, state, sent) : null;
    return {
      outputs: [
        { topic: settings.tracesTopic, partition: settings.partition, records: sent.map((entry) => entry.record) },
        { topic: settings.deadLettersTopic, partition: 0, records: deadLetters },
      ],
      entry: (end) => {
        const { tracesEnd, checkpoints } = this.outputAfter(end);
        return {
          applied: state.applied,
          low,
          outputPosition: (checkpoints[0] as Checkpoint).position,
          outputEnd: tracesEnd,
          handOff,
          counters: state.counters,
          streamTime: state.streamTimeMs,
          state: null,
        };
      },
    };
  }

  /** Our records follow those of the commit before, unless the log was deleted and made anew meanwhile. */
  private outputAfter(end: EndOfOutput): Pick<AssemblerState, 'tracesEnd' | 'checkpoints'> {
    const { tracesEnd, checkpoints, sending } = this.state;
    const after = end(this.settings.tracesTopic, this.settings.partition);
    if (after === undefined) return { tracesEnd, checkpoints };
    return {
      tracesEnd: after,
      checkpoints: after - sending.length < tracesEnd ? fromTheStart(checkpoints) : checkpoints,
    };
  }

  /** The oldest traces that wait, up to `bytesMax` and at least one. What stays behind counts into L. */
  private takeOutbox(bytesMax: number): OutboxEntry[] {
    const { state } = this;
    let count = 0;
    let bytes = 0;
    for (const { record } of state.outbox) {
      const size = record.value?.length ?? 0;
      if (count > 0 && bytes + size > bytesMax) break;
      bytes += size;
      count++;
    }
    state.outboxBytes -= bytes;
    const sent = state.outbox.slice(0, count);
    state.outbox = state.outbox.slice(count);
    return sent;
  }

  async committed(_commit: StageCommit, end: EndOfOutput): Promise<void> {
    const { state } = this;
    Object.assign(state, this.outputAfter(end));
    state.checkpoints.push({ applied: state.applied, position: state.tracesEnd });
    state.committed = state.applied;
    const sent = state.sending;
    state.sending = [];
    // Only now: remembered before the commit, a crash would make these spans look like copies when they are read again.
    await this.store.remember(
      sent.map(({ window, newHashes, revision }) => closedTrace(window.traceKey, { revision, hashes: newHashes })),
    );
    for (const { window } of sent) {
      if (state.closed.get(window.traceKey) === window) state.closed.delete(window.traceKey);
    }
  }

  private low(): number {
    return lowestNeeded(this.state);
  }
}

function isHandOff(last: LedgerEntry | undefined): last is LedgerEntry & { handOff: HandOff } {
  return last?.handOff != null;
}
