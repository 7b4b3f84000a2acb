import { safeOffset } from './record-batch.ts';

/**
 * Reads what a broker answers, front to back. Kafka has two encodings: the older one counts and measures with fixed
 * integers; the flexible one, of newer versions of each request, with varints, and has tagged fields behind each structure.
 *
 * Throws RangeError at the end of the bytes.
 */
export class WireCursor {
  private readonly bytes: Buffer;
  private readonly isFlexible: boolean;
  private at = 0;

  constructor(bytes: Buffer, encoding: 'fixed' | 'flexible') {
    this.bytes = bytes;
    this.isFlexible = encoding === 'flexible';
  }

  boolean(): boolean {
    return this.bytes.readInt8(this.skip(1)) !== 0;
  }

  int16(): number {
    return this.bytes.readInt16BE(this.skip(2));
  }

  int32(): number {
    return this.bytes.readInt32BE(this.skip(4));
  }

  int64(): bigint {
    return this.bytes.readBigInt64BE(this.skip(8));
  }

  offset(): number {
    return safeOffset(this.int64());
  }

  /** Items of an array; 0 for one that is null. */
  count(): number {
    return Math.max(0, this.isFlexible ? this.uvarint() - 1 : this.int32());
  }

  string(): string {
    const length = Math.max(0, this.isFlexible ? this.uvarint() - 1 : this.int16());
    const from = this.skip(length);
    return this.bytes.toString('utf8', from, from + length);
  }

  /** A view; empty for what is null. A broker may cut records short, never the fields around them. */
  blob(): Buffer {
    const length = this.count();
    const from = this.at;
    this.at += length;
    return this.bytes.subarray(from, from + length);
  }

  /** 16 bytes as Kafka's tools print them: base64url, 22 characters. */
  uuid(): string {
    const from = this.skip(UUID_BYTES);
    return this.bytes.toString('base64url', from, from + UUID_BYTES);
  }

  /** Passes over the tagged fields that end a structure of the flexible encoding; there are none in the other. */
  tags(): void {
    if (!this.isFlexible) return;
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }

  private uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 32; shift += 7) {
      const byte = this.bytes.readUInt8(this.skip(1));
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new RangeError('a varint has more than five bytes');
  }

  /** @returns where the skipped bytes begin. */
  private skip(count: number): number {
    const from = this.at;
    this.at += count;
    if (this.at > this.bytes.length) throw new RangeError(`an answer of ${this.bytes.length} bytes ends too soon`);
    return from;
  }
}

const UUID_BYTES = 16;
