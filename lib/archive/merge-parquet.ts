import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { writeParquet } from '../parquet/write-parquet.ts';
import { columnsOf, literal, sourceOf } from './archive-sql.ts';
import type { Dataset } from './object-keys.ts';
import { rowBatches, selectedOf } from './row-batches.ts';
import { ARCHIVE_SCHEMA } from './schema.ts';

export interface Merge {
  readonly dataset: Dataset;
  /** Local Parquet files of the dataset. */
  readonly files: readonly string[];
  /** Local file to write. */
  readonly target: string;
  /** What stands in `spans_object` becomes what it maps to; others stay. */
  readonly moved: ReadonlyMap<string, string>;
}

/**
 * Merges Parquet files into one that is sorted by trace id: DuckDB sorts, spilling to disk where it must, and the rows
 * are written as the archiver writes them, since DuckDB writes no page index. The same rows always come out in the same
 * order.
 *
 * @param folder for what is spilled.
 * @throws Error when a file cannot be read as a whole.
 */
export async function mergeParquet({ dataset, files, target, moved }: Merge, folder: string): Promise<void> {
  const rows = `SELECT * ${replacing(dataset, moved)} FROM (${sourceOf(files, ARCHIVE_SCHEMA[dataset])})`;
  await withDuckDb(folder, async (connection) => {
    const columns = await columnsOf(connection, files, dataset);
    const sorted = `SELECT ${selectedOf(columns).join(', ')} FROM (${rows}) ORDER BY ${ORDER[dataset].join(', ')}`;
    const result = await connection.stream(sorted);
    const batches = rowBatches(result, columns, GROUP_ROWS);
    const parts = writeParquet(batches, { createdBy: 'spanloom', sortedBy: 'trace_id' });
    await pipeline(Readable.from(parts), createWriteStream(target));
  });
}

async function withDuckDb(folder: string, use: (connection: DuckDBConnection) => Promise<void>): Promise<void> {
  const settings = { threads: String(THREADS), memory_limit: MEMORY_LIMIT, temp_directory: folder };
  const instance = await DuckDBInstance.create(':memory:', settings);
  const connection = await instance.connect();
  try {
    await use(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function replacing(dataset: Dataset, moved: ReadonlyMap<string, string>): string {
  if (dataset === 'spans' || moved.size === 0) return '';
  const pairs = [...moved].map(([from, to]) => `${literal(from)}: ${literal(to)}`);
  return `REPLACE (coalesce(MAP {${pairs.join(', ')}}[spans_object], spans_object) AS spans_object)`;
}

/** All that can tell two rows apart, so that whoever merges the same files writes the same rows in the same order. */
const ORDER: Readonly<Record<Dataset, readonly string[]>> = {
  spans: ['trace_id', 'trace_revision', 'start_ns', 'span_id', 'kind', 'service', 'operation', 'duration_ns'],
  traces: ['trace_id', 'revision', 'start_time', 'duration_ns', 'span_count'],
};
const THREADS = 2;
const MEMORY_LIMIT = '1GB';
/** Rows of a row group: twice the archiver's, since a footer has an entry for each column of each group. */
const GROUP_ROWS = 100_000;
