import type { BatchSteps } from '../../lib/archive/rows/row-groups.ts';
import type { ParquetColumn } from '../../lib/parquet/types.ts';

/** Rows of a table as JSON lines: stands in for the Parquet encoder, which is slow and has tests of its own. */
export async function encodeText(batches: BatchSteps): Promise<Uint8Array> {
  return textOf(batches);
}

function textOf(batches: BatchSteps): Uint8Array {
  const lines: string[] = [];
  for (const batch of batches) if (batch !== undefined) lines.push(...rowsOf(batch.columns, batch.rows));
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
