import { hasCode } from '../errors/spanloom-error.ts';
import type { PartitionLog } from './types.ts';

/** Offsets that a reader will never see. */
export interface Loss {
  /** 0 in a topic that was made anew: nothing of that was read. */
  readonly from: number;
  /** Where to go on, and to keep as position before anything else is tried; the loss ends before it. */
  readonly start: number;
}

/**
 * For readers that would rather miss records than stand still: what they lost when a fetch failed because retention had
 * overtaken them, or the topic was made anew.
 * @param error of the fetch at `offset`.
 * @throws `error` itself when it is another one.
 */
export async function lossBehind(error: unknown, log: PartitionLog, offset: number): Promise<Loss> {
  // Told one time, so nothing that can fail comes before the reader knows.
  if (hasCode(error, 'KAFKA_TOPIC_RECREATED')) return { from: 0, start: 0 };
  if (!hasCode(error, 'KAFKA_OFFSET_GONE')) throw error;
  const { start, end } = await log.bounds();
  // There after all: what did not show it was a leader that lags.
  if (offset >= start && offset <= end) throw error;
  return { from: offset > end ? 0 : offset, start };
}
