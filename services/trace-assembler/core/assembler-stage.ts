import { createHash } from 'node:crypto';
import {
  assembledTraceCodec,
  type CloseReason,
  deadLetterCodec,
  type LedgerEntry,
} from '../../../lib/codec/records.ts';
import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { LogRecord, OutRecord, PartitionLog } from '../../../lib/kafka/types.ts';
import { scanOtlpRequest } from '../../../lib/trace/otlp-scan.ts';
import { SPAN_PROBLEMS, SpanTable } from '../../../lib/trace/span-table.ts';
import {
  type CommitReason,
  EARLIEST,
  type EndOfOutput,
  type Incarnation,
  type Stage,
  type StageCommit,
  type Tick,
} from '../../../lib/worker/types.ts';
import type { ClosedTrace, RememberedTrace, WindowStore } from '../ports.ts';
import { assembleTrace } from './assemble-trace.ts';
import { ContextTable } from './contexts.ts';
import { SpanGrouper } from './group-spans.ts';
import { type Checkpoint, decodeIndex, encodeIndex, INDEX_VERSION, type IndexSnapshot } from './index-snapshot.ts';
import { EmittedPairs, readBackTraces } from './read-back.ts';
import { hashesOfTrace } from './trace-hashes.ts';
import { contextSkeleton } from './trace-request.ts';
import { type TraceWindow, Windows } from './windows.ts';

export interface AssemblerSettings {
  readonly spansTopic: string;
  readonly tracesTopic: string;
  readonly deadLettersTopic: string;
  readonly partition: number;
  readonly idleTimeoutMs: number;
  readonly rootlessIdleTimeoutMs: number;
  readonly ageMaxMs: number;
  /** A window that would grow beyond this is closed and the trace goes on as its next revision. */
  readonly windowBytesMax: number;
  readonly spansPerTraceMax: number;
  /** How long, in append time, a closed trace is remembered. */
  readonly horizonMs: number;
  readonly contextsMax: number;
  /** Waiting output beyond this asks for a commit at once. */
  readonly outboxBytesMax: number;
  /** Traces of one transaction, so that it is over long before the broker would abort it, whatever has piled up. */
  readonly transactionBytesMax: number;
}

