import { describe, expect, it } from '@jest/globals';
import { type AbortedTransaction, type BatchOrigin, ReadCommittedFilter } from './read-committed.ts';

const data = (producerId: number, lastOffset: number): BatchOrigin => ({ producerId, lastOffset, transactional: true });
const plain = (producerId: number, lastOffset: number): BatchOrigin => ({
  producerId,
  lastOffset,
  transactional: false,
});
const abort = (producerId: number, lastOffset: number): BatchOrigin => ({
  producerId,
  lastOffset,
  transactional: true,
  control: 'abort',
});
const commit = (producerId: number, lastOffset: number): BatchOrigin => ({
  producerId,
  lastOffset,
  transactional: true,
  control: 'commit',
});

interface Case {
  name: string;
  aborted: AbortedTransaction[];
  batches: BatchOrigin[];
  visible: number[];
}

const CASES: Case[] = [
  {
    name: 'shows everything when nothing aborted',
    aborted: [],
    batches: [data(1, 0), data(2, 1), commit(1, 2)],
    visible: [0, 1],
  },
  {
    name: 'hides two transactions that both began before the fetched offset (K1)',
    aborted: [
      { producerId: 1, firstOffset: 90 },
      { producerId: 2, firstOffset: 95 },
    ],
    batches: [data(2, 100), data(1, 101), abort(2, 102), abort(1, 103), data(1, 104)],
    visible: [104],
  },
  {
    name: 'takes the list in any order',
    aborted: [
      { producerId: 2, firstOffset: 95 },
      { producerId: 1, firstOffset: 90 },
    ],
    batches: [data(1, 100), data(2, 101)],
    visible: [],
  },
  {
    name: 'shows what another producer commits between',
    aborted: [{ producerId: 1, firstOffset: 0 }],
    batches: [data(1, 0), data(2, 1), data(1, 2), commit(2, 3), abort(1, 4), data(1, 5), commit(1, 6)],
    visible: [1, 5],
  },
  {
    name: 'shows what the producer committed before its aborted transaction',
    aborted: [{ producerId: 1, firstOffset: 3 }],
    batches: [data(1, 1), commit(1, 2), data(1, 3), abort(1, 4)],
    visible: [1],
  },
  {
    name: 'hides each of several aborted transactions of one producer',
    aborted: [
      { producerId: 1, firstOffset: 0 },
      { producerId: 1, firstOffset: 4 },
    ],
    batches: [data(1, 0), abort(1, 1), data(1, 2), commit(1, 3), data(1, 4), abort(1, 5), data(1, 6)],
    visible: [2, 6],
  },
  {
    name: 'hides a batch whose first record began the transaction',
    aborted: [{ producerId: 1, firstOffset: 10 }],
    batches: [data(1, 19), abort(1, 20)],
    visible: [],
  },
  {
    name: 'keeps an aborting producer hidden past a marker that is no abort',
    aborted: [{ producerId: 1, firstOffset: 0 }],
    batches: [
      data(1, 0),
      { producerId: 1, lastOffset: 1, transactional: true, control: 'other' },
      data(1, 2),
      abort(1, 3),
    ],
    visible: [],
  },
  {
    name: 'shows records outside transactions, also with the id of an aborting producer',
    aborted: [{ producerId: 1, firstOffset: 0 }],
    batches: [plain(1, 0), plain(-1, 1)],
    visible: [0, 1],
  },
];

describe('ReadCommittedFilter', () => {
  it.each(CASES)('$name', ({ aborted, batches, visible }) => {
    const filter = new ReadCommittedFilter(aborted);
    expect(batches.filter((batch) => filter.passes(batch)).map(({ lastOffset }) => lastOffset)).toEqual(visible);
  });
});
