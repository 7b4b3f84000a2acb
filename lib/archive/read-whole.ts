import { type DuckDBConnection, DuckDBInstance, type DuckDBUIntegerVector } from '@duckdb/node-api';
import { columnsOf, literal, quoted, sourceOf } from './archive-sql.ts';
import { hashOfTraceId } from './id-index.ts';
import type { Dataset } from './object-keys.ts';
import { KIND_WORDS, RowDigest, STATUS_WORDS } from './row-digest.ts';
import { ARCHIVE_SCHEMA } from './schema.ts';

/** Reads local Parquet files of the archive to their last page. To be closed. */
export class WholeReader {
  private readonly instance: DuckDBInstance;
  private readonly connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.instance = instance;
    this.connection = connection;
  }

  static async open(): Promise<WholeReader> {
    const instance = await DuckDBInstance.create(':memory:');
    return new WholeReader(instance, await instance.connect());
  }

  /**
   * @param without columns that the hash leaves out.
   * @returns rows of all files, and a hash over them that depends neither on their order nor on that of columns; good
   *   within this process only.
   * @throws Error with DuckDB's sentence when one is damaged.
   */
  async read(
    files: readonly string[],
    dataset: Dataset,
    without: readonly string[] = [],
  ): Promise<{ rows: number; hash: bigint }> {
    const columns = await columnsOf(this.connection, files, dataset);
    const names = columns.map(({ name }) => name).filter((name) => !without.includes(name));
    const source = sourceOf(files, ARCHIVE_SCHEMA[dataset]);
    const reader = await this.connection.runAndReadAll(
      `SELECT count(trace_id), sum(hash(r)::HUGEINT) FROM (SELECT ${names.map(quoted).join(', ')} FROM (${source})) r`,
    );
    const [[rows, hash] = []] = reader.getRowsJS();
    return { rows: Number(rows), hash: (hash as bigint | null) ?? 0n };
  }

  /**
   * The digest of a file's rows.
   * @throws Error with DuckDB's sentence when its columns cannot be read.
   */
  async digest(file: string, dataset: Dataset): Promise<{ rows: number; rowDigest: string }> {
    const words = DIGEST_WORDS[dataset].map((word) => `(${word}) & 4294967295`);
    const result = await this.connection.stream(
      `SELECT ${words.map((word) => `(${word})::UINTEGER`).join(', ')} FROM read_parquet(${literal(file)})`,
    );
    const digest = new RowDigest();
    const row = new Int32Array(words.length);
    let rows = 0;
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      const columns = Array.from({ length: words.length }, (_, i) => chunk?.getColumnVector(i) as DuckDBUIntegerVector);
      for (let i = 0; i < chunk.rowCount; i++) {
        for (let word = 0; word < row.length; word++) row[word] = columns[word]?.getItem(i) as number;
        digest.add(row);
      }
      rows += chunk.rowCount;
    }
    return { rows, rowDigest: digest.hex() };
  }

  /** Hashes of all distinct trace ids in a file, as the index has them. */
  async idHashes(file: string): Promise<Uint32Array> {
    const result = await this.connection.stream(`SELECT DISTINCT trace_id FROM read_parquet(${literal(file)})`);
    const hashes: number[] = [];
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      const ids = chunk.getColumnVector(0);
      for (let i = 0; i < chunk.rowCount; i++) hashes.push(hashOfTraceId(String(ids.getItem(i))));
    }
    return Uint32Array.from(hashes);
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }
}

/** What `RowDigest` takes of a row, in its order, as whole numbers of which the low 32 bits count. */
const DIGEST_WORDS: Readonly<Record<Dataset, readonly string[]>> = {
  spans: [
    ...hexWords('trace_id', 4),
    ...hexWords('span_id', 2),
    ...halves('start_ns'),
    ...halves('duration_ns'),
    `(${placeIn('kind', KIND_WORDS)}) * 16 + (${placeIn('status_code', STATUS_WORDS)})`,
  ],
  traces: [
    ...hexWords('trace_id', 4),
    'revision::BIGINT',
    'span_count::BIGINT',
    ...halves('epoch_us(start_time)'),
    ...halves('duration_ns'),
  ],
};

function hexWords(column: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `('0x' || substr(${column}, ${8 * i + 1}, 8))::BIGINT`);
}

function halves(column: string): string[] {
  return [column, `${column} >> 32`];
}

function placeIn(column: string, words: readonly string[]): string {
  return `greatest(0, coalesce(list_position([${words.map(literal).join(', ')}], ${column}), 1) - 1)::BIGINT`;
}
