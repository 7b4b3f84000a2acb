import { forEachSpanKey } from './messages.ts';

/** Counts every span sent against every span that came out, by trace id and span id. */
export class SpanLedger {
  private readonly seen = new Map<string, number>();
  sent = 0;
  /** Spans in traces that nobody sent. */
  foreign = 0;
  received = 0;

  addSent(otlp: Buffer): number {
    return forEachSpanKey(otlp, (key) => {
      this.sent++;
      this.seen.set(key, 0);
    });
  }

  addReceived(otlp: Buffer): void {
    forEachSpanKey(otlp, (key) => {
      this.received++;
      const count = this.seen.get(key);
      if (count === undefined) this.foreign++;
      else this.seen.set(key, count + 1);
    });
  }

  result(): { lost: number; double: number } {
    let lost = 0;
    let double = 0;
    for (const count of this.seen.values()) {
      if (count === 0) lost++;
      else if (count > 1) double += count - 1;
    }
    return { lost, double: double + this.foreign };
  }
}
