import type { ParquetColumn } from '../../lib/parquet/types.ts';
import type { RowBatch } from '../../lib/parquet/write-parquet.ts';

/** Rows of a table as JSON lines: stands in for the Parquet encoder, which is slow and has tests of its own. */
export async function encodeText(batches: Iterable<RowBatch>): Promise<Uint8Array> {
  return textOf(batches);
}

export function textOf(batches: Iterable<RowBatch>): Uint8Array {
  const lines: string[] = [];
  for (const { columns, rows } of batches) lines.push(...rowsOf(columns, rows));
  return Buffer.from(lines.join('\n'));
}

/** One JSON object a row; a row's place in its file and the name of a file do not show. */
export function rowsOf(columns: readonly ParquetColumn[], rows: number): string[] {
  const cells = columns
    .filter(({ name }) => name !== 'spans_object')
    .map(({ name, column }) => [name, column.values().map(cellText)] as const);
  return Array.from({ length: rows }, (_, row) =>
    JSON.stringify(Object.fromEntries(cells.map(([name, values]) => [name, values[row]]))),
  );
}

function cellText(value: string | number | bigint | boolean | null): string | boolean | null {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
}
