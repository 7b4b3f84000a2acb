import type { ColumnType } from '../../../lib/archive/schema.ts';
import type { BoolColumn, Int32Column, Int64Column, TextColumn } from './columns.ts';

/** A column by its name in the Parquet file. */
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
