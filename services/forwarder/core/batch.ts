import type { AssembledTrace } from '../../../lib/codec/records.ts';
import type { BatchLimits } from './destination.ts';

/** A trace record on its way to a destination. */
export interface ForwardedTrace {
  readonly trace: AssembledTrace;
  readonly offset: number;
  /** When its record was written, epoch milliseconds. */
  readonly appendMs: number;
}

/** What is sent in one request. */
export type Batch = readonly ForwardedTrace[];

/** Traces of one partition that were read and not yet sent, cut into batches in the order of the log. */
export class BatchQueue {
  private readonly limits: BatchLimits;
  private waiting: ForwardedTrace[] = [];
  private spans = 0;
  private bytes = 0;
  private firstAtMs = 0;

  constructor(limits: BatchLimits) {
    this.limits = limits;
  }

  /** @param nowMs monotonic. */
  add(trace: ForwardedTrace, nowMs: number): void {
    if (this.waiting.length === 0) this.firstAtMs = nowMs;
    this.waiting.push(trace);
    this.spans += trace.trace.spanCount;
    this.bytes += trace.trace.otlp.length;
  }

  /** The trace that has waited longest. */
  get first(): ForwardedTrace | undefined {
    return this.waiting[0];
  }

  /** Milliseconds until a batch is due though it is not full; undefined when nothing waits. */
  dueInMs(nowMs: number): number | undefined {
    return this.waiting.length === 0 ? undefined : Math.max(0, this.firstAtMs + this.limits.waitMs - nowMs);
  }

  /** Takes the next batch if one is full, or has waited long enough. One trace alone may be over the limits. */
  take(nowMs: number): Batch | undefined {
    const { spansMax, bytesMax } = this.limits;
    const isFull = this.spans >= spansMax || this.bytes >= bytesMax;
    if (!isFull && this.dueInMs(nowMs) !== 0) return undefined;
    let spans = 0;
    let bytes = 0;
    let count = 0;
    for (const { trace } of this.waiting) {
      if (count > 0 && (spans + trace.spanCount > spansMax || bytes + trace.otlp.length > bytesMax)) break;
      spans += trace.spanCount;
      bytes += trace.otlp.length;
      count++;
    }
    return this.cut(count, spans, bytes);
  }

  /** Takes everything up to an offset, whatever the limits; undefined when there is nothing. */
  takeTo(offset: number): Batch | undefined {
    const batch = this.waiting.filter((each) => each.offset <= offset);
    if (batch.length === 0) return undefined;
    return this.cut(batch.length, spansOf(batch), bytesOf(batch));
  }

  private cut(count: number, spans: number, bytes: number): Batch {
    const batch = this.waiting.slice(0, count);
    this.waiting = this.waiting.slice(count);
    this.spans -= spans;
    this.bytes -= bytes;
    return batch;
  }
}

export function spansOf(batch: Batch): number {
  return batch.reduce((sum, { trace }) => sum + trace.spanCount, 0);
}

function bytesOf(batch: Batch): number {
  return batch.reduce((sum, { trace }) => sum + trace.otlp.length, 0);
}

/**
 * Names a batch by where its first and last records stand. The time of the first tells logs apart when a topic was made anew.
 */
export function batchId(batch: Batch, { topic, partition }: { topic: string; partition: number }): string {
  const [first, last] = [batch[0], batch.at(-1)];
  return `${topic}/${partition}/${first?.offset}-${last?.offset}@${first?.appendMs}`;
}

/** What is noted beside a position before the batch that begins there is sent, so that another try cuts the same batch. */
export function sealNote(batch: Batch): string {
  return `batch to ${batch.at(-1)?.offset}`;
}

/** Last offset of the batch that was on its way; undefined when none was noted. */
export function sealedTo(note: string): number | undefined {
  const offset = /^batch to (\d{1,15})$/.exec(note)?.[1];
  return offset === undefined ? undefined : Number(offset);
}
