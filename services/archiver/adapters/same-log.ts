import type { ChainEntry } from '../../../lib/archive/chain.ts';
import { hasCode, SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { LogRecord, NamedLog, PartitionLog } from '../../../lib/kafka/types.ts';

/** @throws SpanloomError ARCHIVE_LOG_CHANGED, retryable, when the log cannot be the one that the entry was made from. */
export async function refuseLogOtherThan(log: NamedLog, entry: RangeMark): Promise<void> {
  const mismatch = await mismatchWith(log, entry);
  if (mismatch !== undefined) throw new SpanloomError('ARCHIVE_LOG_CHANGED', mismatch, { retryable: true });
}

/**
 * Why the log cannot be the one that the entry was made from; undefined when nothing speaks against it. Topic ids decide,
 * and records where there are none. A wrong answer would archive everything twice, so what a leader that lags does not
 * show is no reason.
 * @throws SpanloomError TRACES_UNREADABLE, retryable, when the log does not show yet what stands there.
 */
export async function mismatchWith(log: NamedLog, entry: RangeMark): Promise<string | undefined> {
  const topicId = await log.id();
  const isKnown = topicId !== undefined && entry.topicId !== undefined;
  if (isKnown && topicId !== entry.topicId) return `the chain is of topic id ${entry.topicId}, the log of ${topicId}`;
  const { start, end } = await log.bounds();
  if (entry.end > end && (await isBeyondEnd(log, entry.end)))
    return `the chain ends at offset ${entry.end}, the log at ${end}`;
  if (isKnown) return undefined;
  const { firstRecord } = entry;
  // What retention has deleted cannot be compared.
  if (firstRecord.offset < start) return undefined;
  const record = await recordAt(log, firstRecord.offset);
  const traceId = record?.key?.latin1Slice() ?? '';
  if (record !== undefined && traceId === firstRecord.traceId) {
    if (record.timestampMs === firstRecord.appendTime) return undefined;
  }
  return `offset ${firstRecord.offset} holds another record than the one that was archived`;
}

/** Asked of the log itself: the end that a lagging leader names may be too low. */
async function isBeyondEnd(log: PartitionLog, offset: number): Promise<boolean> {
  try {
    await log.fetch({ offset, maxBytes: 1, maxWaitMs: 0 });
    return false;
  } catch (error) {
    if (hasCode(error, 'KAFKA_OFFSET_GONE')) return true;
    throw error;
  }
}

/** Undefined when the log passes the offset over. */
async function recordAt(log: PartitionLog, offset: number): Promise<LogRecord | undefined> {
  const { records, nextOffset } = await log.fetch({ offset, maxBytes: FETCH_BYTES, maxWaitMs: WAIT_MS });
  if (nextOffset > offset) return records[0]?.offset === offset ? records[0] : undefined;
  const sentence = `the traces topic does not show yet what stands at offset ${offset}`;
  throw new SpanloomError('TRACES_UNREADABLE', sentence, { retryable: true });
}

/** By which an entry tells its log from another one. */
type RangeMark = Pick<ChainEntry, 'end' | 'topicId' | 'firstRecord'>;

const FETCH_BYTES = 64 * 1024;
const WAIT_MS = 100;
