import {
  Bool,
  Field,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMicrosecond,
  tableToIPC,
  Utf8,
} from 'apache-arrow';
import {
  Compression,
  Encoding,
  Table as WasmTable,
  type WriterProperties,
  WriterPropertiesBuilder,
  writeParquet,
} from 'parquet-wasm/node';
import type { ColumnType, TableColumn } from '../core/table.ts';

/**
 * A Parquet file of the columns: zstd, row groups of ROW_GROUP_ROWS, times as deltas, ids and JSON without dictionary.
 * Equal columns give equal bytes.
 */
export function encodeParquet(columns: readonly TableColumn[], rows: number): Uint8Array {
  const fields = columns.map(({ name, type, column }) => new Field(name, arrowType(type), nullCountOf(column) > 0));
  const children = columns.map(({ type, column }) =>
    makeData({ type: arrowType(type), length: rows, ...column.arrow() } as Parameters<typeof makeData>[0]),
  );
  const struct = makeData({ type: new Struct(fields), length: rows, nullCount: 0, children });
  const table = new Table([
    new RecordBatch(new Schema(fields), struct as ConstructorParameters<typeof RecordBatch>[1]),
  ]);
  return writeParquet(WasmTable.fromIPCStream(tableToIPC(table, 'stream')), properties(columns));
}

function arrowType(type: ColumnType): Bool | Int32 | Int64 | TimestampMicrosecond | Utf8 {
  switch (type) {
    case 'text':
      return new Utf8();
    case 'int32':
      return new Int32();
    case 'int64':
      return new Int64();
    case 'bool':
      return new Bool();
    case 'timestamp':
      return new TimestampMicrosecond('UTC');
  }
}

function nullCountOf(column: TableColumn['column']): number {
  return 'nulls' in column ? column.nulls : 0;
}

/** Used up by each file, so made anew. */
function properties(columns: readonly TableColumn[]): WriterProperties {
  let builder = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .setCreatedBy('spanloom');
  for (const { name, type } of columns) {
    if (type === 'timestamp' || name.endsWith('_ns')) {
      builder = builder.setColumnDictionaryEnabled(name, false).setColumnEncoding(name, Encoding.DELTA_BINARY_PACKED);
    } else if (UNIQUE.has(name)) builder = builder.setColumnDictionaryEnabled(name, false);
  }
  return builder.build();
}

/** Values hardly ever repeat: a dictionary would be built in vain. */
const UNIQUE = new Set(['span_id', 'parent_span_id', 'attributes', 'events', 'links']);
const ROW_GROUP_ROWS = 100_000;
