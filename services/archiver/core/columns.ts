import { isUtf8 } from 'node:buffer';

/**
 * Columns in Arrow's layout, filled byte by byte: a Parquet writer takes them over without a JavaScript string or
 * object for each value.
 */
export class TextColumn {
  count = 0;
  nulls = 0;
  bytes: Buffer = Buffer.allocUnsafe(TEXT_BYTES_AT_FIRST);
  /** One past the last byte. */
  end = 0;
  private offsets = new Int32Array(ROWS_AT_FIRST + 1);
  private readonly validity = new Bits();

  /** Copies UTF-8; bytes that are none become U+FFFD. */
  add(from: Buffer, start: number, end: number): void {
    this.write(from, start, end);
    this.close();
  }

  addText(text: string): void {
    this.reserve(text.length * 3);
    this.end += this.bytes.write(text, this.end);
    this.close();
  }

  addHex(from: Buffer, start: number, length: number): void {
    this.reserve(length * 2);
    for (let i = start; i < start + length; i++) {
      const byte = from[i] as number;
      this.bytes[this.end++] = HEX[byte >> 4] as number;
      this.bytes[this.end++] = HEX[byte & 15] as number;
    }
    this.close();
  }

  /** Ends a value that was written with `write` and `put`. */
  close(): void {
    if (this.end > TEXT_BYTES_MAX) throw new RangeError(`A column of more than ${TEXT_BYTES_MAX} bytes`);
    this.validity.add(true);
    this.closeRow();
  }

  addNull(): void {
    this.nulls++;
    this.validity.add(false);
    this.closeRow();
  }

  write(from: Buffer, start: number, end: number): void {
    this.reserve(end - start);
    let to = this.end;
    let high = 0;
    for (let i = start; i < end; i++) {
      const byte = from[i] as number;
      high |= byte;
      this.bytes[to++] = byte;
    }
    if (high >= 0x80 && !isUtf8(from.subarray(start, end))) return this.writeRepaired(from.utf8Slice(start, end));
    this.end = to;
  }

  /** One ASCII character. */
  put(byte: number): void {
    this.reserve(1);
    this.bytes[this.end++] = byte;
  }

  reserve(more: number): void {
    if (this.end + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.end + more));
    larger.set(this.bytes.subarray(0, this.end));
    this.bytes = larger;
  }

  arrow(): { valueOffsets: Int32Array; data: Buffer; nullCount: number; nullBitmap: Uint8Array | undefined } {
    return {
      valueOffsets: this.offsets.subarray(0, this.count + 1),
      data: this.bytes.subarray(0, this.end),
      nullCount: this.nulls,
      nullBitmap: this.nulls === 0 ? undefined : this.validity.bytes(),
    };
  }

  clear(): void {
    this.count = 0;
    this.nulls = 0;
    this.end = 0;
    this.validity.clear();
  }

  private writeRepaired(text: string): void {
    this.reserve(text.length * 3);
    this.end += this.bytes.write(text, this.end);
  }

  private closeRow(): void {
    this.count++;
    if (this.count === this.offsets.length) {
      const larger = new Int32Array(this.offsets.length * 2);
      larger.set(this.offsets);
      this.offsets = larger;
    }
    this.offsets[this.count] = this.end;
  }
}

export class Int32Column {
  count = 0;
  nulls = 0;
  private values = new Int32Array(ROWS_AT_FIRST);
  private readonly validity = new Bits();

  add(value: number): void {
    this.push(value);
    this.validity.add(true);
  }

  addNull(): void {
    this.nulls++;
    this.push(0);
    this.validity.add(false);
  }

  arrow(): { data: Int32Array; nullCount: number; nullBitmap: Uint8Array | undefined } {
    return {
      data: this.values.subarray(0, this.count),
      nullCount: this.nulls,
      nullBitmap: this.nulls === 0 ? undefined : this.validity.bytes(),
    };
  }

  clear(): void {
    this.count = 0;
    this.nulls = 0;
    this.validity.clear();
  }

  private push(value: number): void {
    if (this.count === this.values.length) {
      const larger = new Int32Array(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.count++] = value;
  }
}

/** 64-bit integers as two halves, because they exceed 2^53 and BigInt is slow. */
export class Int64Column {
  count = 0;
  private values = new BigInt64Array(ROWS_AT_FIRST);
  private halves = new Uint32Array(this.values.buffer);

  addHalves(hi: number, lo: number): void {
    const at = this.grown() * 2;
    this.halves[at] = lo;
    this.halves[at + 1] = hi;
  }

  /** @param value a safe integer. */
  add(value: number): void {
    this.addHalves(Math.floor(value / 2 ** 32) >>> 0, value >>> 0);
  }

  addBig(value: bigint): void {
    // Growing replaces the array, so first the row, then the array.
    const row = this.grown();
    this.values[row] = value;
  }

  arrow(): { data: BigInt64Array; nullCount: number } {
    return { data: this.values.subarray(0, this.count), nullCount: 0 };
  }

  clear(): void {
    this.count = 0;
  }

  /** Row for the next value. */
  private grown(): number {
    if (this.count === this.values.length) {
      const larger = new BigInt64Array(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
      this.halves = new Uint32Array(larger.buffer);
    }
    return this.count++;
  }
}

export class BoolColumn {
  private readonly bits = new Bits();

  get count(): number {
    return this.bits.count;
  }

  add(value: boolean): void {
    this.bits.add(value);
  }

  arrow(): { data: Uint8Array; nullCount: number } {
    return { data: this.bits.bytes(), nullCount: 0 };
  }

  clear(): void {
    this.bits.clear();
  }
}

/** Eight to a byte, lowest first. */
class Bits {
  count = 0;
  private store = new Uint8Array(ROWS_AT_FIRST / 8);

  add(value: boolean): void {
    const at = this.count >> 3;
    if (at === this.store.length) {
      const larger = new Uint8Array(this.store.length * 2);
      larger.set(this.store);
      this.store = larger;
    }
    const bit = 1 << (this.count & 7);
    if (value) this.store[at] = (this.store[at] as number) | bit;
    else this.store[at] = (this.store[at] as number) & ~bit;
    this.count++;
  }

  /** Padded to the 8 bytes that Arrow reads at once. */
  bytes(): Uint8Array {
    const padded = new Uint8Array(Math.ceil(this.count / 64) * 8);
    padded.set(this.store.subarray(0, (this.count + 7) >> 3));
    return padded;
  }

  clear(): void {
    this.count = 0;
  }
}

const ROWS_AT_FIRST = 4096;
const TEXT_BYTES_AT_FIRST = 64 * 1024;
/** Arrow's offsets are signed 32-bit numbers. */
const TEXT_BYTES_MAX = 2 ** 31 - 1;
const HEX = Buffer.from('0123456789abcdef', 'latin1');
