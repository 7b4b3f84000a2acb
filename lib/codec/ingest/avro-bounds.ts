import { Unreadable } from './converted.ts';

/** The part of Avro's schema language that our schemas use. */
export type AvroSchema = string | readonly AvroSchema[] | AvroObject;
interface AvroObject {
  readonly type: AvroSchema;
  readonly name?: string;
  readonly fields?: readonly { readonly type: AvroSchema }[];
  readonly items?: AvroSchema;
  readonly values?: AvroSchema;
}

/**
 * Walks an Avro body along its schema and checks that every length and count fits what is left. avsc believes a count:
 * an array of 2^40 items in a record of ten bytes would fill the memory before it noticed.
 *
 * @returns one past the last byte.
 * @throws Unreadable for a body that does not fit.
 */
export function checkAvroBounds(schema: AvroSchema, bytes: Buffer, start: number): number {
  return new Walk(bytes, start).value(schema);
}

class Walk {
  private readonly bytes: Buffer;
  private at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  value(schema: AvroSchema): number {
    if (typeof schema === 'string') this.primitive(schema);
    else if (Array.isArray(schema)) {
      const branch = (schema as readonly AvroSchema[])[Number(this.long())];
      if (branch === undefined) throw new Unreadable('An Avro union has no such branch');
      this.value(branch);
    } else this.complex(schema as AvroObject);
    return this.at;
  }

  private complex({ type, fields = [], items, values }: AvroObject): void {
    if (type === 'record') for (const field of fields) this.value(field.type);
    else if (type === 'array' && items !== undefined) this.blocks(() => this.value(items));
    else if (type === 'map' && values !== undefined) {
      this.blocks(() => {
        this.primitive('string');
        this.value(values);
      });
    } else this.value(type === 'enum' ? 'int' : type);
  }

  /** Items of one byte at least stand in blocks, each with its count before it; a negative count has the bytes after it. */
  private blocks(item: () => void): void {
    for (let count = this.long(); count !== 0n; count = this.long()) {
      if (count < 0n) {
        count = -count;
        this.long();
      }
      if (count > BigInt(this.bytes.length - this.at)) throw new Unreadable('An Avro array ends beyond the record');
      for (let i = Number(count); i > 0; i--) item();
    }
  }

  private primitive(type: string): void {
    switch (type) {
      case 'null':
        return;
      case 'boolean':
        return this.take(1n);
      case 'int':
      case 'long':
        this.long();
        return;
      case 'double':
        return this.take(8n);
      case 'string':
      case 'bytes':
        return this.take(this.long());
      default:
        throw new Error(`the walk knows no Avro type ${type}`);
    }
  }

  /** A zigzag varint. */
  private long(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.at >= this.bytes.length) break;
      const byte = this.bytes[this.at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return (value >> 1n) ^ -(value & 1n);
    }
    throw new Unreadable('An Avro number does not end');
  }

  private take(length: bigint): void {
    if (length < 0n || length > BigInt(this.bytes.length - this.at)) {
      throw new Unreadable('An Avro value ends beyond the record');
    }
    this.at += Number(length);
  }
}
