import type { RememberedTrace } from '../ports.ts';

/** One open window: what the worker knows without its bytes. */
export interface TraceWindow {
  /** The 16 id bytes as latin1: the cheapest key that a Map takes. */
  readonly traceKey: string;
  /** Name of the window in the store; never used twice in a namespace. */
  readonly storeKey: string;
  /** Input offsets whose spans are in, ascending; one fragment each. */
  readonly offsets: number[];
  readonly openedAtMs: number;
  lastSeenMs: number;
  rootSeen: boolean;
  spanCount: number;
  byteCount: number;
  /** What the store remembered of the trace when the window opened. */
  remembered: RememberedTrace | null;
  /** An earlier window of the trace that closed but was not yet remembered when this one opened. */
  predecessor: TraceWindow | null;
  /** The trace may have closed before in a time of which nothing is remembered. */
  contextLost: boolean;
  /** Set when the window was assembled, for the windows that follow it. */
  emitted: RememberedTrace | null;
  /** Bucket of the due wheel that holds it; -1 once it is closed. */
  dueBucket: number;
}

export type DueReason = 'idle' | 'age';

export interface WindowLimits {
  /** Closes a window that saw its root, counted from its last span. */
  readonly idleTimeoutMs: number;
  /** The same for a window whose root has not come: a request that hangs sends its root last. */
  readonly rootlessIdleTimeoutMs: number;
  /** Closes a window that long after it opened, whatever comes. */
  readonly ageMaxMs: number;
}

/**
 * The open windows of one partition, in the order in which they opened, and when each falls due.
 *
 * All times are stream time. The wheel is lazy: a span moves nothing, a window whose bucket comes up too early is put
 * back. So closing costs a constant per window, not per span.
 */
export class Windows {
  private readonly limits: WindowLimits;
  private readonly open = new Map<string, TraceWindow>();
  private readonly wheel = new Map<number, TraceWindow[]>();
  private nextBucket = Number.POSITIVE_INFINITY;

  constructor(limits: WindowLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.open.size;
  }

  get(traceKey: string): TraceWindow | undefined {
    return this.open.get(traceKey);
  }

  values(): IterableIterator<TraceWindow> {
    return this.open.values();
  }

  /** First input offset of the oldest window: windows open in input order and a Map keeps it. */
  lowestOffset(): number | undefined {
    for (const window of this.open.values()) return window.offsets[0];
    return undefined;
  }

  add(window: TraceWindow): void {
    this.open.set(window.traceKey, window);
    this.schedule(window);
  }

  /** A window whose root came is due earlier than the wheel has it. */
  rootCame(window: TraceWindow): void {
    this.schedule(window);
  }

  remove(window: TraceWindow): void {
    this.open.delete(window.traceKey);
    window.dueBucket = -1;
  }

  /** Takes out every window due at `nowMs`, in an order that depends on nothing but the input. */
  takeDue(nowMs: number, onDue: (window: TraceWindow, reason: DueReason) => void): void {
    const lastBucket = Math.floor(nowMs / BUCKET_MS);
    if (this.nextBucket > lastBucket) return;
    for (const bucket of this.bucketsThrough(lastBucket)) {
      const windows = this.wheel.get(bucket) as TraceWindow[];
      this.wheel.delete(bucket);
      for (const window of windows) {
        if (window.dueBucket !== bucket) continue;
        if (this.dueAtMs(window) > nowMs) {
          this.schedule(window);
          continue;
        }
        const aged = nowMs >= window.openedAtMs + this.limits.ageMaxMs;
        this.remove(window);
        onDue(window, aged ? 'age' : 'idle');
      }
    }
    this.nextBucket = this.wheel.size === 0 ? Number.POSITIVE_INFINITY : Math.min(...this.wheel.keys());
  }

  private bucketsThrough(lastBucket: number): number[] {
    const due: number[] = [];
    for (const bucket of this.wheel.keys()) if (bucket <= lastBucket) due.push(bucket);
    return due.sort((a, b) => a - b);
  }

  private dueAtMs(window: TraceWindow): number {
    const idleMs = window.rootSeen ? this.limits.idleTimeoutMs : this.limits.rootlessIdleTimeoutMs;
    return Math.min(window.lastSeenMs + idleMs, window.openedAtMs + this.limits.ageMaxMs);
  }

  private schedule(window: TraceWindow): void {
    const bucket = Math.floor(this.dueAtMs(window) / BUCKET_MS);
    window.dueBucket = bucket;
    const windows = this.wheel.get(bucket);
    if (windows === undefined) this.wheel.set(bucket, [window]);
    else windows.push(window);
    if (bucket < this.nextBucket) this.nextBucket = bucket;
  }
}

/** Width of a bucket of the due wheel. Windows still close to the millisecond; this only bounds how often one is looked at. */
const BUCKET_MS = 250;
