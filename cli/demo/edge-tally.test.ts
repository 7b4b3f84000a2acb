import { describe, expect, it } from '@jest/globals';
import { EdgeTally } from './edge-tally.ts';
import { edgeDelta } from './fixtures.ts';

describe('EdgeTally', () => {
  it('adds up windows, operations and partitions of one edge', () => {
    const tally = new EdgeTally();
    tally.add(edgeDelta({ clientOperation: 'GET', calls: 3, errors: 1 }));
    tally.add(edgeDelta({ clientOperation: 'POST', calls: 2, windowStart: 10_000_000 }));
    tally.add(edgeDelta({ server: 'cache', calls: 7 }));
    expect(tally.edges().map(({ server, calls, errors }) => [server, calls, errors])).toEqual([
      ['cache', 7, 0],
      ['database', 5, 1],
    ]);
  });

  it('leaves out edges that corrections took back, and other subjects', () => {
    const tally = new EdgeTally();
    tally.add(edgeDelta({ calls: -1, errors: -1 }));
    tally.add(edgeDelta({ calls: 1, errors: 1 }));
    tally.add(edgeDelta({ subject: 'service', client: '', calls: 9 }));
    expect(tally.edges()).toEqual([]);
  });

  it('finds the 95th percentile within a bucket of the histogram', () => {
    const tally = new EdgeTally();
    // 95 calls of about 1 ms (bucket 79: 2^(79/8) µs = 939 µs), 5 of about 1 s (bucket 159).
    const clientDuration = { buckets: [79, 159], counts: [95, 5], zeroCount: 0, sumMicros: 0 };
    tally.add(edgeDelta({ calls: 100, clientDuration }));
    expect(tally.edges()[0]?.p95Ms).toBeCloseTo(0.98, 1);
    tally.add(edgeDelta({ calls: 1, clientDuration: { ...clientDuration, buckets: [159], counts: [1] } }));
    expect(tally.edges()[0]?.p95Ms).toBeCloseTo(1004, -2);
  });
});
