import { BoolColumn, Int32Column, Int64Column } from './number-columns.ts';
import type { TextColumn } from './text-column.ts';
import type { ParquetColumn } from './types.ts';
import { WordColumn } from './word-column.ts';

export interface Bounds {
  /** Encoded as plain values. */
  readonly min: Buffer;
  readonly max: Buffer;
}

/** Least and greatest value of a column, by which readers skip row groups; undefined when there is none, or a long one. */
export function boundsOf({ column }: ParquetColumn, rows: number): Bounds | undefined {
  if (rows === 0 || column.nulls === rows) return undefined;
  if (column instanceof WordColumn) return wordBounds(column);
  if (column instanceof Int32Column) return int32Bounds(column, rows);
  if (column instanceof Int64Column) return int64Bounds(column, rows);
  if (column instanceof BoolColumn) return boolBounds(column, rows);
  return undefined;
}

/**
 * Least and greatest of the values of rows [from, to), of which the first begins at byte `at`: the first and the last of
 * them, since the column is in ascending order.
 */
export function textBounds({ bytes, lengths }: TextColumn, from: number, to: number, at: number): Bounds | undefined {
  let first = -1;
  let last = -1;
  let start = at;
  let lastStart = at;
  for (let row = from; row < to; row++) {
    const length = lengths[row] as number;
    if (length < 0) continue;
    if (first < 0) first = length;
    last = length;
    lastStart = start;
    start += length;
  }
  if (first < 0 || first > BOUND_BYTES_MAX || last > BOUND_BYTES_MAX) return undefined;
  return { min: Buffer.from(bytes.subarray(at, at + first)), max: Buffer.from(bytes.subarray(lastStart, start)) };
}

function wordBounds({ table: { bytes, offsets, count } }: WordColumn): Bounds | undefined {
  if (count > WORDS_COMPARED_MAX) return undefined;
  let min: Buffer | undefined;
  let max: Buffer | undefined;
  for (let id = 0; id < count; id++) {
    const value = bytes.subarray(offsets[id], offsets[id + 1]);
    if (value.length > BOUND_BYTES_MAX) return undefined;
    if (min === undefined || Buffer.compare(value, min) < 0) min = value;
    if (max === undefined || Buffer.compare(value, max) > 0) max = value;
  }
  return min === undefined || max === undefined ? undefined : { min: Buffer.from(min), max: Buffer.from(max) };
}

function int32Bounds({ numbers, present }: Int32Column, rows: number): Bounds {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < rows; row++) {
    if (present[row] === 0) continue;
    least = Math.min(least, numbers[row] as number);
    most = Math.max(most, numbers[row] as number);
  }
  const encode = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  };
  return { min: encode(least), max: encode(most) };
}

function int64Bounds(column: Int64Column, rows: number): Bounds {
  const { hi, lo } = column;
  let least = 0;
  let most = 0;
  const isBelow = (a: number, b: number) =>
    hi[a] === hi[b] ? (lo[a] as number) < (lo[b] as number) : (hi[a] as number) < (hi[b] as number);
  for (let row = 1; row < rows; row++) {
    if (isBelow(row, least)) least = row;
    else if (isBelow(most, row)) most = row;
  }
  const encode = (row: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(column.at(row));
    return bytes;
  };
  return { min: encode(least), max: encode(most) };
}

function boolBounds({ flags }: BoolColumn, rows: number): Bounds {
  const some = flags.subarray(0, rows);
  return { min: Buffer.from([some.includes(0) ? 0 : 1]), max: Buffer.from([some.includes(1) ? 1 : 0]) };
}

/** Longer ones would fill the footer. */
const BOUND_BYTES_MAX = 64;
/** With more distinct values there is hardly anything that their bounds rule out. */
const WORDS_COMPARED_MAX = 4096;
