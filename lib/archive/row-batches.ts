import type { DuckDBDataChunk, DuckDBResult, DuckDBVector } from '@duckdb/node-api';
import { BoolColumn, Int32Column, Int64Column } from '../parquet/number-columns.ts';
import { TextColumn } from '../parquet/text-column.ts';
import { WordColumn } from '../parquet/word-column.ts';
import type { RowBatch } from '../parquet/write-parquet.ts';
import { quoted } from './archive-sql.ts';
import type { ArchiveColumn } from './schema.ts';

/**
 * Rows that DuckDB gives for `selectedOf(columns)`, as columns to encode. A batch is good until the next one is asked for.
 * @param rowsMin rows of each batch but the last, at least; DuckDB gives 2048 at a time.
 */
export async function* rowBatches(
  result: DuckDBResult,
  columns: readonly ArchiveColumn[],
  rowsMin: number,
): AsyncGenerator<RowBatch> {
  const fillers = columns.map(fillerOf);
  const parquet = fillers.map(({ column }, i) => {
    const { name, type } = columns[i] as ArchiveColumn;
    return { name, type, column };
  });
  let rows = 0;
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    let at = 0;
    for (const filler of fillers) at += filler.take(chunk, at);
    rows += chunk.rowCount;
    if (rows < rowsMin) continue;
    yield { columns: parquet, rows };
    rows = 0;
    for (const filler of fillers) filler.clear();
  }
  if (rows > 0) yield { columns: parquet, rows };
}

/** What to select, so that no value comes as a bigint or an object. */
export function selectedOf(columns: readonly ArchiveColumn[]): string[] {
  return columns.flatMap(({ name, type }) => {
    if (type === 'int64') return halves(name);
    if (type === 'timestamp') return halves(`epoch_us(${name})`);
    return [quoted(name)];
  });
}

/** Columns that are never null are 0 for a writer that did not know them. */
function halves(value: string): string[] {
  return [`(coalesce(${value}, 0) >> 32)::INTEGER`, `(coalesce(${value}, 0) & 4294967295)::UINTEGER`];
}

interface Filler {
  readonly column: TextColumn | WordColumn | Int32Column | Int64Column | BoolColumn;
  /** Takes its vectors of a chunk. @returns how many they are. */
  take(chunk: DuckDBDataChunk, at: number): number;
  clear(): void;
}

function fillerOf({ name, type }: ArchiveColumn): Filler {
  switch (type) {
    case 'text':
      return LONG_TEXT.has(name) ? textFiller() : wordFiller();
    case 'int32':
      return fillerFrom(new Int32Column(), (column, value) =>
        value === null ? column.addNull() : column.add(value as number),
      );
    case 'bool':
      return fillerFrom(new BoolColumn(), (column, value) => column.add(value === true));
    default:
      return int64Filler();
  }
}

function textFiller(): Filler {
  return fillerFrom(new TextColumn(), (column, value) =>
    value === null ? column.addNull() : column.addText(value as string),
  );
}

function wordFiller(): Filler {
  return fillerFrom(new WordColumn(), (column, value) =>
    value === null ? column.addNull() : column.addText(value as string),
  );
}

function int64Filler(): Filler {
  const column = new Int64Column();
  return {
    column,
    take(chunk, at) {
      const hi = chunk.getColumnVector(at) as DuckDBVector<number>;
      const lo = chunk.getColumnVector(at + 1) as DuckDBVector<number>;
      for (let i = 0; i < chunk.rowCount; i++) column.addHalves(hi.getItem(i) as number, lo.getItem(i) as number);
      return 2;
    },
    clear: () => column.clear(),
  };
}

function fillerFrom<C extends Filler['column']>(column: C, add: (column: C, value: unknown) => void): Filler {
  return {
    column,
    take(chunk, at) {
      const vector = chunk.getColumnVector(at);
      for (let i = 0; i < chunk.rowCount; i++) add(column, vector.getItem(i));
      return 1;
    },
    clear: () => column.clear(),
  };
}

/** Text that hardly ever repeats: it gets no dictionary. */
const LONG_TEXT = new Set(['trace_id', 'span_id', 'parent_span_id', 'attributes', 'events', 'links']);
