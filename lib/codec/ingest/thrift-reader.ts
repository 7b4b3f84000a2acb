import { countPart, Unreadable } from './converted.ts';

/** Thrift's types as its binary protocol writes them. */
export const THRIFT = {
  stop: 0,
  bool: 2,
  byte: 3,
  double: 4,
  i16: 6,
  i32: 8,
  i64: 10,
  string: 11,
  struct: 12,
  map: 13,
  set: 14,
  list: 15,
} as const;

/**
 * Reads Thrift's binary protocol (TBinaryProtocol without message envelope), checking each length against what is left.
 *
 *     for (let field = reader.field(); field.type !== THRIFT.stop; field = reader.field()) …
 *
 * @throws Unreadable for what does not fit.
 */
export class ThriftReader {
  private readonly bytes: Buffer;
  private at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Type and id of the next field; the type is `stop` at the end of the struct. */
  field(): { type: number; id: number } {
    const type = this.byte();
    return type === THRIFT.stop ? { type, id: 0 } : { type, id: this.i16() };
  }

  /** Element type and length of a list or set; each element takes a byte at least, so longer ones are refused at once. */
  list(): { type: number; length: number } {
    const type = this.byte();
    const length = this.i32();
    if (length < 0 || length > this.bytes.length - this.at)
      throw new Unreadable('A Thrift list ends beyond the record');
    return { type, length };
  }

  byte(): number {
    return this.bytes[this.take(1)] as number;
  }

  bool(): boolean {
    return this.byte() !== 0;
  }

  i16(): number {
    return this.bytes.readInt16BE(this.take(2));
  }

  i32(): number {
    return this.bytes.readInt32BE(this.take(4));
  }

  i64(): bigint {
    return this.bytes.readBigInt64BE(this.take(8));
  }

  double(): number {
    return this.bytes.readDoubleBE(this.take(8));
  }

  binary(): Buffer {
    const length = this.i32();
    if (length < 0) throw new Unreadable('A Thrift text has a negative length');
    const start = this.take(length);
    return this.bytes.subarray(start, start + length);
  }

  text(): string {
    return this.binary().toString('utf8');
  }

  skip(type: number, depthLeft = DEPTH_MAX): void {
    if (depthLeft === 0) throw new Unreadable('Thrift structs are nested too deeply');
    switch (type) {
      case THRIFT.bool:
      case THRIFT.byte:
        this.take(1);
        return;
      case THRIFT.i16:
        this.take(2);
        return;
      case THRIFT.i32:
        this.take(4);
        return;
      case THRIFT.double:
      case THRIFT.i64:
        this.take(8);
        return;
      case THRIFT.string:
        this.binary();
        return;
      case THRIFT.struct:
        for (let field = this.field(); field.type !== THRIFT.stop; field = this.field()) {
          this.skip(field.type, depthLeft - 1);
        }
        return;
      case THRIFT.list:
      case THRIFT.set: {
        const list = this.list();
        for (let i = 0; i < list.length; i++) this.skip(list.type, depthLeft - 1);
        return;
      }
      case THRIFT.map: {
        const keyType = this.byte();
        const valueType = this.byte();
        const length = this.i32();
        if (length < 0 || length > this.bytes.length - this.at)
          throw new Unreadable('A Thrift map ends beyond the record');
        for (let i = 0; i < length; i++) {
          this.skip(keyType, depthLeft - 1);
          this.skip(valueType, depthLeft - 1);
        }
        return;
      }
      default:
        throw new Unreadable(`Thrift has no type ${type}`);
    }
  }

  /** Reads a list of structs, each by `read`. */
  structs<T>(read: (reader: ThriftReader) => T): T[] {
    const { type, length } = this.list();
    if (length > 0 && type !== THRIFT.struct) throw new Unreadable('A Thrift list holds something else than structs');
    const items: T[] = [];
    for (let i = 0; i < length; i++) {
      countPart();
      items.push(read(this));
    }
    return items;
  }

  private take(length: number): number {
    const start = this.at;
    if (length > this.bytes.length - start) throw new Unreadable('A Thrift value ends beyond the record');
    this.at += length;
    return start;
  }
}

const DEPTH_MAX = 64;
