/**
 * Lowers the share of traces that are kept so that about `perSecondMax` are, without a bucket that would make what is
 * kept depend on what came before it: the share depends on how many came, never on which, so weights stay right.
 *
 * A second's share is the limit over the larger of what the second before had and what this one had so far. When traffic
 * jumps to n times the limit, the first second keeps up to 1 + ln n times the limit, the next ones the limit.
 */
export class AdaptiveShare {
  private readonly perSecondMax: number;
  private secondStartMs = Number.NEGATIVE_INFINITY;
  private count = 0;
  private before = 0;

  constructor(perSecondMax: number) {
    this.perSecondMax = perSecondMax;
  }

  /** Counts a trace, which would be kept with this ratio. @returns the ratio that the limit leaves. */
  limit(ratio: number, streamMs: number): number {
    const passed = streamMs - this.secondStartMs;
    if (passed >= 1_000) {
      this.before = passed < 2_000 ? this.count : 0;
      this.count = 0;
      this.secondStartMs = streamMs;
    }
    // Time of the log may step back; that is the same second.
    this.count += ratio;
    const expected = Math.max(this.before, this.count);
    return expected <= this.perSecondMax ? ratio : (ratio * this.perSecondMax) / expected;
  }
}
