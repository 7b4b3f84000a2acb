/** Rate of a total that only grows, over the last `windowMs`. */
export class SlidingRate {
  private readonly windowMs: number;
  private readonly samples: { atMs: number; total: number }[] = [];

  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  /** Per second, between the oldest sample within the window and this one. */
  perSecond(atMs: number, total: number): number {
    this.samples.push({ atMs, total });
    while (this.samples.length > 2 && (this.samples[1]?.atMs ?? 0) <= atMs - this.windowMs) this.samples.shift();
    const oldest = this.samples[0];
    return oldest === undefined || atMs === oldest.atMs ? 0 : ((total - oldest.total) * 1000) / (atMs - oldest.atMs);
  }
}
