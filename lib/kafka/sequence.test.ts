import { expect, it } from '@jest/globals';
import { advanceSequence } from './sequence.ts';

it.each([
  [0, 1, 1],
  [2_147_483_646, 1, 2_147_483_647],
  [2_147_483_647, 1, 0],
  // What Java's DefaultRecordBatch.incrementSequence gives, and kafkajs does not (K4).
  [2_147_483_640, 10, 2],
])('the sequence after %i and %i records is %i', (base, count, next) => {
  expect(advanceSequence(base, count)).toBe(next);
});
