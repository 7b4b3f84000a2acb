import type { ByteSink } from './byte-sink.ts';

/** Thrift's compact protocol, as far as Parquet's footer and page headers need it. Fields come in the order of their ids. */
export class ThriftWriter {
  private readonly sink: ByteSink;
  private readonly lastIds: number[] = [];
  private lastId = 0;

  constructor(sink: ByteSink) {
    this.sink = sink;
  }

  i32(id: number, value: number): void {
    this.field(id, I32);
    this.sink.zigzag(value);
  }

  i64(id: number, value: number): void {
    this.field(id, I64);
    this.sink.zigzag(value);
  }

  bool(id: number, value: boolean): void {
    this.field(id, value ? TRUE : FALSE);
  }

  binary(id: number, value: Uint8Array | string): void {
    this.field(id, BINARY);
    this.bytes(value);
  }

  struct(id: number, write: () => void): void {
    this.field(id, STRUCT);
    this.body(write);
  }

  structs<T>(id: number, items: readonly T[], write: (item: T) => void): void {
    this.list(id, STRUCT, items.length);
    for (const item of items) this.body(() => write(item));
  }

  i32s(id: number, items: readonly number[]): void {
    this.list(id, I32, items.length);
    for (const item of items) this.sink.zigzag(item);
  }

  i64s(id: number, items: readonly number[]): void {
    this.list(id, I64, items.length);
    for (const item of items) this.sink.zigzag(item);
  }

  bools(id: number, items: readonly boolean[]): void {
    this.list(id, TRUE, items.length);
    for (const item of items) this.sink.byte(item ? TRUE : FALSE);
  }

  binaries(id: number, items: readonly (Uint8Array | string)[]): void {
    this.list(id, BINARY, items.length);
    for (const item of items) this.bytes(item);
  }

  /** A struct that stands for itself: a page header, the footer. */
  body(write: () => void): void {
    this.lastIds.push(this.lastId);
    this.lastId = 0;
    write();
    this.sink.byte(STOP);
    this.lastId = this.lastIds.pop() as number;
  }

  private list(id: number, type: number, length: number): void {
    this.field(id, LIST);
    if (length < 15) this.sink.byte((length << 4) | type);
    else {
      this.sink.byte(0xf0 | type);
      this.sink.varint(length);
    }
  }

  private bytes(value: Uint8Array | string): void {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    this.sink.varint(bytes.length);
    this.sink.append(bytes);
  }

  /** Field ids of Parquet are less than 16 apart. */
  private field(id: number, type: number): void {
    this.sink.byte(((id - this.lastId) << 4) | type);
    this.lastId = id;
  }
}

const STOP = 0;
const TRUE = 1;
const FALSE = 2;
const I32 = 5;
const I64 = 6;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;
