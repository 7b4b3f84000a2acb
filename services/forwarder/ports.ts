import type { DeadLetter } from '../../lib/codec/records.ts';
import type { CommittedPosition } from '../../lib/kafka/committed-offset.ts';
import type { PartitionLog } from '../../lib/kafka/types.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Batch } from './core/batch.ts';
import type { CircuitState } from './core/circuit.ts';
import type { Verdict } from './core/verdict.ts';

/** Takes batches to one destination. Used by all its partitions of this process. */
export interface Sender {
  /**
   * Never throws: what kept it from getting an answer is a verdict.
   * @param batchId the same when the same batch is sent again, and of no other batch.
   */
  send(batch: Batch, signal: AbortSignal, batchId: string): Promise<Verdict>;
  /** A batch that comes again is known by its id, so it is worth cutting it the same after a crash. */
  readonly knowsBatches?: boolean;
  close(): Promise<void>;
}

/** What the worker of one partition for one destination touches of the outside. */
export interface WorkerPorts {
  readonly traces: PartitionLog;
  readonly sender: Sender;
  /** Where the destination's group got to in this partition, and its note; undefined when it has never been there. */
  committed(): Promise<CommittedPosition | undefined>;
  reportOffset(nextOffset: number): void;
  /** Commits at once, with a note. */
  commit(nextOffset: number, note: string): Promise<void>;
  /** Written together, or not at all. */
  deadLetters(letters: readonly DeadLetter[]): Promise<void>;
  sha256(bytes: Uint8Array): string;
  readonly clock: Clock;
  readonly events: DestinationEvents;
}

/** What happens to one destination. */
export interface DestinationEvents {
  started(partition: number, offset: number): void;
  received(records: number): void;
  foreignRecord(partition: number, offset: number, why: string): void;
  /** What a rule of its sampling decided on a trace record. */
  sampled(rule: string, kept: boolean): void;
  delivered(batch: Batch, tookMs: number): void;
  rejectedSpans(spans: number, why: string): void;
  /** Not taken. `next`: what is done about it. */
  failed(why: string, next: string, waitMs: number): void;
  buried(letters: readonly DeadLetter[]): void;
  circuit(state: CircuitState): void;
  gap(partition: number, from: number, to: number): void;
  lag(partition: number, records: number, seconds: number): void;
  /** The worker begins anew. */
  broken(partition: number, error: unknown, retryInMs: number): void;
  stopped(partition: number): void;
}
