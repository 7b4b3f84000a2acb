export type CircuitState = 'closed' | 'open' | 'half_open';

/**
 * Keeps the partitions of one destination from asking it all at once while it is down. After some failures in a row
 * nobody asks for a while; then one does, and its answer opens the way for all, or closes it for longer.
 *
 * Times are monotonic milliseconds.
 */
export class Circuit {
  private readonly failuresMax: number;
  private readonly nextPauseMs: () => number;
  private readonly onSuccess: () => void;
  private failures = 0;
  private openUntilMs = 0;
  private probing = false;
  /** Batches that the destination took so far. */
  deliveries = 0;

  /**
   * @param options.nextPauseMs how long to stay open; called once for each time.
   * @param options.onSuccess the next pause is a first one again.
   */
  constructor(options: { failuresMax: number; nextPauseMs: () => number; onSuccess: () => void }) {
    this.failuresMax = options.failuresMax;
    this.nextPauseMs = options.nextPauseMs;
    this.onSuccess = options.onSuccess;
  }

  state(nowMs: number): CircuitState {
    if (this.failures < this.failuresMax) return 'closed';
    return nowMs < this.openUntilMs ? 'open' : 'half_open';
  }

  /** 0: send now, and tell what came of it. Else ask again in so many milliseconds. */
  ask(nowMs: number): number {
    if (nowMs < this.openUntilMs) return this.openUntilMs - nowMs;
    if (this.failures < this.failuresMax) return 0;
    if (this.probing) return PROBE_WAIT_MS;
    this.probing = true;
    return 0;
  }

  succeeded(): void {
    this.deliveries++;
    this.answered();
  }

  /** It works, although it did not take what it was sent. */
  answered(): void {
    this.failures = 0;
    this.openUntilMs = 0;
    this.probing = false;
    this.onSuccess();
  }

  /** @param waitMs what the receiver asked for; it holds for every partition. */
  failed(nowMs: number, waitMs: number | undefined): void {
    this.failures++;
    this.probing = false;
    const pauseMs = this.failures >= this.failuresMax ? this.nextPauseMs() : 0;
    this.openUntilMs = Math.max(this.openUntilMs, nowMs + Math.max(pauseMs, waitMs ?? 0));
  }

  /** It was asked for, but not made: another one may be. */
  gaveUp(): void {
    this.probing = false;
  }
}

const PROBE_WAIT_MS = 100;
