/** Bytes that may be held at once by all requests together: what does not fit is turned away, not queued. */
export class ByteBudget {
  private readonly max: number;
  private held = 0;

  constructor(max: number) {
    this.max = max;
  }

  get bytes(): number {
    return this.held;
  }

  /** False when it does not fit; then nothing was taken. */
  tryTake(bytes: number): boolean {
    if (this.held + bytes > this.max) return false;
    this.held += bytes;
    return true;
  }

  give(bytes: number): void {
    this.held -= bytes;
  }
}
