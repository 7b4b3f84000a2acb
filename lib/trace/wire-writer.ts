/**
 * Writes protobuf fields one after another into a buffer that grows. A message's length stands before its body and is
 * known only after it, so `begin` leaves room for the length expected and `end` moves the body when that was wrong.
 */
export class WireWriter {
  buffer: Buffer;
  /** Where the next byte goes; also the number of bytes written. */
  at = 0;

  constructor(bytesAtFirst = 1024) {
    this.buffer = Buffer.allocUnsafeSlow(bytesAtFirst);
  }

  clear(): void {
    this.at = 0;
  }

  /** A copy of what was written: the writer can be used again. */
  toBuffer(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.at));
  }

  varint(value: number): void {
    this.reserve(VARINT_BYTES_MAX);
    this.at = writeVarint(this.buffer, this.at, value);
  }

  /** @param value taken modulo 2^64, so that negative ones get the ten bytes that protobuf gives them. */
  varint64(value: bigint): void {
    this.reserve(VARINT_BYTES_MAX);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.buffer[this.at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.at++] = Number(rest);
  }

  fixed32(value: number): void {
    this.reserve(4);
    this.at = this.buffer.writeUInt32LE(value, this.at);
  }

  fixed64(value: bigint): void {
    this.reserve(8);
    this.at = this.buffer.writeBigUInt64LE(value, this.at);
  }

  double(value: number): void {
    this.reserve(8);
    this.at = this.buffer.writeDoubleLE(value, this.at);
  }

  copy(source: Buffer, start: number, end: number): void {
    this.reserve(end - start);
    this.at += source.copy(this.buffer, this.at, start, end);
  }

  /** A whole length-delimited field. */
  bytesField(tag: number, source: Buffer, start = 0, end = source.length): void {
    this.varint(tag);
    this.varint(end - start);
    this.copy(source, start, end);
  }

  textField(tag: number, text: string): void {
    const length = Buffer.byteLength(text, 'utf8');
    this.varint(tag);
    this.varint(length);
    this.reserve(length);
    this.at += this.buffer.write(text, this.at, length, 'utf8');
  }

  /**
   * Opens a message field.
   * @param expectedLength of its body; only a guess of the wrong varint size costs anything.
   * @returns what `end` wants back.
   */
  begin(tag: number, expectedLength: number): number {
    this.varint(tag);
    const lengthBytes = varintSize(expectedLength);
    this.reserve(lengthBytes);
    this.at += lengthBytes;
    return this.at * MARK_SCALE + lengthBytes;
  }

  end(mark: number): void {
    const reserved = mark % MARK_SCALE;
    const bodyStart = (mark - reserved) / MARK_SCALE;
    const length = this.at - bodyStart;
    const needed = varintSize(length);
    if (needed !== reserved) {
      this.reserve(needed);
      this.buffer.copyWithin(bodyStart - reserved + needed, bodyStart, this.at);
      this.at += needed - reserved;
    }
    writeVarint(this.buffer, bodyStart - reserved, length);
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(grown, 0, 0, this.at);
    this.buffer = grown;
  }
}

/** Bytes of a varint. @param value a whole number, at least 0, up to 2^53. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Writes a varint and answers where it ended. @param value a whole number, at least 0, up to 2^53. */
export function writeVarint(buffer: Uint8Array, at: number, value: number): number {
  let rest = value;
  let end = at;
  while (rest >= 128) {
    buffer[end++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  buffer[end++] = rest;
  return end;
}

const VARINT_BYTES_MAX = 10;
/** A mark is a position and a varint's size (at most 8) in one number. */
const MARK_SCALE = 16;
