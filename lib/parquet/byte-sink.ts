/** A growing buffer that is written from front to back and used again. */
export class ByteSink {
  bytes: Buffer = Buffer.allocUnsafe(BYTES_AT_FIRST);
  end = 0;

  reserve(more: number): void {
    if (this.end + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.end + more));
    larger.set(this.bytes.subarray(0, this.end));
    this.bytes = larger;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.end++] = value;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.end = this.bytes.writeUInt32LE(value >>> 0, this.end);
  }

  append(from: Uint8Array, start = 0, end = from.length): void {
    this.reserve(end - start);
    this.bytes.set(from.subarray(start, end), this.end);
    this.end += end - start;
  }

  /** ULEB128. @param value a safe integer, not negative. */
  varint(value: number): void {
    this.reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.end++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.end++] = rest;
  }

  /** Zigzag ULEB128. @param value an integer below 2^52 in size. */
  zigzag(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  zigzagBig(value: bigint): void {
    this.reserve(10);
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (rest >= 0x80n) {
      this.bytes[this.end++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.end++] = Number(rest);
  }

  /** What is written so far; overwritten after `clear`. */
  view(): Buffer {
    return this.bytes.subarray(0, this.end);
  }

  clear(): void {
    this.end = 0;
  }
}

const BYTES_AT_FIRST = 64 * 1024;
