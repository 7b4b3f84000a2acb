/**
 * Holds the bytes of open windows of one partition, and what is remembered of closed traces. It decides nothing: every
 * decision is the worker's, and whatever the store says that differs from the worker's own index is a surprise, after
 * which the worker abandons the namespace and rebuilds from Kafka.
 */
export interface WindowStore {
  /**
   * Makes `namespace` the living one of this partition and drops the windows of the one before.
   * @param contextStartMs stream time from which closed traces are remembered if nothing older is.
   */
  begin(namespace: string, contextStartMs: number): Promise<StoreContext>;

  /**
   * One atomic step: checks the length of every window touched, appends, then takes out closed windows.
   * @throws SpanloomError WINDOW_STORE_SURPRISE when a window is not as long as the worker says.
   */
  step(namespace: string, step: WindowStep): Promise<StepResult>;

  /** Adds to what is remembered of closed traces; doing it twice changes nothing. Only after their commit. */
  remember(traces: readonly ClosedTrace[]): Promise<void>;

  /** Stores the worker's index under a nonce that only the ledger entry of a clean hand-off names. */
  saveIndex(namespace: string, nonce: string, index: Buffer): Promise<void>;

  /** Takes the index out, once; `null` when it is not there. */
  takeIndex(namespace: string, nonce: string): Promise<{ index: Buffer | null } & StoreContext>;
}

export interface StoreContext {
  /** Stream time since which closed traces are remembered without a gap; 0: always. */
  readonly contextSinceMs: number;
}

export interface WindowStep {
  readonly appends: readonly WindowAppend[];
  readonly takes: readonly WindowTake[];
  /** Contexts first used in this step: id and an encoded ResourceSpans without spans. */
  readonly contexts: readonly { id: number; bytes: Buffer }[];
  /** Contexts that no open window uses any more. */
  readonly retiredContexts: readonly number[];
}

export interface WindowAppend {
  readonly windowKey: string;
  /** 32 hex characters. */
  readonly traceId: string;
  /** Fragments in the window before this append; 0 opens it. */
  readonly had: number;
  readonly fragments: readonly Buffer[];
}

export interface WindowTake {
  readonly windowKey: string;
  readonly traceId: string;
  /** Fragments it must hold, those of this step included. */
  readonly length: number;
}

export interface StepResult {
  /** For each append that opened a window, in order: what is remembered of its trace. */
  readonly remembered: readonly (RememberedTrace | null)[];
  /** For each take, in order: the window's fragments. */
  readonly taken: readonly (readonly Buffer[])[];
}

export interface RememberedTrace {
  readonly revision: number;
  /** Eight bytes for each span emitted, of all revisions. */
  readonly hashes: Buffer;
}

export interface ClosedTrace {
  /** 32 hex characters. */
  readonly traceId: string;
  readonly revision: number;
  /** Eight bytes for each span of this revision. */
  readonly hashes: Buffer;
}
