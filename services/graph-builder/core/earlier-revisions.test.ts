import { describe, expect, it } from '@jest/globals';
import { EarlierRevisions } from './earlier-revisions.ts';

const revision = (traceId: string, offset: number, appendMs: number) => ({ traceId, offset, appendMs });
const offsets = (revisions: readonly { offset: number }[]) => revisions.map(({ offset }) => offset);

describe('EarlierRevisions', () => {
  it('knows the records of a trace within the horizon, oldest first', () => {
    const earlier = new EarlierRevisions({ horizonMs: 100, tracesMax: 10 });
    expect(offsets(earlier.add(revision('a', 1, 1_000)))).toEqual([]);
    expect(offsets(earlier.add(revision('b', 2, 1_050)))).toEqual([]);
    expect(offsets(earlier.add(revision('a', 3, 1_100)))).toEqual([1]);
    expect(offsets(earlier.add(revision('a', 4, 1_101)))).toEqual([3]);
    expect(earlier.lowest).toBe(2);
  });

  it('keeps the newest when there are too many', () => {
    const earlier = new EarlierRevisions({ horizonMs: 1_000, tracesMax: 2 });
    for (const [i, id] of ['a', 'b', 'c', 'a'].entries()) earlier.add(revision(id, i, 0));
    expect(earlier.size).toBe(2);
    expect(offsets(earlier.add(revision('a', 9, 0)))).toEqual([3]);
  });

  it('knows the same after the stretch from `lowest` was read again', () => {
    const whole = new EarlierRevisions({ horizonMs: 50, tracesMax: 30 });
    const log = Array.from({ length: 5_000 }, (_, i) => revision(`t${(i * 7919) % 37}`, i * 2, i * 3));
    for (const [i, record] of log.entries()) {
      const known = offsets(whole.add(record));
      if (i % 611 !== 0) continue;
      const restored = new EarlierRevisions({ horizonMs: 50, tracesMax: 30 });
      const from = whole.lowest as number;
      for (const again of log.slice(0, i)) if (again.offset >= from) restored.add(again);
      const knownAgain = offsets(restored.add(record));
      expect(knownAgain).toEqual(known.filter((offset) => offset >= from));
      expect(restored.size).toBe(whole.size);
    }
  });
});
