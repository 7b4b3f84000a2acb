import type { BoolColumn, Int32Column, Int64Column } from './number-columns.ts';
import type { TextColumn } from './text-column.ts';
import type { WordColumn } from './word-column.ts';

/** `timestamp` is microseconds in UTC. */
export type ParquetType = 'text' | 'int32' | 'int64' | 'bool' | 'timestamp';

/** A column of a row group. Text and 32-bit numbers may be null, the others are not. */
export interface ParquetColumn {
  readonly name: string;
  readonly type: ParquetType;
  readonly column: TextColumn | WordColumn | Int32Column | Int64Column | BoolColumn;
}

export function isNullable({ column }: ParquetColumn): boolean {
  return 'addNull' in column;
}

/** Parquet's numbers for what the archive uses; https://github.com/apache/parquet-format, parquet.thrift. */
export const PHYSICAL_TYPE = { bool: 0, int32: 1, int64: 2, timestamp: 2, text: 6 } as const;
export const ENCODING = {
  plain: 0,
  rle: 3,
  deltaBinaryPacked: 5,
  deltaLengthByteArray: 6,
  rleDictionary: 8,
} as const;
export type Encoding = (typeof ENCODING)[keyof typeof ENCODING];
export const CODEC = { none: 0, zstd: 6 } as const;
export type Codec = (typeof CODEC)[keyof typeof CODEC];

/** Where a column of a row group stands in the file, and what its footer entry says. */
export interface ColumnChunk {
  readonly name: string;
  readonly type: ParquetType;
  readonly codec: Codec;
  readonly encodings: readonly Encoding[];
  readonly values: number;
  readonly nulls: number;
  readonly uncompressedBytes: number;
  readonly compressedBytes: number;
  /** Offset in the file. */
  readonly start: number;
  readonly dataStart: number;
  readonly hasDictionary: boolean;
  /** Encoded as plain values; undefined when not known. */
  readonly min: Buffer | undefined;
  readonly max: Buffer | undefined;
  readonly pages: readonly Page[];
}

export interface Page {
  readonly offset: number;
  /** With its header. */
  readonly bytes: number;
  readonly firstRow: number;
  readonly nulls: number;
  readonly isAllNull: boolean;
  /** For the page index; undefined where it is not kept. */
  readonly min: Buffer | undefined;
  readonly max: Buffer | undefined;
}
