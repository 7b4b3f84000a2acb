import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { SpanloomError } from '../errors/spanloom-error.ts';
import type { Dataset } from './object-keys.ts';
import { ARCHIVE_SCHEMA, type ArchiveColumn, type ColumnType } from './schema.ts';

export interface SqlResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

/** DuckDB over local copies of objects, with the views `spans` and `traces`; it reads no other file. */
export class ArchiveSql {
  private readonly instance: DuckDBInstance;
  private readonly connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.instance = instance;
    this.connection = connection;
  }

  /**
   * @param files local Parquet files by dataset.
   * @param folder that holds them: the only one that SQL may read.
   * @param checked files that were read through before; those found whole are added.
   * @param onDamaged is told of each file that is no Parquet of an archiver; it is left out.
   */
  static async open(
    files: Readonly<Record<Dataset, readonly string[]>>,
    folder: string,
    checked: Set<string>,
    onDamaged: (file: string, why: string) => void,
  ): Promise<ArchiveSql> {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const sql = new ArchiveSql(instance, connection);
    try {
      await connection.run(`SET TimeZone = 'UTC'`);
      await connection.run(`SET allowed_directories = [${literal(folder)}]`);
      await connection.run('SET enable_external_access = false');
      for (const dataset of ['spans', 'traces'] as const) {
        const readable = await sql.readable(files[dataset], checked, onDamaged);
        await connection.run(`CREATE VIEW ${dataset}_rows AS ${sourceOf(readable, ARCHIVE_SCHEMA[dataset])}`);
      }
      await connection.run('CREATE VIEW spans AS SELECT * FROM spans_rows');
      await connection.run(`CREATE VIEW traces AS ${NEWEST_STATE}`);
      return sql;
    } catch (error) {
      sql.close();
      throw error;
    }
  }

  /** @throws SpanloomError ARCHIVE_SQL_REFUSED with DuckDB's own sentence. */
  async query(sql: string, values: readonly (string | number | bigint)[] = []): Promise<SqlResult> {
    try {
      const reader = await this.connection.runAndReadAll(sql, [...values]);
      return { columns: reader.columnNames(), rows: reader.getRowsJS() };
    } catch (cause) {
      const [sentence = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
      throw new SpanloomError(
        'ARCHIVE_SQL_REFUSED',
        `DuckDB refuses the query: ${sentence.replace('Failed to extract statements: ', '')}`,
      );
    }
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }

  private async readable(
    files: readonly string[],
    checked: Set<string>,
    onDamaged: (file: string, why: string) => void,
  ): Promise<string[]> {
    const readable: string[] = [];
    for (const file of files) {
      if (checked.has(file)) {
        readable.push(file);
        continue;
      }
      try {
        // Every page is read: what is damaged inside must be named now, not fail a query half way.
        await this.connection.run(`SELECT count(trace_id), bit_xor(hash(r)) FROM read_parquet(${literal(file)}) r`);
        readable.push(file);
        checked.add(file);
      } catch (error) {
        const [sentence = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
        onDamaged(file, sentence);
      }
    }
    return readable;
  }
}

/** A query for the rows of local files, with the columns of the schema first. */
export function sourceOf(files: readonly string[], columns: readonly ArchiveColumn[]): string {
  const empty = `SELECT ${columns.map(({ name, type }) => `CAST(NULL AS ${DUCKDB_TYPES[type]}) AS ${name}`).join(', ')} WHERE false`;
  if (files.length === 0) return empty;
  const list = files.map(literal).join(', ');
  // With the known columns first, so that objects of an older writer show the newer columns as null.
  return `${empty} UNION ALL BY NAME SELECT * FROM read_parquet([${list}], union_by_name = true, hive_partitioning = false)`;
}

/**
 * The columns of local files: those of the schema, then those of attributes that a setting has promoted, in the order of
 * their names. One that is int32 in some files and text in others is text.
 */
export async function columnsOf(
  connection: DuckDBConnection,
  files: readonly string[],
  dataset: Dataset,
): Promise<ArchiveColumn[]> {
  const known = ARCHIVE_SCHEMA[dataset];
  const described = await connection.runAndReadAll(`DESCRIBE ${sourceOf(files, known)}`);
  const names = new Set(known.map(({ name }) => name));
  const others = described
    .getRowsJS()
    .map(([name, type]) => ({ name: String(name), type: type === 'INTEGER' ? 'int32' : 'text' }) as const)
    .filter(({ name }) => !names.has(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...known, ...others.map((column) => ({ ...column, description: 'an attribute of spans or resources' }))];
}

/** A column's type in DuckDB. */
export const DUCKDB_TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  int32: 'INTEGER',
  int64: 'BIGINT',
  bool: 'BOOLEAN',
  timestamp: 'TIMESTAMPTZ',
};

/** As a name in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** As a string literal of SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** One row per trace: a later revision holds the late spans only, so counts add up. */
const NEWEST_STATE = `
  SELECT trace_id,
         max(revision) AS revision,
         min(start_time) AS start_time,
         CAST(max(epoch_us(start_time)::HUGEINT * 1000 + duration_ns) - min(epoch_us(start_time)::HUGEINT * 1000) AS BIGINT)
           AS duration_ns,
         arg_min(root_service, revision) AS root_service,
         arg_min(root_operation, revision) AS root_operation,
         CAST(sum(span_count) AS BIGINT) AS span_count,
         CAST(sum(error_count) AS BIGINT) AS error_count,
         CAST(sum(duplicate_count) AS BIGINT) AS duplicate_count,
         bool_or(complete) AS complete,
         arg_min(incomplete_reasons, revision) AS incomplete_reasons,
         arg_max(close_reason, revision) AS close_reason,
         list_sort(list_distinct(flatten(list(json_extract_string(services, '$[*].service'))))) AS services,
         list(DISTINCT spans_object) AS spans_objects
  FROM traces_rows GROUP BY trace_id`;
