import type { ChainEntry } from '../../../lib/archive/chain.ts';
import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { LogRecord, PartitionLog } from '../../../lib/kafka/types.ts';

/** @throws SpanloomError ARCHIVE_LOG_CHANGED, retryable, when the log cannot be the one that the entry was made from. */
export async function refuseLogOtherThan(log: PartitionLog, entry: RangeMark): Promise<void> {
  const mismatch = await mismatchWith(log, entry);
  if (mismatch !== undefined) throw new SpanloomError('ARCHIVE_LOG_CHANGED', mismatch, { retryable: true });
}

/** Why the log cannot be the one that the entry was made from; undefined when nothing speaks against it. */
export async function mismatchWith(log: PartitionLog, entry: RangeMark): Promise<string | undefined> {
  const { start, end } = await log.bounds();
  if (entry.end > end) return `the chain ends at offset ${entry.end}, the log at ${end}`;
  const { firstRecord } = entry;
  // What retention has deleted cannot be compared.
  if (firstRecord.offset < start) return undefined;
  const record = await recordAt(log, firstRecord.offset, end);
  const traceId = record?.key?.latin1Slice() ?? '';
  if (record?.offset === firstRecord.offset && traceId === firstRecord.traceId) {
    if (record.timestampMs === firstRecord.appendTime) return undefined;
  }
  return `offset ${firstRecord.offset} holds another record than the one that was archived`;
}

async function recordAt(log: PartitionLog, offset: number, end: number): Promise<LogRecord | undefined> {
  for (let at = offset; at < end; ) {
    const { records, nextOffset } = await log.fetch({ offset: at, maxBytes: FETCH_BYTES, maxWaitMs: WAIT_MS });
    if (records[0] !== undefined || nextOffset <= at) return records[0];
    at = nextOffset;
  }
  return undefined;
}

/** By which an entry tells its log from another one. */
type RangeMark = Pick<ChainEntry, 'end' | 'firstRecord'>;

const FETCH_BYTES = 64 * 1024;
const WAIT_MS = 100;
