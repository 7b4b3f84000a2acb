/** Reads the variable-length integers and byte strings of records, moving on through `bytes`. */
export class RecordCursor {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  skip(count: number): void {
    this.at += count;
  }

  /** Zigzag, at most 5 bytes. */
  varint(): number {
    let raw = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new Error('a record of it is cut short');
      raw |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1);
    }
    throw new Error('a record of it has an integer that is too long');
  }

  /** Zigzag, at most 10 bytes; exact up to 2^53, which every time and delta of a real record is below. */
  varlong(): number {
    let raw = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new Error('a record of it is cut short');
      raw += (byte & 0x7f) * scale;
      if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
      scale *= 128;
    }
    throw new Error('a record of it has an integer that is too long');
  }

  /** A length, then so many bytes; length -1 is null. */
  bytesOrNull(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const end = this.at + length;
    if (end > this.bytes.length) throw new Error('a record of it is cut short');
    const view = this.bytes.subarray(this.at, end);
    this.at = end;
    return view;
  }
}

/** @returns the offset behind the zigzag varint. */
export function writeVarint(out: Uint8Array, at: number, value: number): number {
  let raw = ((value << 1) ^ (value >> 31)) >>> 0;
  let end = at;
  while (raw >= 0x80) {
    out[end++] = (raw & 0x7f) | 0x80;
    raw >>>= 7;
  }
  out[end++] = raw;
  return end;
}

export function varintSize(value: number): number {
  let raw = ((value << 1) ^ (value >> 31)) >>> 0;
  let size = 1;
  while (raw >= 0x80) {
    size++;
    raw >>>= 7;
  }
  return size;
}
