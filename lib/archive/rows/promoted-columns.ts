import { Int32Column } from '../../parquet/number-columns.ts';
import type { ParquetColumn } from '../../parquet/types.ts';
import { WordColumn } from '../../parquet/word-column.ts';
import { AttributeReader } from '../../trace/attributes.ts';
import type { Promoted } from '../promoted.ts';
import type { AttributeList } from './attribute-list.ts';

/** Finds the attributes that have columns of their own and puts their values there. */
export class PromotedColumns {
  private readonly own: readonly (ParquetColumn & { readonly column: WordColumn | Int32Column })[];
  /** Rows added; a column has fewer while its last ones are null. */
  private rows = 0;
  /** Per attribute of the message that was read last: 1 when its column says all of it, so that it stands nowhere else. */
  isWhole = new Uint8Array(64);
  private readonly isCopy: readonly boolean[];
  private readonly keys: AttributeReader<string>;
  /** Per key: its column, and its place among the column's keys. */
  private readonly columnOfKey: Int32Array;
  private readonly rankOfKey: Int32Array;
  /** Per column: what `addRow` adds, a word's number or the value itself; -1 for null. */
  private readonly cells: Int32Array;
  private readonly cellRank: Int32Array;
  private readonly cellAttribute: Int32Array;
  /** Columns whose cells are not null: most are, so only these are touched. */
  private readonly found: Int32Array;
  private foundCount = 0;

  constructor(promoted: readonly Promoted[]) {
    this.keys = new AttributeReader(promoted.flatMap(({ keys }) => keys));
    this.columnOfKey = Int32Array.from(promoted.flatMap(({ keys }, column) => keys.map(() => column)));
    this.rankOfKey = Int32Array.from(promoted.flatMap(({ keys }) => keys.map((_, rank) => rank)));
    this.isCopy = promoted.map((each) => each.isCopy === true);
    this.cells = new Int32Array(promoted.length).fill(-1);
    this.cellRank = new Int32Array(promoted.length).fill(RANKS_MAX);
    this.found = new Int32Array(promoted.length);
    this.cellAttribute = new Int32Array(promoted.length);
    this.own = promoted.map(({ column: name, type }) => ({
      name,
      type,
      column: type === 'int32' ? new Int32Column() : new WordColumn(),
    }));
  }

  /** Looks for them among a message's attributes; `addRow` then adds what was found, as often as it is called. */
  read(bytes: Buffer, attributes: AttributeList): void {
    if (attributes.count > this.isWhole.length) this.isWhole = new Uint8Array(attributes.count * 2);
    for (let i = 0; i < this.foundCount; i++) {
      const column = this.found[i] as number;
      this.cells[column] = -1;
      this.cellRank[column] = RANKS_MAX;
    }
    this.foundCount = 0;
    for (let i = 0; i < attributes.count; i++) {
      this.isWhole[i] = 0;
      const key = this.keys.keyIndex(bytes, attributes.keyStart[i] as number, attributes.keyEnd[i] as number);
      if (key >= 0) this.take(bytes, attributes, i, key);
    }
    for (let i = 0; i < this.foundCount; i++) {
      const column = this.found[i] as number;
      if (this.cellRank[column] === 0 && !this.isCopy[column]) this.markWhole(bytes, attributes, column);
    }
  }

  addRow(): void {
    for (let i = 0; i < this.foundCount; i++) {
      const column = this.found[i] as number;
      this.addCell(column, this.cells[column] as number);
    }
    this.rows++;
  }

  /** What `addRow` would add now; valid until `clear`. */
  takeCells(): Cells {
    const columns = this.found.slice(0, this.foundCount);
    return { columns, values: columns.map((column) => this.cells[column] as number) };
  }

  addCells({ columns, values }: Cells): void {
    for (let i = 0; i < columns.length; i++) this.addCell(columns[i] as number, values[i] as number);
    this.rows++;
  }

  /** All with the same number of rows. */
  columns(): readonly ParquetColumn[] {
    for (const { column } of this.own) column.padTo(this.rows);
    return this.own;
  }

