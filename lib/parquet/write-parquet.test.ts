import { crc32, zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { queryParquet } from '../testkit/duckdb.ts';
import { SeededRandom } from '../testkit/traffic/random.ts';
import { BoolColumn, Int32Column, Int64Column } from './number-columns.ts';
import { TextColumn } from './text-column.ts';
import type { ParquetColumn } from './types.ts';
import { WordColumn } from './word-column.ts';
import { type RowBatch, writeParquet } from './write-parquet.ts';

type Cell = string | number | bigint | boolean | null;

async function fileOf(batches: Iterable<RowBatch>, sortedBy?: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of writeParquet(batches, { createdBy: 'test', ...(sortedBy && { sortedBy }) }))
    parts.push(part);
  return Buffer.concat(parts);
}

function readBack(file: Buffer): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({
    file: Uint8Array.from(file).buffer,
    compressors: { ZSTD: (packed: Uint8Array) => zstdDecompressSync(packed) },
  });
}

/** Columns by how their values come, so that every encoding, its borders and its fallbacks are met. */
function columnsOf(random: SeededRandom, rows: number): ParquetColumn[] {
  const columns = {
    unique: new TextColumn(),
    same_length: new TextColumn(),
    long: new TextColumn(),
    all_null: new TextColumn(),
    word: new WordColumn(),
    word_runs: new WordColumn(),
    word_unique: new WordColumn(),
    word_null: new WordColumn(),
    word_one: new WordColumn(),
    small: new Int32Column(),
    any_int: new Int32Column(),
    no_int: new Int32Column(),
    near: new Int64Column(),
    far: new Int64Column(),
    same: new Int64Column(),
    time: new Int64Column(),
    flag: new BoolColumn(),
  };
  const nullable = <T>(chance: number, column: { addNull(): void }, add: (value: T) => void, value: T) =>
    random.float() < chance ? column.addNull() : add(value);
  for (let row = 0; row < rows; row++) {
    nullable(0.3, columns.unique, (text) => columns.unique.addText(text), `${random.uint32()}`.slice(random.below(8)));
    if (row % 3 > 0) columns.same_length.addAgain();
    else columns.same_length.addText(String(random.below(90) + 10));
    nullable(0.1, columns.long, (text) => columns.long.addText(text), 'ü"€\n'.repeat(random.below(60)));
    columns.all_null.addNull();
    nullable(0.05, columns.word, (text) => columns.word.addText(text), `word ${random.below(random.below(500) + 1)}`);
    nullable(row % 700 < 300 ? 1 : 0, columns.word_runs, (text) => columns.word_runs.addText(text), `run ${row >> 6}`);
    columns.word_unique.addText(`${row} ${random.uint32()}`);
    columns.word_null.addNull();
    columns.word_one.addText('');
    nullable(0.5, columns.small, (value) => columns.small.add(value), random.below(600) - 100);
    nullable(0.1, columns.any_int, (value) => columns.any_int.add(value), random.uint32() | 0);
    columns.no_int.addNull();
    columns.near.add(1_700_000_000_000_000 + random.below(2 ** 31) * (row % 5));
    columns.far.addHalves(random.uint32(), random.uint32());
    columns.same.addBig(-(2n ** 63n));
    columns.time.add(random.below(2 ** 31) * 2 ** 20);
    columns.flag.add(random.float() < 0.2);
  }
  return Object.entries(columns).map(([name, column]) => ({ name, type: typeOf(name, column), column }));
}

function typeOf(name: string, column: ParquetColumn['column']): ParquetColumn['type'] {
  if (column instanceof Int32Column) return 'int32';
  if (column instanceof Int64Column) return name === 'time' ? 'timestamp' : 'int64';
  return column instanceof BoolColumn ? 'bool' : 'text';
}

/** The columns' own values, as a reader gives them. */
function expectedRows(columns: readonly ParquetColumn[], rows: number): Record<string, Cell | Date>[] {
  const values = columns.map(({ name, type, column }) => {
    const cells = column.values();
    return [name, type === 'timestamp' ? cells.map((us) => new Date(Number((us as bigint) / 1000n))) : cells] as const;
  });
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(values.map(([name, cells]) => [name, cells[row] as Cell])),
  );
}

