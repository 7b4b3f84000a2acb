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
  transformParquetStream,
  type RecordBatch as WasmRecordBatch,
  Table as WasmTable,
  type WriterProperties,
  WriterPropertiesBuilder,
} from 'parquet-wasm/node';
import type { ColumnType } from '../../../lib/archive/schema.ts';
import type { TableBatch, TableColumn } from '../core/table.ts';

/**
 * A Parquet file of the batches, one after another: zstd, a row group for every ROW_GROUP_ROWS, times as deltas, ids and
 * JSON without dictionary. Only one batch is in the encoder's memory at a time. Equal batches give equal bytes.
 */
export async function encodeParquet(batches: Iterable<TableBatch>): Promise<Uint8Array> {
  const iterator = batches[Symbol.iterator]();
  const first = iterator.next();
  if (first.done) throw new RangeError('a Parquet file needs a batch');
  // The columns of a batch are filled again for the next one: each is copied into the encoder before that.
  let next: TableBatch | undefined = first.value;
  const stream = new ReadableStream<WasmRecordBatch>(
    {
      pull(controller) {
        if (next === undefined) return controller.close();
        for (const batch of WasmTable.fromIPCStream(arrowStream(next)).recordBatches()) controller.enqueue(batch);
        const following = iterator.next();
        next = following.done ? undefined : following.value;
      },
    },
    { highWaterMark: 0 },
  );
  const parts: Uint8Array[] = [];
  const written = await transformParquetStream(stream, properties(first.value.columns));
  for await (const part of written as ReadableStream<Uint8Array>) parts.push(part);
  return Buffer.concat(parts);
}

/** Arrow's stream format: a schema and one record batch. */
function arrowStream({ columns, rows }: TableBatch): Uint8Array {
  const fields = columns.map(({ name, type, column }) => new Field(name, arrowType(type), 'nulls' in column));
  const children = columns.map(({ type, column }) =>
    makeData({ type: arrowType(type), length: rows, ...column.arrow() } as Parameters<typeof makeData>[0]),
  );
  const struct = makeData({ type: new Struct(fields), length: rows, nullCount: 0, children });
  const batch = new RecordBatch(new Schema(fields), struct as ConstructorParameters<typeof RecordBatch>[1]);
  return tableToIPC(new Table([batch]), 'stream');
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
const ROW_GROUP_ROWS = 50_000;
