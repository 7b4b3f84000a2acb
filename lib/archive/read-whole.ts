import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { literal } from './archive-sql.ts';

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
   * @returns rows of all files, and a hash over them that does not depend on their order; good within this process only.
   * @throws Error with DuckDB's sentence when one is damaged.
   */
  async read(files: readonly string[], without: readonly string[] = []): Promise<{ rows: number; hash: bigint }> {
    const excluded = without.length === 0 ? '' : ` EXCLUDE (${without.join(', ')})`;
    const source = `read_parquet([${files.map(literal).join(', ')}], union_by_name = true, hive_partitioning = false)`;
    const reader = await this.connection.runAndReadAll(
      `SELECT count(trace_id), sum(hash(r)::HUGEINT) FROM (SELECT *${excluded} FROM ${source}) r`,
    );
    const [[rows, hash] = []] = reader.getRowsJS();
    return { rows: Number(rows), hash: (hash as bigint | null) ?? 0n };
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }
}