  clear(): void {
    for (const { column } of this.own) column.clear();
    this.rows = 0;
  }

  private addCell(place: number, cell: number): void {
    const { column } = this.own[place] as { column: WordColumn | Int32Column };
    column.padTo(this.rows);
    if (column instanceof WordColumn) column.addId(cell);
    else column.add(cell);
  }

  /** The column's first key that is there with a value that fits counts; of a key that stands twice, the first. */
  private take(bytes: Buffer, { valueStart, valueEnd }: AttributeList, attribute: number, key: number): void {
    const place = this.columnOfKey[key] as number;
    const rank = this.rankOfKey[key] as number;
    if (rank >= (this.cellRank[place] as number)) return;
    const start = valueStart[attribute] as number;
    const end = valueEnd[attribute] as number;
    const { column } = this.own[place] as { column: WordColumn | Int32Column };
    const cell = column instanceof WordColumn ? wordOf(column, bytes, start, end) : integerOf(bytes, start, end);
    if (cell < 0) return;
    if (this.cells[place] === -1) this.found[this.foundCount++] = place;
    this.cells[place] = cell;
    this.cellRank[place] = rank;
    this.cellAttribute[place] = attribute;
  }

  /** An older name, or a value of another type, is also kept with the other attributes: the column does not tell it. */
  private markWhole(bytes: Buffer, { valueStart }: AttributeList, place: number): void {
    const attribute = this.cellAttribute[place] as number;
    const tag = bytes[valueStart[attribute] as number];
    const isWord = this.own[place]?.column instanceof WordColumn;
    if (tag === (isWord ? TAG_STRING : TAG_INT)) this.isWhole[attribute] = 1;
  }
}

/** Values of the columns that are not null. */
export interface Cells {
  readonly columns: Int32Array;
  readonly values: Int32Array;
}

/** Number of the value as text; -1 when it is empty, null, bytes, a list or a map. */
function wordOf(column: WordColumn, bytes: Buffer, start: number, end: number): number {
  switch (bytes[start]) {
    case TAG_STRING: {
      const length = bytes[start + 1] as number;
      if (length === 0 || start + 2 > end) return -1;
      const from = length < 0x80 ? start + 2 : behindVarint(bytes, start + 1, end);
      return from >= end || (length < 0x80 && from + length !== end) ? -1 : column.intern(bytes, from, end);
    }
    case TAG_BOOL:
      return start < end ? column.internText(bytes[start + 1] === 1 ? 'true' : 'false') : -1;
    case TAG_INT:
      return start < end ? column.internText(BigInt.asIntN(64, bigVarint(bytes, start + 1, end)).toString()) : -1;
    case TAG_DOUBLE:
      return start + 9 <= end ? column.internText(String(bytes.readDoubleLE(start + 1))) : -1;
    default:
      return -1;
  }
}

/** The value when it is an int of 31 bits, or that in decimal digits; else -1. */
function integerOf(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  if (start >= end) return -1;
  if (bytes[start] === TAG_INT) {
    if (end - start > 6) return -1;
    for (let at = end - 1; at > start; at--) value = value * 128 + ((bytes[at] as number) & 0x7f);
    return value <= INT32_MAX ? value : -1;
  }
  if (bytes[start] !== TAG_STRING || end - start < 3 || end - start > 12) return -1;
  for (let at = start + 2; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= INT32_MAX ? value : -1;
}

function behindVarint(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] as number) >= 0x80) at++;
  return at + 1;
}

function bigVarint(bytes: Uint8Array, start: number, end: number): bigint {
  let value = 0n;
  for (let at = Math.min(end, start + 10) - 1; at >= start; at--)
    value = (value << 7n) | BigInt((bytes[at] as number) & 0x7f);
  return value;
}

const INT32_MAX = 2 ** 31 - 1;
const RANKS_MAX = 1_000;
const TAG_STRING = 0x0a;
const TAG_BOOL = 0x10;
const TAG_INT = 0x18;
const TAG_DOUBLE = 0x21;
