import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { ByteSink } from './byte-sink.ts';
import { writeColumnChunk } from './column-chunk.ts';
import { fileEnd, MAGIC, type RowGroup } from './footer.ts';
import type { ParquetColumn } from './types.ts';

/** Rows of a table; the columns may be filled again once the next ones are asked for. */
export interface RowBatch {
  readonly columns: readonly ParquetColumn[];
  readonly rows: number;
}

export interface ParquetOptions {
  /** Name and version of the program. */
  readonly createdBy: string;
  /** Key-value metadata of the footer. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** A text column by which all rows are in ascending order: it gets a page index. */
  readonly sortedBy?: string;
}

/**
 * A flat Parquet file, piece after piece: each batch is a row group. Equal batches give equal bytes. Between columns
 * and between large pages the event loop gets its turn, so that heartbeats go out while a large file is made.
 *
 * @param batches all with the same columns; at least one.
 */
export async function* writeParquet(
  batches: Iterable<RowBatch> | AsyncIterable<RowBatch>,
  options: ParquetOptions,
): AsyncGenerator<Buffer> {
  const rowGroups: RowGroup[] = [];
  const sink = new ByteSink();
  let columns: readonly ParquetColumn[] = [];
  yield MAGIC;
  let position = MAGIC.length;
  for await (const batch of batches) {
    columns = batch.columns;
    const chunks = [];
    for (const column of columns) {
      const isSorted = column.name === options.sortedBy;
      const steps = writeColumnChunk(sink, column, batch.rows, position + sink.end, isSorted);
      let step = steps.next();
      for (; step.done !== true; step = steps.next()) await yieldToEventLoop();
      chunks.push(step.value);
      if (sink.end < PIECE_BYTES_MIN) continue;
      yield Buffer.from(sink.view());
      position += sink.end;
      sink.clear();
      await yieldToEventLoop();
    }
    rowGroups.push({ rows: batch.rows, chunks });
  }
  const sorted = columns.findIndex(({ name }) => name === options.sortedBy);
  const end = fileEnd(
    {
      columns,
      rowGroups,
      createdBy: options.createdBy,
      metadata: options.metadata ?? {},
      sortedBy: sorted < 0 ? undefined : sorted,
    },
    position + sink.end,
  );
  yield Buffer.concat([sink.view(), end]);
}

const PIECE_BYTES_MIN = 64 * 1024;
