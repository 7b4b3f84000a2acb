import type { Promoted } from '../../../lib/archive/promoted.ts';
import { AttributeReader, textRange } from '../../../lib/trace/attributes.ts';
import { Int32Column, TextColumn } from './columns.ts';

/** Finds promoted attributes and puts each into its column. */
export class PromotedColumns {
  readonly columns: readonly { readonly name: string; readonly column: TextColumn | Int32Column }[];
  private readonly promoted: readonly Promoted[];
  private readonly reader: AttributeReader<string>;
  /** Per promoted attribute the numbers of its keys in the reader. */
  private readonly keys: readonly (readonly number[])[];
  /** Per key: its value went into a column. */
  private readonly taken: Uint8Array;
  private bytes: Buffer = Buffer.alloc(0);

  constructor(promoted: readonly Promoted[]) {
    this.promoted = promoted;
    const keys = promoted.flatMap((one) => one.keys);
    this.reader = new AttributeReader(keys);
    this.keys = promoted.map((one) => one.keys.map((key) => keys.indexOf(key)));
    this.taken = new Uint8Array(keys.length);
    this.columns = promoted.map(({ column: name, type }) => ({
      name,
      column: type === 'int32' ? new Int32Column() : new TextColumn(),
    }));
  }

  /** Looks for them in a message; `addRow` then adds what was found, as often as it is called. */
  read(bytes: Buffer, start: number, end: number, tag: number): void {
    this.bytes = bytes;
    this.reader.read(bytes, start, end, tag);
    this.taken.fill(0);
    for (const [i, { type }] of this.promoted.entries()) {
      const key = this.foundKey(i, type);
      if (key >= 0) this.taken[key] = 1;
    }
  }

  addRow(): void {
    for (const [i, { column }] of this.columns.entries()) {
      const key = (this.keys[i] as readonly number[]).find((one) => this.taken[one] === 1);
      if (key === undefined) column.addNull();
      else if (column instanceof Int32Column) column.add(this.reader.integer(key) as number);
      else if (this.reader.locateText(key)) {
        const { start, end } = textRange();
        column.add(this.bytes, start, end);
      } else column.addText(this.reader.text(key));
    }
  }

  /** Whether the attribute whose key is at [start, end) is the one that went into a column. */
  readonly isTaken = (start: number, end: number): boolean => {
    const key = this.reader.keyIndex(this.bytes, start, end);
    if (key < 0 || this.taken[key] === 0) return false;
    const value = this.reader.valueStart[key] as number;
    return value > end && value <= end + VALUE_HEADER_BYTES_MAX;
  };

  clear(): void {
    for (const { column } of this.columns) column.clear();
  }

  /** A value that the column cannot hold stays with the other attributes. */
  private foundKey(promoted: number, type: Promoted['type']): number {
    for (const key of this.keys[promoted] as readonly number[]) {
      if (!this.reader.has(key)) continue;
      if (type === 'text') return this.reader.text(key) === '' ? -1 : key;
      const value = this.reader.integer(key);
      return value !== undefined && value === (value | 0) ? key : -1;
    }
    return -1;
  }
}

/** Tag and length between a key and its value. */
const VALUE_HEADER_BYTES_MAX = 11;
