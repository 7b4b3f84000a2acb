/** Writes a request in Kafka's flexible encoding: varints for counts and lengths, tagged fields behind each structure. */
export class WireWriter {
  private readonly parts: Buffer[] = [];

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  int8(value: number): this {
    return this.fixed(1, (part) => part.writeInt8(value));
  }

  int32(value: number): this {
    return this.fixed(4, (part) => part.writeInt32BE(value));
  }

  int64(value: number): this {
    return this.fixed(8, (part) => part.writeBigInt64BE(BigInt(value)));
  }

  /** Items of the array that follows; undefined for an array that is null. */
  count(items: number | undefined): this {
    return this.uvarint(items === undefined ? 0 : items + 1);
  }

  string(value: string): this {
    const text = Buffer.from(value, 'utf8');
    this.uvarint(text.length + 1);
    this.parts.push(text);
    return this;
  }

  /** @param id as `WireCursor.uuid` reads it; undefined for the id of all zeros, which names nothing. */
  uuid(id: string | undefined): this {
    this.parts.push(id === undefined ? Buffer.alloc(UUID_BYTES) : Buffer.from(id, 'base64url'));
    return this;
  }

  /** None: no field that is sent here has a tag. */
  tags(): this {
    return this.uvarint(0);
  }

  private uvarint(value: number): this {
    const bytes: number[] = [];
    let left = value;
    for (; left >= 0x80; left >>>= 7) bytes.push((left & 0x7f) | 0x80);
    bytes.push(left);
    this.parts.push(Buffer.from(bytes));
    return this;
  }

  private fixed(length: number, write: (part: Buffer) => void): this {
    const part = Buffer.alloc(length);
    write(part);
    this.parts.push(part);
    return this;
  }
}

const UUID_BYTES = 16;
