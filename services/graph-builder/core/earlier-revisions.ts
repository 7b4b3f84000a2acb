/**
 * Where on the traces topic the revisions of a trace are that came within the horizon.
 *
 * What is known at an offset follows from the log alone: the records that were appended at most `horizonMs` before it,
 * and of these the newest `tracesMax`. So a worker that takes over knows the same after it has read that stretch again,
 * which begins at `lowest`.
 */
export class EarlierRevisions {
  private readonly limits: EarlierLimits;
  /** Trace id → its records, oldest first. */
  private readonly byTrace = new Map<string, Revision[]>();
  /** All records in offset order, from `first` on. */
  private queue: Revision[] = [];
  private first = 0;

  constructor(limits: EarlierLimits) {
    this.limits = limits;
  }

  /** Records that are known. */
  get size(): number {
    return this.queue.length - this.first;
  }

  /** Offset of the oldest record that is known; undefined when none is. */
  get lowest(): number | undefined {
    return this.queue[this.first]?.offset;
  }

  /** What is known of the trace at this record, oldest first; the record itself is known from then on. */
  add(revision: Revision): readonly Revision[] {
    this.forget(revision.appendMs - this.limits.horizonMs);
    const known = this.byTrace.get(revision.traceId);
    const earlier = known === undefined ? NONE : known.slice();
    if (known === undefined) this.byTrace.set(revision.traceId, [revision]);
    else known.push(revision);
    this.queue.push(revision);
    if (this.size > this.limits.tracesMax) this.forgetFirst();
    return earlier;
  }

  clear(): void {
    this.byTrace.clear();
    this.queue = [];
    this.first = 0;
  }

  private forget(beforeMs: number): void {
    for (;;) {
      const oldest = this.queue[this.first];
      if (oldest === undefined || oldest.appendMs >= beforeMs) return;
      this.forgetFirst();
    }
  }

  private forgetFirst(): void {
    const { traceId } = this.queue[this.first] as Revision;
    const known = this.byTrace.get(traceId) as Revision[];
    if (known.length === 1) this.byTrace.delete(traceId);
    else known.shift();
    this.first++;
    if (this.first < COMPACT_FROM || this.first * 2 < this.queue.length) return;
    this.queue = this.queue.slice(this.first);
    this.first = 0;
  }
}

export interface Revision {
  readonly traceId: string;
  readonly offset: number;
  /** Broker append time, epoch milliseconds. */
  readonly appendMs: number;
}

export interface EarlierLimits {
  readonly horizonMs: number;
  /** Records known at once; about 200 bytes each. */
  readonly tracesMax: number;
}

const NONE: readonly Revision[] = [];
const COMPACT_FROM = 1024;
