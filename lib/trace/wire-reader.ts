/** The bytes are not protobuf. Whoever reads foreign bytes turns this into an outcome. */
export class WireError extends Error {}

/**
 * Reads protobuf fields one after another, checking each length. For paths that are not hot: the scans that run for
 * every span keep their position in module variables instead of an object.
 *
 *     while (reader.next()) if (reader.tag === TAG_NAME) … reader.bodyStart … reader.bodyEnd
 */
export class WireReader {
  readonly bytes: Buffer;
  private at: number;
  private readonly end: number;
  /** `field number × 8 + wire type` of the field read last. */
  tag = 0;
  /** First byte of that field's tag. */
  fieldStart = 0;
  /** The field's content without tag and length. */
  bodyStart = 0;
  bodyEnd = 0;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  /**
   * Goes to the next field; false at the end of the message.
   * @throws WireError when what follows is not a whole field of a known wire type.
   */
  next(): boolean {
    if (this.at >= this.end) return false;
    this.fieldStart = this.at;
    this.tag = this.varint();
    if (this.tag < 8 || this.tag > TAG_MAX) throw new WireError('a tag is not one');
    this.bodyStart = this.at;
    switch (this.tag % 8) {
      case 0:
        this.varint();
        break;
      case 1:
        this.at += 8;
        break;
      case 2: {
        const length = this.varint();
        this.bodyStart = this.at;
        this.at += length;
        break;
      }
      case 5:
        this.at += 4;
        break;
      default:
        throw new WireError(`wire type ${this.tag % 8} is not used`);
    }
    if (this.at > this.end) throw new WireError('a field ends beyond its message');
    this.bodyEnd = this.at;
    return true;
  }

  /** The field as a varint up to 2^53; the low bits of longer ones are exact only with `bigVarint`. */
  number(): number {
    let value = 0;
    let scale = 1;
    for (let i = this.bodyStart; i < this.bodyEnd; i++) {
      value += ((this.bytes[i] as number) & 0x7f) * scale;
      scale *= 128;
    }
    return value;
  }

  /** The field as a varint of 64 bits, unsigned. */
  bigVarint(): bigint {
    let value = 0n;
    for (let i = this.bodyEnd - 1; i >= this.bodyStart; i--) {
      value = (value << 7n) | BigInt((this.bytes[i] as number) & 0x7f);
    }
    return BigInt.asUintN(64, value);
  }

  fixed32(): number {
    return this.bytes.readUInt32LE(this.bodyStart);
  }

  fixed64(): bigint {
    return this.bytes.readBigUInt64LE(this.bodyStart);
  }

  double(): number {
    return this.bytes.readDoubleLE(this.bodyStart);
  }

  text(): string {
    return this.bytes.toString('utf8', this.bodyStart, this.bodyEnd);
  }

  /** The field's bytes, not copied. */
  body(): Buffer {
    return this.bytes.subarray(this.bodyStart, this.bodyEnd);
  }

  message(): WireReader {
    return new WireReader(this.bytes, this.bodyStart, this.bodyEnd);
  }

  private varint(): number {
    let value = 0;
    let scale = 1;
    const limit = Math.min(this.end, this.at + VARINT_BYTES_MAX);
    for (let i = this.at; i < limit; i++) {
      const byte = this.bytes[i] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.at = i + 1;
        return value;
      }
      scale *= 128;
    }
    throw new WireError('a varint does not end');
  }
}

const VARINT_BYTES_MAX = 10;
const TAG_MAX = 0xffffffff;