describe('a Parquet file, as DuckDB and hyparquet read it', () => {
  it.each([1, 8, 9, 33, 129, 5_001])('%d rows of every kind of column', async (rows) => {
    const columns = columnsOf(new SeededRandom(rows), rows);
    const file = await fileOf([{ columns, rows }]);
    const expected = expectedRows(columns, rows);
    expect(await queryParquet([file], 'SELECT * FROM ?files')).toEqual(expected);
    expect(await readBack(file)).toEqual(expected);
  });

  it('has a row group for each batch', async () => {
    const batches = [300, 1, 700].map((rows) => ({ columns: columnsOf(new SeededRandom(rows), rows), rows }));
    const file = await fileOf(batches);
    const expected = batches.flatMap(({ columns, rows }) => expectedRows(columns, rows));
    expect(await queryParquet([file], 'SELECT * FROM ?files')).toEqual(expected);
    expect(await readBack(file)).toEqual(expected);
    expect((await metadataOf(file)).row_groups.map(({ num_rows: rows }) => Number(rows))).toEqual([300, 1, 700]);
  });

  it('tells bounds that hold for all values, so that DuckDB finds what it filters by', async () => {
    const rows = 3_000;
    const columns = columnsOf(new SeededRandom(1), rows);
    const file = await fileOf([{ columns, rows }]);
    for (const { name, type, column } of columns) {
      const cells = (column.values() as Cell[]).filter((cell) => cell !== null);
      if (cells.length === 0 || type === 'timestamp') continue;
      const sorted = [...new Set(cells)].sort((a, b) =>
        typeof a === 'string' ? Buffer.compare(Buffer.from(a), Buffer.from(String(b))) : Number(a) - Number(b),
      );
      for (const value of [sorted[0], sorted.at(-1)]) {
        const literal = typeof value === 'string' ? `'${value}'` : String(value);
        const [found] = await queryParquet(
          [file],
          `SELECT count(*)::INT AS n FROM ?files WHERE "${name}" = ${literal}`,
        );
        expect([name, found?.['n']]).toEqual([name, cells.filter((cell) => cell === value).length]);
      }
    }
  });

  it('lets a reader find a sorted key by the page index, without the other pages', async () => {
    const rows = 40_000;
    const id = new TextColumn();
    const load = new TextColumn();
    for (let row = 0; row < rows; row++) {
      id.addText(String(row >> 2).padStart(8, '0'));
      load.addText(`${row} ${'x'.repeat(row % 50)}`);
    }
    const columns: ParquetColumn[] = [
      { name: 'id', type: 'text', column: id },
      { name: 'load', type: 'text', column: load },
    ];
    const file = await fileOf([{ columns, rows }], 'id');
    const bytes = Uint8Array.from(file).buffer;
    const metadata = await metadataOf(file);
    const read: [number, number][] = [];
    const found = await parquetReadObjects({
      file: {
        byteLength: file.length,
        slice: async (start, end) => {
          read.push([start, end ?? file.length]);
          return bytes.slice(start, end);
        },
      },
      metadata,
      filter: { id: { $eq: '00006000' } },
      compressors: { ZSTD: (packed: Uint8Array) => zstdDecompressSync(packed) },
      usePageIndex: true,
      useOffsetIndex: true,
    });
    expect(found.map(({ load: text }) => Number(String(text).split(' ')[0]))).toEqual([24_000, 24_001, 24_002, 24_003]);
    expect(read.reduce((sum, [start, end]) => sum + end - start, 0)).toBeLessThan(file.length / 3);
    expect(metadata.row_groups[0]?.sorting_columns?.[0]?.column_idx).toBe(0);
  });

  it('has a checksum in each page', async () => {
    const columns = columnsOf(new SeededRandom(3), 100);
    const file = await fileOf([{ columns, rows: 100 }]);
    const chunk = (await metadataOf(file)).row_groups[0]?.columns[0]?.meta_data;
    const end = Number(chunk?.data_page_offset) + Number(chunk?.total_compressed_size);
    const start = file.indexOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), Number(chunk?.data_page_offset));
    const checksum = crc32(file.subarray(start, end)) | 0;
    const zigzag = BigInt(checksum >= 0 ? checksum * 2 : -checksum * 2 - 1);
    expect(varints(file.subarray(Number(chunk?.data_page_offset), start))).toContain(zigzag);
  });
});

function metadataOf(file: Buffer) {
  const bytes = Uint8Array.from(file).buffer;
  return parquetMetadataAsync({ byteLength: file.length, slice: async (start, end) => bytes.slice(start, end) });
}

/** Every number that begins anywhere in the bytes. */
function varints(bytes: Buffer): bigint[] {
  return Array.from(bytes, (_, start) => {
    let value = 0n;
    for (let at = start, shift = 0n; at < bytes.length; at++, shift += 7n) {
      value |= BigInt((bytes[at] as number) & 0x7f) << shift;
      if ((bytes[at] as number) < 0x80) break;
    }
    return value;
  });
}
