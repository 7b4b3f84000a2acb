import { isUtf8 } from 'node:buffer';

/** Text whose values hardly ever repeat, one behind the other. Filled byte by byte, without a string for each value. */
export class TextColumn {
  count = 0;
  nulls = 0;
  bytes: Buffer = Buffer.allocUnsafe(BYTES_AT_FIRST);
  /** One past the last byte; who writes into `bytes` moves it on and ends the value with `close`. */
  end = 0;
  /** Bytes of each value; -1 for null. */
  lengths = new Int32Array(ROWS_AT_FIRST);
  private closedAt = 0;

  /** Copies UTF-8; bytes that are none become U+FFFD. */
  add(from: Buffer, start: number, end: number): void {
    this.reserve(end - start);
    let high = 0;
    for (let i = start, to = this.end; i < end; i++, to++) {
      const byte = from[i] as number;
      high |= byte;
      this.bytes[to] = byte;
    }
    if (high >= 0x80 && !isUtf8(from.subarray(start, end))) return this.addText(from.utf8Slice(start, end));
    this.end += end - start;
    this.close();
  }

  addText(text: string): void {
    this.reserve(text.length * 3);
    this.end += this.bytes.write(text, this.end);
    this.close();
  }

  addHex(from: Uint8Array, start: number, length: number): void {
    this.reserve(length * 2);
    const { bytes } = this;
    let to = this.end;
    for (let i = start; i < start + length; i++) {
      const byte = from[i] as number;
      bytes[to++] = HEX[byte >> 4] as number;
      bytes[to++] = HEX[byte & 15] as number;
    }
    this.end = to;
    this.close();
  }

  /** The value of the row before once more. */
  addAgain(): void {
    const length = this.lengths[this.count - 1] as number;
    if (length < 0) return this.addNull();
    this.reserve(length);
    this.bytes.copyWithin(this.end, this.end - length, this.end);
    this.end += length;
    this.close();
  }

  addNull(): void {
    this.nulls++;
    this.push(-1);
  }

  close(): void {
    this.push(this.end - this.closedAt);
    this.closedAt = this.end;
  }

  reserve(more: number): void {
    if (this.end + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.end + more));
    larger.set(this.bytes.subarray(0, this.end));
    this.bytes = larger;
  }

  /** All values of the column, decoded: for tests. */
  values(): (string | null)[] {
    let at = 0;
    return Array.from(this.lengths.subarray(0, this.count), (length) => {
      if (length < 0) return null;
      at += length;
      return this.bytes.utf8Slice(at - length, at);
    });
  }

  clear(): void {
    this.count = 0;
    this.nulls = 0;
    this.end = 0;
    this.closedAt = 0;
  }

  private push(length: number): void {
    if (this.count === this.lengths.length) {
      const larger = new Int32Array(this.count * 2);
      larger.set(this.lengths);
      this.lengths = larger;
    }
    this.lengths[this.count++] = length;
  }
}

const ROWS_AT_FIRST = 4096;
const BYTES_AT_FIRST = 64 * 1024;
const HEX = Buffer.from('0123456789abcdef', 'latin1');
