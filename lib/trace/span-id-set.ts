/** A set of 8-byte span ids in typed arrays, emptied and used again for every trace. An id of eight zero bytes is no id. */
export class SpanIdSet {
  private hi = new Uint32Array(SLOTS_AT_FIRST);
  private lo = new Uint32Array(SLOTS_AT_FIRST);
  private mask = SLOTS_AT_FIRST - 1;

  /** Empties the set and makes room for `entries` ids. */
  reset(entries: number): void {
    const size = Math.max(SLOTS_AT_FIRST, 2 ** Math.ceil(Math.log2(entries * 2 + 1)));
    if (size > this.hi.length) {
      this.hi = new Uint32Array(size);
      this.lo = new Uint32Array(size);
    } else {
      this.hi.fill(0, 0, size);
      this.lo.fill(0, 0, size);
    }
    this.mask = size - 1;
  }

  /** @param at first of the id's eight bytes. @returns false when it was in already. */
  add(bytes: Buffer, at: number): boolean {
    const slot = this.slotOf(bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4));
    if (slot < 0) return false;
    this.hi[slot] = bytes.readUInt32LE(at);
    this.lo[slot] = bytes.readUInt32LE(at + 4);
    return true;
  }

  has(bytes: Buffer, at: number): boolean {
    return this.slotOf(bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)) < 0;
  }

  /** The free slot for an id, or -1 when the id is in. */
  private slotOf(hi: number, lo: number): number {
    let slot = (hi ^ Math.imul(lo, 0x9e3779b1)) & this.mask;
    for (;;) {
      const slotHi = this.hi[slot];
      const slotLo = this.lo[slot];
      if (slotHi === 0 && slotLo === 0) return slot;
      if (slotHi === hi && slotLo === lo) return -1;
      slot = (slot + 1) & this.mask;
    }
  }
}

const SLOTS_AT_FIRST = 64;