export interface AssemblerEvents {
  received(spans: number, bytes: number): void;
  emitted(trace: { spanCount: number; complete: boolean; closeReason: CloseReason; duplicateCount: number }): void;
  foreignRecord(offset: number, reason: string): void;
  recovered(how: 'first run' | 'hand-off' | 'rebuild', openWindows: number, from: number): void;
  open(windows: number, contexts: number): void;
}

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
    this.state = this.emptyState('', '');
  }

  get full(): boolean {
    const { outboxBytes, buildTo, applied } = this.state;
    return outboxBytes >= this.settings.outboxBytesMax && applied >= buildTo;
  }

  // ---- recover: adopt a clean hand-off, else rebuild from Kafka ------------------------------------------------------

  async recover(last: LedgerEntry | undefined, incarnation: Incarnation): Promise<number> {
    if (last?.handOff != null && !this.handOffUsed) {
      this.handOffUsed = true;
      const { index, contextSinceMs } = await this.store.takeIndex(last.handOff.namespace, last.handOff.nonce);
      const snapshot = index === null ? undefined : decodeIndex(index);
      if (snapshot !== undefined && snapshot.applied === last.applied) {
        return this.adopt(snapshot, last, incarnation, contextSinceMs);
      }
    }
    return this.rebuild(last, incarnation);
  }

  private async adopt(
    snapshot: IndexSnapshot,
    last: LedgerEntry,
    incarnation: Incarnation,
    contextSinceMs: number,
  ): Promise<number> {
    const state = this.emptyState((last.handOff as { namespace: string }).namespace, incarnation.nonce);
    state.applied = snapshot.applied;
    state.committed = snapshot.applied;
    state.streamTimeMs = snapshot.streamTimeMs;
    state.nextWindow = snapshot.nextWindow;
    state.contextSinceMs = contextSinceMs;
    state.checkpoints = snapshot.checkpoints;
    state.tracesEnd = last.outputEnd;
    state.counters = { ...last.counters };
    state.contexts.restore(snapshot.contexts, snapshot.applied);
    for (const window of snapshot.windows) {
      state.windows.add({
        ...window,
        remembered: asRemembered(window.remembered),
        predecessor: null,
        emitted: null,
        dueBucket: -1,
      });
    }
    this.state = state;
    await this.store.remember(
      snapshot.closing.map(({ traceKey, emitted }) => closedTrace(traceKey, asRemembered(emitted) as RememberedTrace)),
    );
    this.events.recovered('hand-off', state.windows.size, state.applied);
    return state.applied;
  }

  private async rebuild(last: LedgerEntry | undefined, incarnation: Incarnation): Promise<number> {
    const state = this.emptyState(incarnation.nonce, incarnation.nonce);
    const { contextSinceMs } = await this.store.begin(state.namespace, last?.streamTime ?? 0);
    state.contextSinceMs = contextSinceMs;
    this.state = state;
    if (last === undefined) {
      state.tracesEnd = (await this.traces.bounds()).end;
      state.checkpoints = [{ applied: 0, position: state.tracesEnd }];
      state.applied = EARLIEST;
      state.committed = EARLIEST;
      this.events.recovered('first run', 0, 0);
      return EARLIEST;
    }
    const remembered: ClosedTrace[] = [];
    await readBackTraces(this.traces, last.outputPosition, last.outputEnd, async (trace) => {
      const traceKey = keyOf(trace.traceId);
      for (const offset of trace.inputs) if (offset >= last.low) state.emitted.add(traceKey, offset);
      remembered.push({ traceId: trace.traceId, revision: trace.revision, hashes: hashesOfTrace(trace) });
      if (remembered.length >= REMEMBER_BATCH) await this.store.remember(remembered.splice(0));
    });
    await this.store.remember(remembered);
    state.applied = last.low;
    state.committed = last.applied;
    state.buildTo = last.applied;
    state.streamTimeMs = 0;
    state.tracesEnd = last.outputEnd;
    state.checkpoints = [{ applied: last.low, position: last.outputPosition }];
    state.counters = { ...last.counters };
    this.events.recovered('rebuild', 0, last.low);
    return last.low;
  }

  onGap(_from: number, to: number): void {
    this.state.applied = Math.max(this.state.applied, to);
  }

  // ---- run: windows open, grow and close at record borders -----------------------------------------------------------

  async apply(records: readonly LogRecord[], tick: Tick): Promise<void> {
    const { state } = this;
    // Asked before anything closes: a window that closes in this step still needs its contexts.
    const step: PendingStep = { appends: new Map(), closing: [], retiredContexts: state.contexts.retire(this.low()) };
    for (const record of records) {
      state.streamTimeMs = Math.max(state.streamTimeMs, record.timestampMs);
      this.closeDue(step);
      this.take(record, step);
    }
    state.applied = tick.nextOffset;
    if (tick.caughtUp && state.applied >= state.buildTo) {
      state.streamTimeMs = Math.max(state.streamTimeMs, tick.streamTimeMs);
      this.closeDue(step);
    }
    await this.perform(step);
    if (state.applied >= state.buildTo && state.emitted.size > 0) state.emitted = new EmittedPairs();
    state.contexts.rotate(state.applied);
    this.events.open(state.windows.size, state.contexts.size);
  }

  private closeDue(step: PendingStep): void {
    this.state.windows.takeDue(this.state.streamTimeMs, (window, reason) => this.close(window, reason, step));
  }

  private take(record: LogRecord, step: PendingStep): void {
    const { state } = this;
    const bytes = record.value;
    const problem = bytes === null ? { reason: 'empty' } : scanOtlpRequest(bytes, table);
    if (bytes === null || problem !== undefined) {
      this.refuse(record, null, problem?.reason ?? 'empty', bytes ?? NO_HASHES);
      return;
    }
    for (let row = 0; row < table.count; row++) {
      const reason = table.problem[row] as number;
      if (reason !== 0)
        this.refuse(
          record,
          row,
          SPAN_PROBLEMS[reason] as string,
          bytes.subarray(table.bodyStart[row], table.bodyEnd[row]),
        );
    }
    grouper.group(bytes, table);
    contextIds.length = 0;
    for (let row = 0; row < table.contextCount; row++) contextIds.push(state.contexts.intern(bytes, table, row));
    let slabBytes = 0;
    for (let group = 0; group < grouper.count; group++) slabBytes += grouper.fragmentBytes[group] as number;
    const slab = Buffer.allocUnsafeSlow(slabBytes);
    let at = 0;
    for (let group = 0; group < grouper.count; group++) {
      const idAt = grouper.traceIdAt(group, table);
      const traceKey = bytes.latin1Slice(idAt, idAt + 16);
      if (state.emitted.has(traceKey, record.offset)) continue;
      const fragmentBytes = grouper.fragmentBytes[group] as number;
      grouper.writeFragment(group, bytes, table, contextIds, slab, at);
      const fragment = slab.subarray(at, at + fragmentBytes);
      at += fragmentBytes;
      this.append(traceKey, record, fragment, group, step);
    }
    this.events.received(table.count, bytes.length);
  }

  /** Routers send only what can be assembled; this is somebody else's record on our topic. */
  private refuse(record: LogRecord, index: number | null, reason: string, bytes: Buffer): void {
    const { state, settings } = this;
    this.events.foreignRecord(record.offset, reason);
    if (record.offset < state.buildTo) return;
    const { spansTopic: topic, partition } = settings;
    const place = `${topic}/${partition}/${record.offset}${index === null ? '' : `/${index}`}`;
    const value = deadLetterCodec.encode({
      topic,
      partition,
      offset: record.offset,
      index,
      reason,
      code: 'SPANS_FOREIGN_RECORD',
      detail: `${place} was not written by a span-router: ${reason}`,
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      encoding: 'otlp_proto',
      service: 'trace-assembler',
      time: record.timestampMs,
      payload: null,
    });
    state.deadLetters.push({ key: place, value });
  }

  private append(traceKey: string, record: LogRecord, fragment: Buffer, group: number, step: PendingStep): void {
    const { state, settings } = this;
    const spanCount = grouper.spanCount[group] as number;
    let window = state.windows.get(traceKey);
    if (
      window !== undefined &&
      (window.byteCount + fragment.length > settings.windowBytesMax ||
        window.spanCount + spanCount > settings.spansPerTraceMax)
    ) {
      this.close(window, 'size', step);
      window = undefined;
    }
    const isNew = window === undefined;
    window ??= this.openWindow(traceKey, record);
    window.offsets.push(record.offset);
    window.lastSeenMs = Math.max(window.lastSeenMs, record.timestampMs);
    window.spanCount += spanCount;
    window.byteCount += fragment.length;
    const rootIsNew = grouper.hasRoot[group] === 1 && !window.rootSeen;
    if (rootIsNew) window.rootSeen = true;
    if (isNew) state.windows.add(window);
    else if (rootIsNew) state.windows.rootCame(window);
    const pending = step.appends.get(window);
    if (pending === undefined) step.appends.set(window, { had: window.offsets.length - 1, fragments: [fragment] });
    else pending.fragments.push(fragment);
  }

  private openWindow(traceKey: string, record: LogRecord): TraceWindow {
    const { state } = this;
    const traceId = Buffer.from(traceKey, 'latin1').hexSlice();
    return {
      traceKey,
      storeKey: `${traceId}.${record.offset}.${state.nextWindow++}`,
      offsets: [],
      openedAtMs: state.streamTimeMs,
      lastSeenMs: record.timestampMs,
      rootSeen: false,
      spanCount: 0,
      byteCount: 0,
      remembered: null,
      predecessor: state.closed.get(traceKey) ?? null,
      contextLost: state.contextSinceMs > 0 && state.streamTimeMs - state.contextSinceMs < this.settings.horizonMs,
      emitted: null,
      dueBucket: -1,
    };
  }

  private close(window: TraceWindow, reason: CloseReason, step: PendingStep): void {
    this.state.windows.remove(window);
    this.state.closed.set(window.traceKey, window);
    step.closing.push({ window, reason });
  }

  /** One atomic call of the store; then the closed windows become trace records in the outbox. */
  private async perform(step: PendingStep): Promise<void> {
    const { state } = this;
    if (step.appends.size === 0 && step.closing.length === 0 && step.retiredContexts.length === 0) return;
    const opened: TraceWindow[] = [];
    const appends = [...step.appends].map(([window, { had, fragments }]) => {
      if (had === 0) opened.push(window);
      return { windowKey: window.storeKey, traceId: hexOf(window), had, fragments };
    });
    const takes = step.closing.map(({ window }) => ({
      windowKey: window.storeKey,
      traceId: hexOf(window),
      length: window.offsets.length,
    }));
    const contexts = state.contexts.takeFresh().map((context) => ({ id: context.id, bytes: contextSkeleton(context) }));
    const { retiredContexts } = step;
    const result = await this.store.step(state.namespace, { appends, takes, contexts, retiredContexts });
    opened.forEach((window, i) => {
      window.remembered = result.remembered[i] ?? null;
    });
    step.closing.forEach(({ window, reason }, i) => {
      this.assemble(window, reason, result.taken[i] ?? []);
    });
  }

  private assemble(window: TraceWindow, closeReason: CloseReason, fragments: readonly Buffer[]): void {
    const { state } = this;
    const before = window.predecessor?.emitted ?? window.remembered;
    window.predecessor = null;
    const revision = (before?.revision ?? 0) + 1;
    const assembly =
      fragments.length === window.offsets.length
        ? assembleTrace(
            {
              traceId: hexOf(window),
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
    state.counters.traces = (state.counters.traces ?? 0) + 1;
    state.counters.spans = (state.counters.spans ?? 0) + trace.spanCount;
    state.counters.duplicates = (state.counters.duplicates ?? 0) + trace.duplicateCount;
    state.counters.inputs = (state.counters.inputs ?? 0) + trace.inputs.length;
    this.events.emitted(trace);
  }

  // ---- commit --------------------------------------------------------------------------------------------------------

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
    const outputPosition = (state.checkpoints[0] as Checkpoint).position;
    const handOff = reason === 'drain' ? await this.saveIndex(sent) : null;
    return {
      outputs: [
        { topic: settings.tracesTopic, partition: settings.partition, records: sent.map((entry) => entry.record) },
        { topic: settings.deadLettersTopic, partition: 0, records: deadLetters },
      ],
      entry: (end) => ({
        applied: state.applied,
        low,
        outputPosition,
        outputEnd: end(settings.tracesTopic, settings.partition) ?? state.tracesEnd,
        handOff,
        counters: state.counters,
        streamTime: state.streamTimeMs,
        state: null,
      }),
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

  private async saveIndex(sent: readonly OutboxEntry[]) {
    const { state } = this;
    // The end of this transaction is not known yet; the end of the one before is lower, and lower is safe.
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
    await this.store.saveIndex(state.namespace, nonce, index);
    return { namespace: state.namespace, nonce };
  }

  async committed(_commit: StageCommit, end: EndOfOutput): Promise<void> {
    const { state, settings } = this;
    state.tracesEnd = end(settings.tracesTopic, settings.partition) ?? state.tracesEnd;
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

  /** L: nothing below it is still needed. `sending` counts as sent: this is asked for the transaction that sends it. */
  private low(): number {
    let low = this.state.applied;
    for (const { window } of this.state.outbox) low = Math.min(low, window.offsets[0] as number);
    return Math.min(low, this.state.windows.lowestOffset() ?? low);
  }

  private emptyState(namespace: string, incarnation: string): AssemblerState {
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
      windows: new Windows(this.settings),
      contexts: new ContextTable(this.settings.contextsMax),
      closed: new Map(),
      outbox: [],
      outboxBytes: 0,
      sending: [],
      deadLetters: [],
    };
  }
}

/** All that belongs to one incarnation; thrown away as a whole. */
interface AssemblerState {
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

interface OutboxEntry {
  readonly window: TraceWindow;
  readonly record: OutRecord;
  readonly newHashes: Buffer;
  readonly revision: number;
}

interface PendingStep {
  readonly appends: Map<TraceWindow, { had: number; fragments: Buffer[] }>;
  readonly closing: { window: TraceWindow; reason: CloseReason }[];
  readonly retiredContexts: readonly number[];
}

function hexOf(window: TraceWindow): string {
  return window.storeKey.slice(0, 32);
}

function keyOf(traceId: string): string {
  return Buffer.from(traceId, 'hex').latin1Slice();
}

function closedTrace(traceKey: string, { revision, hashes }: RememberedTrace): ClosedTrace {
  return { traceId: Buffer.from(traceKey, 'latin1').hexSlice(), revision, hashes };
}

/** Deserialising gives plain Uint8Array. */
function asRemembered(remembered: RememberedTrace | null): RememberedTrace | null {
  if (remembered === null) return null;
  const { buffer, byteOffset, byteLength } = remembered.hashes;
  return { revision: remembered.revision, hashes: Buffer.from(buffer, byteOffset, byteLength) };
}

const REMEMBER_BATCH = 500;
const NO_HASHES = Buffer.alloc(0);

/** Scratch of the scan; used between two awaits only, so all partitions of a process share it. */
const table = new SpanTable();
const grouper = new SpanGrouper();
const contextIds: number[] = [];
