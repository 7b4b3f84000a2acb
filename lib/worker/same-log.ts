import { hasCode, SpanloomError } from '../errors/spanloom-error.ts';
import { UndecodableBatchError } from '../kafka/errors.ts';
import type { FetchedRecords, LogRecord, NamedLog, PartitionLog } from '../kafka/types.ts';

/** What a worker knows of the log that it has read. */
export interface ReadBefore {
  /** For messages: the worker's name. */
  readonly worker: string;
  /** Offset read next; below it everything was read. */
  readonly position: number;
  /** Epoch milliseconds: append time of the newest record read. */
  readonly newestMs: number;
  /** Undefined where brokers had no topic ids when it was read. */
  readonly topicId: string | undefined;
}

/**
 * Makes sure that a log is the one that was read before: going on in another at the old position would skip its beginning
 * in silence. The topic's id tells. Where there is none, these do: a log that ends before the position is another one, and
 * so is one that begins at offset 0 with a record younger than everything that was read.
 *
 * @throws SpanloomError INPUT_TRUNCATED when it is another one, or has lost records at its end; KAFKA_REQUEST_FAILED,
 *   retryable, when its leader lags and does not show enough.
 */
export async function refuseAnotherLog(log: NamedLog, before: ReadBefore): Promise<void> {
  if (before.position === 0) return;
  const topicId = await log.id();
  const isKnown = topicId !== undefined && before.topicId !== undefined;
  const { start, end } = await log.bounds();
  if (isKnown && topicId !== before.topicId) throw anotherLog(before, `its topic's id is ${topicId}`);
  const ends = `it ends at ${end}`;
  if (before.position > end && (await isBeyondEnd(log, before.position))) throw anotherLog(before, ends);
  if (isKnown || start > 0) return;
  const first = await firstRecord(log, before);
  if (first !== undefined && first.timestampMs > before.newestMs) throw anotherLog(before, ends);
}

/** @param what it is like now, e.g. `it ends at 7`. */
export function anotherLog(
  { worker, position }: Pick<ReadBefore, 'worker' | 'position'>,
  what: string,
  cause?: SpanloomError,
): SpanloomError {
  return new SpanloomError(
    'INPUT_TRUNCATED',
    `${worker} had read to offset ${position} of a log that is another one now, or has lost records (${what}); once that is understood, delete the worker's entry from the ledger and it begins anew (operations/runbook.md)`,
    { cause },
  );
}

/** Asked of the log itself: the end that a lagging leader names may be too low. */
async function isBeyondEnd(log: PartitionLog, offset: number): Promise<boolean> {
  return (await unlessGone(log.fetch({ offset, maxBytes: 1, maxWaitMs: 0 }))) === undefined;
}

/** Of a log that begins at 0; undefined when none below the position can be read, so that none was. */
async function firstRecord(log: PartitionLog, { worker, position }: ReadBefore): Promise<LogRecord | undefined> {
  for (let offset = 0; offset < position; ) {
    const fetched = await unlessGone(log.fetch({ offset, maxBytes: 1, maxWaitMs: 0 }));
    if (fetched === undefined) return undefined;
    // Everything below the position was to be seen before: a leader that lags must not vouch for the log.
    if (fetched.nextOffset === offset) {
      const sentence = `${worker} had read to offset ${position}, and its leader does not show offset ${offset} yet`;
      throw new SpanloomError('KAFKA_REQUEST_FAILED', sentence, { retryable: true });
    }
    const [first] = fetched.records;
    if (first !== undefined) return first.offset < position ? first : undefined;
    offset = fetched.nextOffset;
  }
  return undefined;
}

/** The records, or undefined when nobody can read any there: gone, beyond the end, or damaged. */
async function unlessGone(fetching: Promise<FetchedRecords>): Promise<FetchedRecords | undefined> {
  try {
    return await fetching;
  } catch (error) {
    const isGone = hasCode(error, 'KAFKA_OFFSET_GONE');
    if (!isGone && !(error instanceof UndecodableBatchError)) throw error;
    return undefined;
  }
}
