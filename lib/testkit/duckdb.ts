import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Rows that DuckDB answers to `sql`, in which `?files` stands for the Parquet files. */
export async function queryParquet(
  files: readonly Uint8Array[],
  sql: string,
): Promise<Record<string, string | number | bigint | boolean | null>[]> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-parquet-'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    for (const [i, bytes] of files.entries()) writeFileSync(path.join(folder, `${i}.parquet`), bytes);
    const reader = await connection.runAndReadAll(sql.replaceAll('?files', `'${folder}/*.parquet'`));
    return reader.getRowObjectsJS() as Record<string, string | number | bigint | boolean | null>[];
  } finally {
    connection.closeSync();
    instance.closeSync();
    rmSync(folder, { recursive: true, force: true });
  }
}
