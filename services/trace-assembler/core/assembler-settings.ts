import type { CloseReason } from '../../../lib/codec/records.ts';

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

/** What is told of the work, for metrics and log lines. */
export interface AssemblerEvents {
  received(spans: number, bytes: number): void;
  emitted(trace: { spanCount: number; complete: boolean; closeReason: CloseReason; duplicateCount: number }): void;
  foreignRecord(offset: number, reason: string): void;
  recovered(how: 'first run' | 'hand-off' | 'rebuild', openWindows: number, from: number): void;
  open(windows: number, contexts: number): void;
}
