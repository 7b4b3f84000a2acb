import { ByteSink } from './byte-sink.ts';
import { ThriftWriter } from './thrift-writer.ts';
import { type ColumnChunk, isNullable, type ParquetColumn, PHYSICAL_TYPE } from './types.ts';

export interface RowGroup {
  readonly rows: number;
  readonly chunks: readonly ColumnChunk[];
}

export interface FooterFacts {
  readonly columns: readonly ParquetColumn[];
  readonly rowGroups: readonly RowGroup[];
  readonly createdBy: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Place of the column by which all rows are in ascending order. */
  readonly sortedBy: number | undefined;
}

/** Page index, footer, its length and the closing magic. @param position of its first byte in the file. */
export function fileEnd(facts: FooterFacts, position: number): Buffer {
  const sink = new ByteSink();
  const indexes = new Map<ColumnChunk, { column?: Extent; offset: Extent }>();
  const extent = (write: () => void): Extent => {
    const from = sink.end;
    write();
    return { offset: position + from, bytes: sink.end - from };
  };
  const chunks = facts.rowGroups.flatMap((group) => group.chunks);
  for (const chunk of chunks) {
    const isIndexed = chunk.pages.every(({ min, isAllNull }) => min !== undefined || isAllNull);
    const column = isIndexed && chunk.min !== undefined ? extent(() => writeColumnIndex(sink, chunk)) : undefined;
    indexes.set(chunk, { ...(column && { column }), offset: extent(() => writeOffsetIndex(sink, chunk)) });
  }
  const footerAt = sink.end;
  writeFooter(sink, facts, indexes);
  sink.uint32(sink.end - footerAt);
  sink.append(MAGIC);
  return sink.view();
}

export const MAGIC = Buffer.from('PAR1');

interface Extent {
  readonly offset: number;
  readonly bytes: number;
}

function writeColumnIndex(sink: ByteSink, { pages }: ColumnChunk): void {
  const thrift = new ThriftWriter(sink);
  const mins = pages.map(({ min }) => min ?? Buffer.alloc(0));
  const isAscending = pages.every(
    (_page, i) => i === 0 || Buffer.compare(mins[i - 1] as Buffer, mins[i] as Buffer) <= 0,
  );
  thrift.body(() => {
    thrift.bools(
      1,
      pages.map(({ isAllNull }) => isAllNull),
    );
    thrift.binaries(2, mins);
    thrift.binaries(
      3,
      pages.map(({ max }) => max ?? Buffer.alloc(0)),
    );
    thrift.i32(4, isAscending ? ASCENDING : UNORDERED);
    thrift.i64s(
      5,
      pages.map(({ nulls }) => nulls),
    );
  });
}

function writeOffsetIndex(sink: ByteSink, { pages }: ColumnChunk): void {
  const thrift = new ThriftWriter(sink);
  thrift.body(() =>
    thrift.structs(1, pages, ({ offset, bytes, firstRow }) => {
      thrift.i64(1, offset);
      thrift.i32(2, bytes);
      thrift.i64(3, firstRow);
    }),
  );
}

function writeFooter(
  sink: ByteSink,
  { columns, rowGroups, createdBy, metadata, sortedBy }: FooterFacts,
  indexes: ReadonlyMap<ColumnChunk, { column?: Extent; offset: Extent }>,
): void {
  const thrift = new ThriftWriter(sink);
  const schema = [undefined, ...columns];
  thrift.body(() => {
    thrift.i32(1, FORMAT_VERSION);
    thrift.structs(2, schema, (column) => writeSchemaElement(thrift, column, columns.length));
    thrift.i64(
      3,
      rowGroups.reduce((sum, { rows }) => sum + rows, 0),
    );
    thrift.structs(4, rowGroups, ({ rows, chunks }) => {
      thrift.structs(1, chunks, (chunk) => writeChunk(thrift, chunk, indexes.get(chunk)));
      thrift.i64(
        2,
        chunks.reduce((sum, { uncompressedBytes }) => sum + uncompressedBytes, 0),
      );
      thrift.i64(3, rows);
      if (sortedBy !== undefined) {
        thrift.structs(4, [sortedBy], (place) => {
          thrift.i32(1, place);
          thrift.bool(2, false);
          thrift.bool(3, false);
        });
      }
      thrift.i64(5, chunks[0]?.start ?? 0);
      thrift.i64(
        6,
        chunks.reduce((sum, { compressedBytes }) => sum + compressedBytes, 0),
      );
    });
    thrift.structs(5, Object.entries(metadata), ([key, value]) => {
      thrift.binary(1, key);
      thrift.binary(2, value);
    });
    thrift.binary(6, createdBy);
    // Without it readers must not trust the least and greatest values.
    thrift.structs(7, columns, () => thrift.struct(TYPE_DEFINED_ORDER, () => {}));
  });
}

function writeSchemaElement(thrift: ThriftWriter, column: ParquetColumn | undefined, children: number): void {
  if (column === undefined) {
    thrift.binary(4, 'schema');
    thrift.i32(5, children);
    return;
  }
  thrift.i32(1, PHYSICAL_TYPE[column.type]);
  thrift.i32(3, isNullable(column) ? OPTIONAL : REQUIRED);
  thrift.binary(4, column.name);
  if (column.type === 'text') {
    thrift.i32(6, CONVERTED_UTF8);
    thrift.struct(10, () => thrift.struct(LOGICAL_STRING, () => {}));
  } else if (column.type === 'timestamp') {
    thrift.i32(6, CONVERTED_TIMESTAMP_MICROS);
    thrift.struct(10, () =>
      thrift.struct(LOGICAL_TIMESTAMP, () => {
        thrift.bool(1, true);
        thrift.struct(2, () => thrift.struct(UNIT_MICROS, () => {}));
      }),
    );
  }
}

function writeChunk(thrift: ThriftWriter, chunk: ColumnChunk, index: { column?: Extent; offset: Extent } | undefined) {
  thrift.i64(2, chunk.start);
  thrift.struct(3, () => {
    thrift.i32(1, PHYSICAL_TYPE[chunk.type]);
    thrift.i32s(2, chunk.encodings);
    thrift.binaries(3, [chunk.name]);
    thrift.i32(4, chunk.codec);
    thrift.i64(5, chunk.values);
    thrift.i64(6, chunk.uncompressedBytes);
    thrift.i64(7, chunk.compressedBytes);
    thrift.i64(9, chunk.dataStart);
    if (chunk.hasDictionary) thrift.i64(11, chunk.start);
    const { min, max } = chunk;
    thrift.struct(12, () => {
      thrift.i64(3, chunk.nulls);
      if (min === undefined || max === undefined) return;
      thrift.binary(5, max);
      thrift.binary(6, min);
    });
  });
  if (index === undefined) return;
  thrift.i64(4, index.offset.offset);
  thrift.i32(5, index.offset.bytes);
  if (index.column === undefined) return;
  thrift.i64(6, index.column.offset);
  thrift.i32(7, index.column.bytes);
}

const FORMAT_VERSION = 2;
const REQUIRED = 0;
const OPTIONAL = 1;
const CONVERTED_UTF8 = 0;
const CONVERTED_TIMESTAMP_MICROS = 10;
const LOGICAL_STRING = 1;
const LOGICAL_TIMESTAMP = 8;
const UNIT_MICROS = 2;
const TYPE_DEFINED_ORDER = 1;
const UNORDERED = 0;
const ASCENDING = 1;
