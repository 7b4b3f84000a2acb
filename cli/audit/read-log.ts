import { UndecodableBatchError } from '../../lib/kafka/errors.ts';
import type { LogRecord, PartitionLog } from '../../lib/kafka/types.ts';

/**
 * The records at offsets [from, to), read committed, batch by batch.
 * @param onUndecodable is told the first offset of a batch that cannot be read; without it that is an error.
 */
export async function* readLog(
  log: PartitionLog,
  from: number,
  to: number,
  onUndecodable?: (first: number) => void,
): AsyncGenerator<readonly LogRecord[]> {
  let offset = from;
  while (offset < to) {
    let next: number;
    try {
      const fetched = await log.fetch({ offset, maxBytes: FETCH_BYTES_MAX, maxWaitMs: FETCH_WAIT_MS });
      yield fetched.records.filter((record) => record.offset < to);
      next = fetched.nextOffset;
    } catch (error) {
      if (!(error instanceof UndecodableBatchError) || onUndecodable === undefined) throw error;
      onUndecodable(error.firstOffset);
      next = error.nextOffset;
    }
    offset = next;
  }
}

const FETCH_BYTES_MAX = 1024 * 1024;
const FETCH_WAIT_MS = 200;
