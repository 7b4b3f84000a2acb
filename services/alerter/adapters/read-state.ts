import { type AlerterState, alerterStateCodec } from '../../../lib/codec/incident-records.ts';
import { SpanloomError } from '../../../lib/errors/spanloom-error.ts';
import type { PartitionLog } from '../../../lib/kafka/types.ts';

/**
 * The alerter's state as it was committed before the claim at `claimOffset`: the newest record of each key. The claim
 * must come back first, which proves that everything committed before it has been seen.
 * @throws SpanloomError ALERTER_STATE_UNREADABLE (retryable) when it does not.
 */
export async function readState(log: PartitionLog, claimOffset: number, nonce: string): Promise<AlerterState[]> {
  const newest = new Map<string, Buffer>();
  let sawClaim = false;
  let offset = (await log.bounds()).start;
  for (let idle = 0; offset <= claimOffset && idle < IDLE_FETCHES_MAX; idle++) {
    const fetched = await log.fetch({ offset, maxBytes: FETCH_BYTES, maxWaitMs: WAIT_MS });
    if (fetched.nextOffset > offset) idle = 0;
    offset = fetched.nextOffset;
    for (const record of fetched.records) {
      const key = record.key?.toString() ?? '';
      if (key === 'claim') sawClaim ||= record.offset === claimOffset && nonceOf(record.value) === nonce;
      else if (record.value === null) newest.delete(key);
      else newest.set(key, record.value);
    }
  }
  if (!sawClaim) {
    const sentence = `The claim at offset ${claimOffset} of the alerter's state did not come back`;
    throw new SpanloomError('ALERTER_STATE_UNREADABLE', sentence, { retryable: true });
  }
  return [...newest.values()].map((value) => alerterStateCodec.decode(value));
}

function nonceOf(value: Buffer | null): string {
  return value === null ? '' : alerterStateCodec.decode(value).nonce;
}

const FETCH_BYTES = 4 * 1024 * 1024;
const WAIT_MS = 100;
/** 5 s without anything new. */
const IDLE_FETCHES_MAX = 50;
