import type { BoolColumn, Int32Column, Int64Column, TextColumn } from './columns.ts';

export type ColumnType = 'text' | 'int32' | 'int64' | 'bool' | 'timestamp';

/** A column by its name in the Parquet file; `timestamp` is microseconds in UTC. */
export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly column: TextColumn | Int32Column | Int64Column | BoolColumn;
}

/** Some rows of a table; the columns may be filled again once the next batch is asked for. */
export interface TableBatch {
  readonly columns: readonly TableColumn[];
  readonly rows: number;
}
