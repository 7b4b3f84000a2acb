import type { DeadLetter, ServiceEdgeDelta } from '../../lib/codec/records.ts';
import type { PartitionLog } from '../../lib/kafka/types.ts';
import type { NameTable } from './core/name-table.ts';
import type { SpanCounts } from './core/span-counts.ts';

/** What the graph-builder's core needs of the outside. */
export interface GraphPorts {
  /** The partition of the traces topic that the worker reads: earlier revisions are read back from it. */
  readonly traces: PartitionLog;
  readonly sha256: (bytes: Uint8Array) => string;
  readonly encodeDelta: (delta: ServiceEdgeDelta) => Buffer;
  readonly encodeDeadLetter: (letter: DeadLetter) => Buffer;
  /** Told once a transaction is committed. */
  readonly folded: (report: FoldReport) => void;
}

export interface FoldReport {
  readonly records: number;
  readonly spans: number;
  /** Traces of which an earlier revision was taken back. */
  readonly corrected: number;
  /** Earlier revisions that should have been taken back, but could not be read again or were too many. */
  readonly uncorrected: number;
  readonly refused: number;
  /** Names counted as `__other__`. */
  readonly namesOverflowed: number;
  readonly deltas: readonly ServiceEdgeDelta[];
  /** Valid during the call. */
  readonly spanCounts: SpanCounts;
  readonly names: NameTable;
}
