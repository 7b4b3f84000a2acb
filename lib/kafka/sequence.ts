/**
 * The sequence number of the batch after one of `count` records. Numbers run from 0 to 2^31 - 1 and go on at 0, so
 * that the number of each record in a batch that crosses the end is its position modulo 2^31, as the broker counts.
 */
export function advanceSequence(baseSequence: number, count: number): number {
  return (baseSequence + count) % SEQUENCES;
}

const SEQUENCES = 2 ** 31;
