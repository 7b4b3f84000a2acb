import type { ChainEntry } from '../../lib/archive/chain.ts';
import type { BatchSteps } from '../../lib/archive/rows/row-groups.ts';
import type { AssembledTrace } from '../../lib/codec/records.ts';
import type { NamedLog } from '../../lib/kafka/types.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Bucket } from '../../lib/s3/bucket.ts';

/** What the archiver's core needs of the outside. */
export interface ArchivePorts {
  /** A whole Parquet file. */
  readonly encodeParquet: (batches: BatchSteps) => Promise<Uint8Array>;
  /** A whole object of OTLP. */
  readonly encodeOtlp: (records: readonly { value: Buffer; trace: AssembledTrace }[]) => Promise<Uint8Array>;
  /** SHA-256 over all of them, one after another; hex. */
  readonly digest: (parts: readonly Uint8Array[]) => string;
}

/** What one partition's archiver touches. */
export interface ArchiverPorts extends ArchivePorts {
  readonly bucket: Bucket;
  readonly traces: NamedLog;
  readonly clock: Clock;
  readonly events: ArchiverEvents;
  /** Where a test may kill the process. */
  crashPoint(name: string): void;
  /** One range is encoded and uploaded at a time: it bounds memory. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
}

export interface ArchiverEvents {
  opened(partition: number, generation: number, position: number): void;
  /** The chain belongs to another log of the same name. */
  newGeneration(partition: number, generation: number, why: string): void;
  /** Offsets [from, to) were gone before they were archived. */
  gap(partition: number, from: number, to: number): void;
  /** Rows of an entry that can no longer be made, because its offsets are gone. */
  lost(partition: number, first: number, keys: readonly string[]): void;
  /** An object of traces is in no index of trace ids: who looks for one asks the object itself. */
  unindexed(partition: number, key: string, error: unknown): void;
  written(entry: ChainEntry, why: string, bytes: number): void;
  progress(partition: number, position: number, lagRecords: number, newestAppendMs: number): void;
  failed(partition: number, error: unknown, retryInMs: number): void;
  stopped(partition: number): void;
}
