import type { TableBatch, TableColumn } from '../../services/archiver/core/table.ts';

/** Rows of a table as JSON lines: stands in for the Parquet encoder, which is slow and has tests of its own. */
export async function encodeText(batches: Iterable<TableBatch>): Promise<Uint8Array> {
  const lines: string[] = [];
  for (const { columns, rows } of batches) lines.push(...rowsOf(columns, rows));
  return Buffer.from(lines.join('\n'));
}

/** One JSON object a row; a row's place in its file and the name of a file do not show. */
export function rowsOf(columns: readonly TableColumn[], rows: number): string[] {
  const cells = columns
    .filter(({ name }) => name !== 'spans_object')
    .map(({ name, column }) => [name, cellsOf(column, rows)] as const);
  return Array.from({ length: rows }, (_, row) =>
    JSON.stringify(Object.fromEntries(cells.map(([name, values]) => [name, values[row]]))),
  );
}

function cellsOf(column: TableColumn['column'], rows: number): (string | boolean | null)[] {
  const arrow = column.arrow();
  return Array.from({ length: rows }, (_, row) => {
    if ('nullBitmap' in arrow && arrow.nullBitmap !== undefined && !bit(arrow.nullBitmap, row)) return null;
    if ('valueOffsets' in arrow) {
      return arrow.data.latin1Slice(arrow.valueOffsets[row], arrow.valueOffsets[row + 1]);
    }
    return arrow.data instanceof Uint8Array ? bit(arrow.data, row) : String(arrow.data[row]);
  });
}

function bit(bytes: Uint8Array, index: number): boolean {
  return (((bytes[index >> 3] as number) >> (index & 7)) & 1) === 1;
}
