/** Distinct byte strings, numbered from 0 in the order in which they first came. */
export class ByteTable {
  count = 0;
  /** All strings one after another; string i is [offsets[i], offsets[i + 1]). */
  bytes: Buffer = Buffer.allocUnsafe(BYTES_AT_FIRST);
  offsets = new Int32Array(ENTRIES_AT_FIRST + 1);
  private hashes = new Int32Array(ENTRIES_AT_FIRST);
  /** Open addressing: number of the entry plus one, 0 for a free slot. At most half full. */
  private slots = new Int32Array(ENTRIES_AT_FIRST * 2);

  /** Bytes of all strings together. */
  get size(): number {
    return this.offsets[this.count] as number;
  }

  /** Number of this string; -1 when it is new. */
  find(from: Uint8Array, start: number, end: number): number {
    const hash = hashOf(from, start, end);
    const mask = this.slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = (this.slots[slot] as number) - 1;
      if (entry < 0) return -1;
      if (this.hashes[entry] === hash && this.equals(entry, from, start, end)) return entry;
    }
  }

  /** Number of this string, which is added when it is new. */
  intern(from: Uint8Array, start: number, end: number): number {
    const hash = hashOf(from, start, end);
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (; ; slot = (slot + 1) & mask) {
      const entry = (this.slots[slot] as number) - 1;
      if (entry < 0) break;
      if (this.hashes[entry] === hash && this.equals(entry, from, start, end)) return entry;
    }
    const entry = this.count++;
    this.slots[slot] = entry + 1;
    this.append(entry, from, start, end);
    this.hashes[entry] = hash;
    if (this.count === this.hashes.length) this.grow();
    return entry;
  }

  clear(): void {
    this.count = 0;
    this.slots.fill(0);
  }

  private equals(entry: number, from: Uint8Array, start: number, end: number): boolean {
    const own = this.offsets[entry] as number;
    const length = end - start;
    if ((this.offsets[entry + 1] as number) - own !== length) return false;
    for (let i = 0; i < length; i++) if (this.bytes[own + i] !== from[start + i]) return false;
    return true;
  }

  private append(entry: number, from: Uint8Array, start: number, end: number): void {
    const at = this.offsets[entry] as number;
    const to = at + end - start;
    if (to > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, to));
      larger.set(this.bytes.subarray(0, at));
      this.bytes = larger;
    }
    for (let i = start, own = at; i < end; i++, own++) this.bytes[own] = from[i] as number;
    this.offsets[entry + 1] = to;
  }

  private grow(): void {
    const entries = this.hashes.length * 2;
    this.hashes = copied(this.hashes, new Int32Array(entries));
    this.offsets = copied(this.offsets, new Int32Array(entries + 1));
    this.slots = new Int32Array(entries * 2);
    const mask = this.slots.length - 1;
    for (let entry = 0; entry < this.count; entry++) {
      let slot = (this.hashes[entry] as number) & mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
      this.slots[slot] = entry + 1;
    }
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = (end - start) * 0x9e3779b1;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const four =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    hash = Math.imul(hash ^ four, 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function copied(from: Int32Array, to: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  to.set(from);
  return to;
}

const BYTES_AT_FIRST = 4096;
const ENTRIES_AT_FIRST = 64;
