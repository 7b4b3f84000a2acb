import type { LedgerEntry } from '../codec/records.ts';
import type { FencedWriter, LogRecord, NamedLog, OutRecord, PartitionLog } from '../kafka/types.ts';

/**
 * The part of a worker that differs from service to service: what to do with the records of one partition.
 *
 * The loop around it (partition-worker.ts) is the same everywhere: fence, claim, recover, run, commit, drain. One Stage
 * object lives as long as its PartitionWorker and goes through `recover` anew after every error; it must not keep
 * anything of a former incarnation except what it deliberately distrusts.
 */
export interface Stage {
  /**
   * Rebuilds the state that belongs to the last committed ledger entry (`undefined`: this partition never ran).
   * @returns the input offset to read from, or `EARLIEST`.
   */
  recover(last: LedgerEntry | undefined, incarnation: Incarnation): Promise<number>;

  /** Takes records in offset order. Called with none when the log was idle, so that time can close things. */
  apply(records: readonly LogRecord[], tick: Tick): Promise<void>;

  /** What a commit would write now; `undefined` when nothing changed since the last one. */
  prepare(reason: CommitReason): Promise<StageCommit | undefined>;

  /** The transaction committed. `end` answers one past the last record it wrote to a partition. */
  committed(commit: StageCommit, end: EndOfOutput): Promise<void>;

  /** True when enough output waits that a commit should not wait for the interval. */
  readonly full: boolean;

  /**
   * Input offsets [from, to) are gone (retention or truncation) before they were read. Reported by the loop; a stage
   * that keeps totals or writes a dead letter for it does so here.
   */
  onGap?(from: number, to: number): void;

  /**
   * The batch at input offsets [from, to) cannot be decoded (a bomb, a damaged batch) and is passed over. A stage without
   * this halts instead: its input is our own, and nothing of it may be passed over.
   */
  onUndecodable?(from: number, to: number, reason: string): void;
}

/** Answered by `recover` when the partition never ran: begin with the oldest record that is retained. */
export const EARLIEST = -1;

/** `drain`: the worker leaves; whatever the successor needs must be in this commit. */
export type CommitReason = 'interval' | 'drain';

export interface Tick {
  /**
   * Broker time: append time of the newest record read and, while caught up with the log, that plus the time passed
   * since. Never goes back within an incarnation; 0 until a record was read.
   */
  readonly streamTimeMs: number;
  /** The fetch ended at the log's end. */
  readonly caughtUp: boolean;
  /** Input offset to read next; every record below it has been given to `apply`. */
  readonly nextOffset: number;
}

export interface StageCommit {
  readonly outputs: readonly StageOutput[];
  /** The ledger entry, made when the outputs' offsets are known. */
  entry(end: EndOfOutput): LedgerState;
}

export interface StageOutput {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly OutRecord[];
}

/** A ledger entry without what the loop itself fills in. */
export type LedgerState = Omit<LedgerEntry, 'kind' | 'nonce'>;

/** One past the last record of this transaction in a partition; `undefined` when it wrote none there. */
export type EndOfOutput = (topic: string, partition: number) => number | undefined;

/** One pass through fence, claim and recover. */
export interface Incarnation {
  /** Random; names what this incarnation writes elsewhere, e.g. a Redis namespace. */
  readonly nonce: string;
}

/** Everything one worker touches of the outside. The simulator gives its own. */
export interface WorkerPorts {
  readonly input: NamedLog;
  readonly ledger: PartitionLog;
  /** A new writer each time; opening it fences the one before. */
  openWriter(): Promise<FencedWriter>;
  readonly clock: WorkerClock;
  /** `bytes` random bytes as hex. */
  randomHex(bytes: number): string;
  readonly events: WorkerEvents;
  /** Named place where a test may kill the process (CRASH_AT); does nothing otherwise. */
  crashPoint(name: string): void;
}

export interface WorkerClock {
  /** Milliseconds from any origin; never set back. */
  monotonicMs(): number;
  sleep(ms: number): Promise<void>;
}

/** What a worker tells the outside: for logs and metrics, never for decisions. */
export interface WorkerEvents {
  started(worker: string, position: number): void;
  failed(worker: string, error: unknown, retryInMs: number): void;
  gap(worker: string, from: number, to: number): void;
  committed(worker: string, position: number, lagRecords: number, streamTimeMs: number): void;
  /** @param error why it could not drain, e.g. that another had taken over before. */
  stopped(worker: string, clean: boolean, error?: unknown): void;
}

export interface WorkerSettings {
  /** Names the worker in the ledger: `<service>/<input topic>/<partition>`. */
  readonly key: string;
  readonly ledgerTopic: string;
  readonly ledgerPartition: number;
  readonly commitIntervalMs: number;
  readonly fetchBytesMax: number;
  /** Longest wait for input; also the longest time between two ticks. */
  readonly fetchWaitMs: number;
  /** How long to watch the ledger for the predecessor's hand-off before fencing it. */
  readonly handOffWaitMs: number;
  /** The predecessor is gone: the first incarnation waits for no hand-off of it. */
  readonly orphaned: boolean;
  readonly retryMs: number;
  readonly retryMaxMs: number;
}
