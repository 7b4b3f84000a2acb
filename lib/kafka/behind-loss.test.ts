import { describe, expect, it } from '@jest/globals';
import { SpanloomError } from '../errors/spanloom-error.ts';
import { lossBehind } from './behind-loss.ts';
import type { PartitionLog } from './types.ts';

const log: PartitionLog = {
  bounds: async () => ({ start: 20, end: 50 }),
  fetch: async () => {
    throw new Error('not asked');
  },
};
const gone = new SpanloomError('KAFKA_OFFSET_GONE', 'gone');
const anew = new SpanloomError('KAFKA_TOPIC_RECREATED', 'made anew', { retryable: true });

describe('what a reader has lost', () => {
  it.each([
    ['by retention', gone, 7, { from: 7, start: 20 }],
    ['to a shorter topic of the same name', gone, 60, { from: 0, start: 20 }],
    ['to a topic of another id that has grown as long', anew, 30, { from: 0, start: 0 }],
  ])('%s', async (_, error, offset, loss) => {
    expect(await lossBehind(error, log, offset)).toEqual(loss);
  });

  it('is nothing where the log has the offset after all', async () => {
    await expect(lossBehind(gone, log, 30)).rejects.toBe(gone);
  });

  it('is nothing when the fetch failed for another reason', async () => {
    const error = new SpanloomError('KAFKA_UNREACHABLE', 'no answer', { retryable: true });
    await expect(lossBehind(error, log, 7)).rejects.toBe(error);
  });
});
