import { constants, crc32, zstdCompressSync } from 'node:zlib';
import { ByteSink } from './byte-sink.ts';
import { writeHybrid, writeRun } from './encodings.ts';
import { BoolColumn, Int32Column } from './number-columns.ts';
import { PAGE_ROWS_MAX, pageValuesOf } from './page-values.ts';
import { TextColumn } from './text-column.ts';
import { ThriftWriter } from './thrift-writer.ts';
import {
  CODEC,
  type Codec,
  type ColumnChunk,
  ENCODING,
  type Encoding,
  isNullable,
  type Page,
  type ParquetColumn,
} from './types.ts';
import { boundsOf, textBounds } from './value-bounds.ts';
import { WordColumn } from './word-column.ts';

/**
 * Writes one column of a row group: a dictionary page where values repeat, then data pages (version 1, zstd, CRC-32).
 * Stops after each large page, where others may write columns of their own.
 *
 * @param start where `sink` begins in the file.
 * @param isIndexed keeps least and greatest value of each page for the page index; for text.
 */
export function* writeColumnChunk(
  sink: ByteSink,
  column: ParquetColumn,
  rows: number,
  start: number,
  isIndexed: boolean,
): Generator<void, ColumnChunk> {
  const from = sink.end;
  const values = pageValuesOf(column.column);
  const encodings = new Set<Encoding>([ENCODING.rle]);
  let uncompressedBytes = 0;
  // There is nothing to compress where there is nothing.
  const codec = column.column.nulls === rows ? CODEC.none : CODEC.zstd;
  if (values.dictionary !== undefined) {
    page.clear();
    values.dictionary.write(page);
    uncompressedBytes += writePage(sink, { dictionaryOf: values.dictionary.count }, codec);
    encodings.add(ENCODING.plain);
  }
  const dataStart = sink.end;
  const pages: Page[] = [];
  const rowsPerPage = pageRows(column, rows);
  let textAt = 0;
  for (let row = 0; row < rows || row === 0; row += rowsPerPage) {
    const to = Math.min(rows, row + rowsPerPage);
    page.clear();
    const nulls = isNullable(column) ? writeLevels(column, row, to) : 0;
    const encoding = values.write(page, row, to);
    encodings.add(encoding);
    const offset = start + sink.end - from;
    const before = sink.end;
    uncompressedBytes += writePage(sink, { values: to - row, encoding, isText: column.type === 'text' }, codec);
    const text = isIndexed && column.column instanceof TextColumn ? column.column : undefined;
    const bounds = text && textBounds(text, row, to, textAt);
    if (text !== undefined) for (let i = row; i < to; i++) textAt += Math.max(0, text.lengths[i] as number);
    pages.push({
      offset,
      bytes: sink.end - before,
      firstRow: row,
      nulls,
      isAllNull: nulls === to - row,
      min: bounds?.min,
      max: bounds?.max,
    });
    if (page.end >= LARGE_PAGE_BYTES) yield;
  }
  const bounds = isIndexed ? boundsOfPages(pages) : boundsOf(column, rows);
  return {
    name: column.name,
    type: column.type,
    codec,
    encodings: [...encodings],
    values: rows,
    nulls: column.column.nulls,
    uncompressedBytes,
    compressedBytes: sink.end - from,
    start,
    dataStart: start + dataStart - from,
    hasDictionary: values.dictionary !== undefined,
    min: bounds?.min,
    max: bounds?.max,
    pages,
  };
}

/** Uncompressed bytes of the page that is being made. */
const page = new ByteSink();
const levels = new Uint8Array(PAGE_ROWS_MAX);
/** What is read for one trace is a page of each column: small where values are long, few where they are short. */
const ROWS_OF_LONG_VALUES = 5_000;

function pageRows({ column }: ParquetColumn, rows: number): number {
  if (column instanceof WordColumn || column instanceof Int32Column || column instanceof BoolColumn) {
    return Math.min(rows, PAGE_ROWS_MAX);
  }
  return column instanceof TextColumn && column.end < SHORT_BYTES ? Math.min(rows, PAGE_ROWS_MAX) : ROWS_OF_LONG_VALUES;
}

