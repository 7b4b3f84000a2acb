import { type Random, systemRandom } from './clock.ts';

/** Pauses that double from `firstMs` up to `maxMs`, each shortened by up to a quarter so that processes do not retry in step. */
export class Backoff {
  private readonly firstMs: number;
  private readonly maxMs: number;
  private readonly random: Random;
  private failures = 0;

  constructor(options: { firstMs: number; maxMs: number; random?: Random }) {
    this.firstMs = options.firstMs;
    this.maxMs = options.maxMs;
    this.random = options.random ?? systemRandom;
  }

  nextMs(): number {
    const fullMs = Math.min(this.maxMs, this.firstMs * 2 ** this.failures);
    if (fullMs < this.maxMs) this.failures++;
    return Math.round(fullMs * (1 - this.random.nextFloat() / 4));
  }

  /** After a success: the next failure is a first one again. */
  reset(): void {
    this.failures = 0;
  }
}
