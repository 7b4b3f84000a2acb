import { isUtf8 } from 'node:buffer';
import { ByteTable } from './byte-table.ts';

/** Text whose values repeat: each distinct one is held once, and a row is its number. */
export class WordColumn {
  count = 0;
  nulls = 0;
  readonly table = new ByteTable();
  /** Number of each row's value in the table; -1 for null. */
  ids = new Int32Array(ROWS_AT_FIRST);
  private readonly texts = new Map<string, number>();

  /** Number of a value, for `addId` as often as it comes. Valid until `clear`. Bytes that are no UTF-8 become U+FFFD. */
  intern(from: Buffer, start: number, end: number): number {
    const known = this.table.find(from, start, end);
    // What is in the table is UTF-8, so what is found is.
    if (known >= 0) return known;
    if (!isUtf8(from.subarray(start, end))) return this.internText(from.utf8Slice(start, end));
    return this.table.intern(from, start, end);
  }

  /** A string that came before is looked up as it is, and not encoded again. */
  internText(text: string): number {
    let id = this.texts.get(text);
    if (id === undefined) {
      const bytes = Buffer.from(text);
      id = this.table.intern(bytes, 0, bytes.length);
      this.texts.set(text, id);
    }
    return id;
  }

  add(from: Buffer, start: number, end: number): void {
    this.addId(this.intern(from, start, end));
  }

  addText(text: string): void {
    this.addId(this.internText(text));
  }

  addNull(): void {
    this.addId(-1);
  }

  /** @param id from `intern`, or -1 for null. */
  addId(id: number): void {
    if (this.count === this.ids.length) this.grow(this.count + 1);
    if (id < 0) this.nulls++;
    this.ids[this.count++] = id;
  }

  /** The same for so many rows. */
  addRun(id: number, rows: number): void {
    const end = this.count + rows;
    if (end > this.ids.length) this.grow(end);
    if (id < 0) this.nulls += rows;
    this.ids.fill(id, this.count, end);
    this.count = end;
  }

  /** Null for the rows that are missing up to `rows`. */
  padTo(rows: number): void {
    if (rows > this.count) this.addRun(-1, rows - this.count);
  }

  /** All values of the column, decoded: for tests. */
  values(): (string | null)[] {
    const { bytes, offsets } = this.table;
    return Array.from(this.ids.subarray(0, this.count), (id) =>
      id < 0 ? null : bytes.utf8Slice(offsets[id], offsets[id + 1]),
    );
  }

  clear(): void {
    this.count = 0;
    this.nulls = 0;
    this.table.clear();
    this.texts.clear();
  }

  private grow(rows: number): void {
    const larger = new Int32Array(Math.max(rows, this.ids.length * 2));
    larger.set(this.ids);
    this.ids = larger;
  }
}

const ROWS_AT_FIRST = 4096;
