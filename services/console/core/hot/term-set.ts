/** The distinct terms of one trace; made once, cleared for every trace. */
export class TermSet {
  /** The first `count` entries. */
  readonly terms: Uint32Array;
  count = 0;
  overflowed = false;
  private readonly slots: Uint32Array;
  /** Slots of another round count as free, so that clearing costs nothing. */
  private readonly rounds: Uint32Array;
  private round = 1;
  private readonly mask: number;

  /** @param termsMax a power of two. */
  constructor(termsMax: number) {
    this.terms = new Uint32Array(termsMax);
    this.slots = new Uint32Array(termsMax * 2);
    this.rounds = new Uint32Array(termsMax * 2);
    this.mask = termsMax * 2 - 1;
  }

  clear(): void {
    this.count = 0;
    this.overflowed = false;
    this.round++;
    if (this.round < 2 ** 32) return;
    this.rounds.fill(0);
    this.round = 1;
  }

  add(term: number): void {
    let slot = term & this.mask;
    while (this.rounds[slot] === this.round) {
      if (this.slots[slot] === term) return;
      slot = (slot + 1) & this.mask;
    }
    if (this.count === this.terms.length) {
      this.overflowed = true;
      return;
    }
    this.slots[slot] = term;
    this.rounds[slot] = this.round;
    this.terms[this.count++] = term;
  }
}
