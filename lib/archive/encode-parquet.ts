import { type RowBatch, writeParquet } from '../parquet/write-parquet.ts';

/** A Parquet file of the batches, a row group each, in the order of trace ids. Equal batches give equal bytes. */
export async function encodeParquet(batches: Iterable<RowBatch>): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of writeParquet(batches, { createdBy: 'spanloom', sortedBy: 'trace_id' })) parts.push(part);
  return Buffer.concat(parts);
}
