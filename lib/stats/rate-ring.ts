/**
 * Many rings of counters over time, one a row, in pages of typed arrays. A ring holds `slots` consecutive windows up to
 * its own newest one, its head; each window has `channels` signed counts and one mark.
 *
 * Windows are integers (start of the window over its length). Every row has a head of its own, so one subject with
 * a wrong clock cannot push the windows of others out. A row costs slots × (4 × channels + 1) bytes.
 */
export class RateRings {
  readonly slots: number;
  readonly channels: number;
  private readonly counts: Int32Array[] = [];
  private readonly marks: Uint8Array[] = [];
  private readonly free: number[] = [];
  private heads = new Float64Array(ROWS_PER_PAGE);
  private rowsMade = 0;

  constructor(shape: { slots: number; channels: number }) {
    this.slots = shape.slots;
    this.channels = shape.channels;
  }

  /** A fresh row, all zero, whose newest window is `head`. */
  addRow(head: number): number {
    const row = this.free.pop() ?? this.makeRow();
    const base = (row & PAGE_MASK) * this.slots;
    this.countsOf(row).fill(0, base * this.channels, (base + this.slots) * this.channels);
    this.marksOf(row).fill(0, base, base + this.slots);
    this.heads[row] = head;
    return row;
  }

  freeRow(row: number): void {
    this.free.push(row);
  }

  head(row: number): number {
    return this.heads[row] as number;
  }

  holds(row: number, window: number): boolean {
    const head = this.heads[row] as number;
    return window <= head && window > head - this.slots;
  }

  /** Adds to one count. The caller has made sure that the row holds the window. Saturates at the limits of int32. */
  add(row: number, window: number, channel: number, count: number): void {
    const page = this.countsOf(row);
    const at = (this.slot(row, window) * this.channels + channel) | 0;
    page[at] = Math.max(COUNT_MIN, Math.min(COUNT_MAX, (page[at] as number) + count));
  }

  /** The count, or 0 for a window that the row does not hold. */
  at(row: number, window: number, channel: number): number {
    if (!this.holds(row, window)) return 0;
    return this.countsOf(row)[this.slot(row, window) * this.channels + channel] as number;
  }

  mark(row: number, window: number): number {
    return this.holds(row, window) ? (this.marksOf(row)[this.slot(row, window)] as number) : 0;
  }

  setMark(row: number, window: number, mark: number): void {
    if (this.holds(row, window)) this.marksOf(row)[this.slot(row, window)] = mark;
  }

  /** Moves the head on by one window, which starts at zero with `mark`; the oldest window is forgotten. */
  step(row: number, mark: number): void {
    const head = (this.heads[row] as number) + 1;
    this.heads[row] = head;
    const slot = this.slot(row, head);
    this.countsOf(row).fill(0, slot * this.channels, (slot + 1) * this.channels);
    this.marksOf(row)[slot] = mark;
  }

  /** Moves the head far on when nothing that the row holds is wanted any more. */
  restart(row: number, head: number, mark: number): void {
    const base = (row & PAGE_MASK) * this.slots;
    this.countsOf(row).fill(0, base * this.channels, (base + this.slots) * this.channels);
    this.marksOf(row).fill(mark, base, base + this.slots);
    this.heads[row] = head;
  }

  /**
   * Sums of two channels over the newest `lengths[i]` windows, into `into` at 2i and 2i + 1. `lengths` ascend and
   * end at most at `slots`. Windows with the mark `skipped` count nothing (-1: none is skipped). One walk serves all
   * lengths, and there are no running sums that could drift.
   */
  sumNewest(
    row: number,
    lengths: readonly number[],
    channelA: number,
    channelB: number,
    skipped: number,
    into: Float64Array,
  ): void {
    const page = this.countsOf(row);
    const marks = this.marksOf(row);
    const channels = this.channels;
    const first = (row & PAGE_MASK) * this.slots;
    let slot = this.slot(row, this.heads[row] as number);
    let a = 0;
    let b = 0;
    let taken = 0;
    for (let i = 0; i < lengths.length; i++) {
      const length = lengths[i] as number;
      while (taken < length) {
        if (marks[slot] !== skipped) {
          const at = slot * channels;
          a += page[at + channelA] as number;
          b += page[at + channelB] as number;
        }
        slot = slot === first ? first + this.slots - 1 : slot - 1;
        taken++;
      }
      into[2 * i] = a;
      into[2 * i + 1] = b;
    }
  }

  private slot(row: number, window: number): number {
    // The windows behind a head near 1970 are negative.
    const turn = window % this.slots;
    return (row & PAGE_MASK) * this.slots + (turn < 0 ? turn + this.slots : turn);
  }

  private countsOf(row: number): Int32Array {
    return this.counts[row >> PAGE_BITS] as Int32Array;
  }

  private marksOf(row: number): Uint8Array {
    return this.marks[row >> PAGE_BITS] as Uint8Array;
  }

  private makeRow(): number {
    const row = this.rowsMade++;
    if (row >> PAGE_BITS === this.counts.length) {
      this.counts.push(new Int32Array(ROWS_PER_PAGE * this.slots * this.channels));
      this.marks.push(new Uint8Array(ROWS_PER_PAGE * this.slots));
    }
    if (row >= this.heads.length) {
      const grown = new Float64Array(this.heads.length * 2);
      grown.set(this.heads);
      this.heads = grown;
    }
    return row;
  }
}

const PAGE_BITS = 8;
const ROWS_PER_PAGE = 1 << PAGE_BITS;
const PAGE_MASK = ROWS_PER_PAGE - 1;
const COUNT_MAX = 2 ** 31 - 1;
const COUNT_MIN = -COUNT_MAX;