const SHORT_BYTES = 16 * 1024;
/** Some milliseconds of zstd. */
const LARGE_PAGE_BYTES = 64 * 1024;

/** Definition levels: 1 where there is a value. Returns how many there are not. */
function writeLevels({ column }: ParquetColumn, from: number, to: number): number {
  const rows = to - from;
  const lengthAt = page.end;
  page.uint32(0);
  let nulls = 0;
  if (column.nulls === 0 || column.nulls === column.count) {
    nulls = column.nulls === 0 ? 0 : rows;
    if (rows > 0) writeRun(page, nulls === 0 ? 1 : 0, rows, 1);
  } else {
    if (column instanceof Int32Column) levels.set(column.present.subarray(from, to));
    else if (column instanceof TextColumn) presence(column.lengths, from, to);
    else if (column instanceof WordColumn) presence(column.ids, from, to);
    for (let i = 0; i < rows; i++) nulls += 1 - (levels[i] as number);
    writeHybrid(page, levels, 0, rows, 1);
  }
  page.bytes.writeUInt32LE(page.end - lengthAt - 4, lengthAt);
  return nulls;
}

/** 1 in `levels` where the number is not negative. */
function presence(numbers: Int32Array, from: number, to: number): void {
  for (let row = from; row < to; row++) levels[row - from] = ((numbers[row] as number) >>> 31) ^ 1;
}

type PageKind =
  | { readonly dictionaryOf: number }
  | { readonly values: number; readonly encoding: Encoding; readonly isText: boolean };

/** Compresses `page` into `sink` behind its header. Returns what it would be without compression. */
function writePage(sink: ByteSink, kind: PageKind, codec: Codec): number {
  const raw = page.view();
  const options = 'values' in kind && kind.isText && kind.encoding === ENCODING.plain ? ZSTD_TEXT : ZSTD_FAST;
  const packed =
    codec === CODEC.none ? raw : zstdCompressSync(raw, { ...options, chunkSize: Math.max(1024, raw.length >> 1) });
  const before = sink.end;
  const thrift = new ThriftWriter(sink);
  thrift.body(() => {
    thrift.i32(1, 'values' in kind ? DATA_PAGE : DICTIONARY_PAGE);
    thrift.i32(2, raw.length);
    thrift.i32(3, packed.length);
    thrift.i32(4, crc32(packed) | 0);
    if ('values' in kind) {
      thrift.struct(5, () => {
        thrift.i32(1, kind.values);
        thrift.i32(2, kind.encoding);
        thrift.i32(3, ENCODING.rle);
        thrift.i32(4, ENCODING.rle);
      });
    } else {
      thrift.struct(7, () => {
        thrift.i32(1, kind.dictionaryOf);
        thrift.i32(2, ENCODING.plain);
      });
    }
  });
  const headerBytes = sink.end - before;
  sink.append(packed);
  return headerBytes + raw.length;
}

function boundsOfPages(pages: readonly Page[]): { min: Buffer; max: Buffer } | undefined {
  const known = pages.filter(({ isAllNull }) => !isAllNull);
  const mins = known.flatMap(({ min }) => (min === undefined ? [] : [min])).sort(Buffer.compare);
  const maxs = known.flatMap(({ max }) => (max === undefined ? [] : [max])).sort(Buffer.compare);
  if (known.length === 0 || mins.length < known.length) return undefined;
  return { min: mins[0] as Buffer, max: maxs[maxs.length - 1] as Buffer };
}

const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;
const zstd = (level: number) => ({ params: { [constants.ZSTD_c_compressionLevel]: level } });
/** Level 1 is smallest for random ids and packed numbers, and no larger than level 3 for words. */
const ZSTD_FAST = zstd(1);
/** For text of varying lengths, most of it JSON: a seventh less than level 1. */
const ZSTD_TEXT = zstd(7);
