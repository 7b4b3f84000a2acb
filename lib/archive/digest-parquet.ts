import { type Data, type RecordBatch, tableFromIPC } from 'apache-arrow';
import { ParquetFile } from 'parquet-wasm/node';
import type { Dataset } from './object-keys.ts';
import { KIND_WORDS, kindAndStatus, RowDigest, SPAN_WORDS, STATUS_WORDS, TRACE_WORDS } from './row-digest.ts';

/**
 * The digest of an object's rows, one row group in memory at a time.
 * @throws Error when the columns cannot be read.
 */
export async function digestParquet(blob: Blob, dataset: Dataset): Promise<{ rows: number; rowDigest: string }> {
  const columns = dataset === 'spans' ? SPAN_COLUMNS : TRACE_COLUMNS;
  const file = await ParquetFile.fromFile(blob);
  const digest = new RowDigest();
  let rows = 0;
  try {
    const groups = file.metadata().numRowGroups();
    for (let group = 0; group < groups; group++) {
      const table = await file.read({ rowGroups: [group], columns: [...columns], batchSize: BATCH_ROWS });
      for (const batch of tableFromIPC(table.intoIPCStream()).batches) {
        rows += batch.numRows;
        if (dataset === 'spans') addSpans(digest, batch);
        else addTraces(digest, batch);
      }
    }
  } finally {
    file.free();
  }
  return { rows, rowDigest: digest.hex() };
}

function addSpans(digest: RowDigest, batch: RecordBatch): void {
  const traceId = text(batch, 'trace_id');
  const spanId = text(batch, 'span_id');
  const kind = words(batch, 'kind', KIND_WORDS);
  const status = words(batch, 'status_code', STATUS_WORDS);
  const start = halves(batch, 'start_ns');
  const duration = halves(batch, 'duration_ns');
  const row = new Int32Array(SPAN_WORDS);
  for (let i = 0; i < batch.numRows; i++) {
    putHex(row, 0, 4, traceId, i);
    putHex(row, 4, 2, spanId, i);
    putHalves(row, 6, start, i);
    putHalves(row, 8, duration, i);
    row[10] = kindAndStatus(kind[i] as number, status[i] as number);
    digest.add(row);
  }
}

function addTraces(digest: RowDigest, batch: RecordBatch): void {
  const traceId = text(batch, 'trace_id');
  const revision = ints(batch, 'revision');
  const spans = ints(batch, 'span_count');
  const start = halves(batch, 'start_time');
  const duration = halves(batch, 'duration_ns');
  const row = new Int32Array(TRACE_WORDS);
  for (let i = 0; i < batch.numRows; i++) {
    putHex(row, 0, 4, traceId, i);
    row[4] = revision[i] as number;
    row[5] = spans[i] as number;
    putHalves(row, 6, start, i);
    putHalves(row, 8, duration, i);
    digest.add(row);
  }
}

interface Text {
  readonly bytes: Uint8Array;
  readonly offsets: Int32Array;
}

function text(batch: RecordBatch, name: string): Text {
  const data = column(batch, name);
  return { bytes: data.values as Uint8Array, offsets: data.valueOffsets as Int32Array };
}

/** Places of a column's words in `known`. */
function words(batch: RecordBatch, name: string, known: readonly string[]): Uint8Array {
  const { bytes, offsets } = text(batch, name);
  const places = new Uint8Array(batch.numRows);
  for (let i = 0; i < places.length; i++) {
    const word = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).latin1Slice(offsets[i], offsets[i + 1]);
    places[i] = Math.max(0, known.indexOf(word));
  }
  return places;
}

function ints(batch: RecordBatch, name: string): Int32Array {
  return column(batch, name).values as Int32Array;
}

/** Pairs of words, the low one first. */
function halves(batch: RecordBatch, name: string): Int32Array {
  const { buffer, byteOffset } = column(batch, name).values as BigInt64Array;
  return new Int32Array(buffer, byteOffset, batch.numRows * 2);
}

function column(batch: RecordBatch, name: string): Data {
  const at = batch.schema.fields.findIndex((field) => field.name === name);
  const data = batch.data.children[at];
  if (data === undefined) throw new Error(`it has no column ${name}`);
  return data;
}

function putHalves(row: Int32Array, at: number, from: Int32Array, i: number): void {
  row[at] = from[2 * i] as number;
  row[at + 1] = from[2 * i + 1] as number;
}

function putHex(row: Int32Array, at: number, count: number, { bytes, offsets }: Text, i: number): void {
  let from = offsets[i] as number;
  for (let word = 0; word < count; word++) {
    let value = 0;
    for (let digit = 0; digit < 8; digit++) value = (value << 4) | (HEX_VALUES[bytes[from++] as number] as number);
    row[at + word] = value;
  }
}

const HEX_VALUES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? 0 : value;
});
const SPAN_COLUMNS = ['trace_id', 'span_id', 'kind', 'status_code', 'start_ns', 'duration_ns'];
const TRACE_COLUMNS = ['trace_id', 'revision', 'span_count', 'start_time', 'duration_ns'];
const BATCH_ROWS = 10_000;
