import { once } from 'node:events';
import { createWriteStream, openAsBlob } from 'node:fs';
import { rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { ParquetFile, transformParquetStream } from 'parquet-wasm/node';
import { literal, sourceOf } from './archive-sql.ts';
import type { Dataset } from './object-keys.ts';
import { writerProperties } from './parquet-properties.ts';
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
 * Merges Parquet files into one that is sorted by trace id and has page indexes: DuckDB sorts, spilling to disk where it
 * must, then the result is encoded again as the archiver does, since DuckDB writes no page index. The same rows always
 * come out in the same order.
 *
 * @param folder for what is spilled; the target is in it too.
 * @throws Error when a file cannot be read as a whole.
 */
export async function mergeParquet({ dataset, files, target, moved }: Merge, folder: string): Promise<void> {
  const sorted = `${target}.sorted`;
  try {
    await sortFiles(dataset, files, sorted, moved, folder);
    await encodeAgain(sorted, target, dataset);
  } finally {
    await rm(sorted, { force: true });
  }
}

async function sortFiles(
  dataset: Dataset,
  files: readonly string[],
  target: string,
  moved: ReadonlyMap<string, string>,
  folder: string,
): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(THREADS),
    memory_limit: MEMORY_LIMIT,
    temp_directory: folder,
  });
  const connection = await instance.connect();
  try {
    await connection.run(`SET TimeZone = 'UTC'`);
    const rows = `SELECT * ${replacing(dataset, moved)} FROM (${sourceOf(files, ARCHIVE_SCHEMA[dataset])})`;
    await connection.run(
      `COPY (${rows} ORDER BY ${ORDER[dataset].join(', ')})
       TO ${literal(target)} (FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE ${SORTED_GROUP_ROWS})`,
    );
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

async function encodeAgain(from: string, target: string, dataset: Dataset): Promise<void> {
  const file = await ParquetFile.fromFile((await openAsBlob(from)) as Blob);
  try {
    const batches = await file.stream({ batchSize: BATCH_ROWS });
    const properties = writerProperties(ARCHIVE_SCHEMA[dataset], COMPACTED_GROUP_ROWS);
    const encoded = (await transformParquetStream(batches, properties)) as ReadableStream<Uint8Array>;
    const out = createWriteStream(target);
    for await (const part of encoded) {
      if (!out.write(part)) await once(out, 'drain');
    }
    out.end();
    await finished(out);
  } finally {
    file.free();
  }
}

/** All that can tell two rows apart, so that whoever merges the same files writes the same rows in the same order. */
const ORDER: Readonly<Record<Dataset, readonly string[]>> = {
  spans: ['trace_id', 'trace_revision', 'start_ns', 'span_id', 'kind', 'service', 'operation', 'duration_ns'],
  traces: ['trace_id', 'revision', 'start_time', 'duration_ns', 'span_count'],
};
const THREADS = 2;
const MEMORY_LIMIT = '1GB';
const BATCH_ROWS = 10_000;
const SORTED_GROUP_ROWS = 50_000;
/** Larger than the archiver's: a footer has an entry for each column of each group. */
const COMPACTED_GROUP_ROWS = 200_000;
