import type { CloseReason } from '../../../lib/codec/records.ts';
import type { LogRecord } from '../../../lib/kafka/types.ts';
import { scanOtlpRequest } from '../../../lib/trace/otlp-scan.ts';
import { SPAN_PROBLEMS, SpanTable } from '../../../lib/trace/span-table.ts';
import type { AssemblerEvents, AssemblerSettings } from './assembler-settings.ts';
import type { AssemblerState } from './assembler-state.ts';
import { SpanGrouper } from './group-spans.ts';
import { refusedRecord } from './refused-record.ts';
import type { TraceWindow } from './windows.ts';

/**
 * What a batch of records does to the windows of a partition: which open, grow and close, in input order. The index
 * changes at once; the bytes are gathered here and go to the store in one step.
 */
export class WindowChanges {
  readonly appends = new Map<TraceWindow, { had: number; fragments: Buffer[] }>();
  readonly closing: { window: TraceWindow; reason: CloseReason }[] = [];
  private readonly settings: AssemblerSettings;
  private readonly state: AssemblerState;
  private readonly events: AssemblerEvents;

  constructor(settings: AssemblerSettings, state: AssemblerState, events: AssemblerEvents) {
    this.settings = settings;
    this.state = state;
    this.events = events;
  }

  closeDue(): void {
    this.state.windows.takeDue(this.state.streamTimeMs, (window, reason) => this.close(window, reason));
  }

  /** Puts each trace's spans of a bundle into its window. */
  take(record: LogRecord): void {
    const { state } = this;
    const bytes = record.value;
    const problem = bytes === null ? { reason: 'empty' } : scanOtlpRequest(bytes, table);
    if (bytes === null || problem !== undefined) {
      this.refuse(record, null, problem?.reason ?? 'empty', bytes ?? NO_BYTES);
      return;
    }
    for (let row = 0; row < table.count; row++) {
      const reason = table.problem[row] as number;
      if (reason === 0) continue;
      const body = bytes.subarray(table.bodyStart[row], table.bodyEnd[row]);
      this.refuse(record, row, SPAN_PROBLEMS[reason] as string, body);
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
      this.append(traceKey, record, fragment, group);
    }
    this.events.received(table.count, bytes.length);
  }

  private refuse(record: LogRecord, index: number | null, reason: string, bytes: Buffer): void {
    this.events.foreignRecord(record.offset, reason);
    if (record.offset < this.state.buildTo) return;
    this.state.deadLetters.push(refusedRecord(this.settings, record, index, reason, bytes));
  }

  private append(traceKey: string, record: LogRecord, fragment: Buffer, group: number): void {
    const { state, settings } = this;
    const spanCount = grouper.spanCount[group] as number;
    let window = state.windows.get(traceKey);
    if (
      window !== undefined &&
      (window.byteCount + fragment.length > settings.windowBytesMax ||
        window.spanCount + spanCount > settings.spansPerTraceMax)
    ) {
      this.close(window, 'size');
      window = undefined;
    }
    const isNew = window === undefined;
    window ??= this.open(traceKey, record);
    window.offsets.push(record.offset);
    window.lastSeenMs = Math.max(window.lastSeenMs, record.timestampMs);
    window.spanCount += spanCount;
    window.byteCount += fragment.length;
    const rootIsNew = grouper.hasRoot[group] === 1 && !window.rootSeen;
    if (rootIsNew) window.rootSeen = true;
    if (isNew) state.windows.add(window);
    else if (rootIsNew) state.windows.rootCame(window);
    const pending = this.appends.get(window);
    if (pending === undefined) this.appends.set(window, { had: window.offsets.length - 1, fragments: [fragment] });
    else pending.fragments.push(fragment);
  }

  private open(traceKey: string, record: LogRecord): TraceWindow {
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

  private close(window: TraceWindow, reason: CloseReason): void {
    this.state.windows.remove(window);
    this.state.closed.set(window.traceKey, window);
    this.closing.push({ window, reason });
  }
}

const NO_BYTES = Buffer.alloc(0);

/** Scratch of the scan; used between two awaits only, so all partitions of a process share it. */
const table = new SpanTable();
const grouper = new SpanGrouper();
const contextIds: number[] = [];
