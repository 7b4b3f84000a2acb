import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { type RowBatch, writeParquet } from '../parquet/write-parquet.ts';
import type { BatchSteps } from './rows/row-groups.ts';

/**
 * A Parquet file of the batches, a row group each, in the order of trace ids. Equal batches give equal bytes. The event
 * loop gets its turn after each slice of the work.
 */
export async function encodeParquet(batches: BatchSteps): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  const options = { createdBy: 'spanloom', sortedBy: 'trace_id' };
  for await (const part of writeParquet(inTurns(batches), options)) parts.push(part);
  return Buffer.concat(parts);
}

async function* inTurns(batches: BatchSteps): AsyncGenerator<RowBatch> {
  for (const batch of batches) {
    if (batch === undefined) await yieldToEventLoop();
    else yield batch;
  }
}
