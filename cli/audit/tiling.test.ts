import { describe, expect, it } from '@jest/globals';
import { assembledTrace, traceLogRecord } from '../../lib/testkit/assembled-trace.ts';
import { otlp } from '../../lib/testkit/otlp-builder.ts';
import { ArchiveTiling } from './archive-tiling.ts';
import { BundleTiling } from './bundle-tiling.ts';
import { EdgeSums } from './edge-sums.ts';
import { judged } from './extent.ts';
import { newFindings, type StageFindings } from './findings.ts';
import { inSlices, Slice } from './slices.ts';
import { TraceTiling } from './trace-tiling.ts';

const trace = (id: number) => otlp([{ service: 'web', spans: [{ id, kind: 'server' }] }], { trace: id });
const counts = ({ matched, missing, double, foreign, altered, open }: StageFindings) => ({
  matched,
  trouble: { missing, double, foreign, altered },
  open,
});
const NONE = { missing: 0, double: 0, foreign: 0, altered: 0 };

function bundle(offset: number, ids: readonly number[], source = `in/0/${offset}-${offset}`) {
  const headers = new Map([['spanloom-source', Buffer.from(source)]]);
  return { offset, timestampMs: 0, key: null, value: Buffer.concat(ids.map(trace)), headers };
}

describe('BundleTiling', () => {
  const of = (bundles: ReturnType<typeof bundle>[]) => {
    const tiling = new BundleTiling(
      'spans',
      [{ source: 'in/0', start: 0, applied: 2, isCut: false }],
      new Set(),
      new Slice(100),
    );
    for (const one of bundles) tiling.seeBundle(one, 0);
    for (const id of [1, 2]) {
      tiling.expect('in/0', id - 1, { bundles: [{ partition: 0, bytes: trace(id) }], letterKeys: [] });
    }
    return counts(tiling.finish());
  };
  it.each([
    ['nothing planted', [bundle(0, [1]), bundle(1, [2])], { ...NONE }],
    ['a loss', [bundle(0, [1])], { ...NONE, missing: 1 }],
    ['a copy', [bundle(0, [1]), bundle(1, [2]), bundle(1, [2])], { ...NONE, double: 1 }],
    ['a foreign span', [bundle(0, [1, 9]), bundle(1, [2])], { ...NONE, foreign: 1 }],
    ['a foreign record', [bundle(0, [1]), bundle(1, [2]), bundle(5, [3], '')], { ...NONE, foreign: 1 }],
  ])('catches %s', (_, bundles, trouble) => expect(of(bundles).trouble).toEqual(trouble));
});

describe('an audit in slices', () => {
  const ids = Array.from({ length: 40 }, (_, i) => i + 1);
  const positions = [{ source: 'in/0', start: 0, applied: 40, isCut: false }];
  /** Spans 3 and 7 are lost, 5 is there twice, 99 is nobody's; one record is no bundle at all. */
  const bundles = [
    ...ids.filter((id) => id !== 3 && id !== 7).map((id) => bundle(id - 1, [id])),
    bundle(4, [5]),
    bundle(9, [99]),
    bundle(50, [1], ''),
  ];
  const audit = async (keysMax: number) => {
    let most = 0;
    let passes = 0;
    const findings = await inSlices(keysMax, async (slice) => {
      passes++;
      let held = 0;
      const count = slice.count.bind(slice);
      slice.count = (keys = 1) => {
        count(keys);
        held += keys;
        most = Math.max(most, held);
      };
      const tiling = new BundleTiling('spans', positions, new Set(), slice);
      for (const one of bundles) tiling.seeBundle(one, 0);
      for (const id of ids) {
        tiling.expect('in/0', id - 1, { bundles: [{ partition: 0, bytes: trace(id) }], letterKeys: [] });
      }
      return tiling.finish();
    });
    return { found: counts(findings), most, passes };
  };

  it('finds the same as in one pass, and never holds more keys than it may', async () => {
    const whole = await audit(1_000);
    expect(whole).toEqual({
      found: { matched: 38, trouble: { missing: 2, double: 1, foreign: 2, altered: 0 }, open: 0 },
      most: 39,
      passes: 1,
    });
    const sliced = await audit(8);
    expect(sliced.found).toEqual(whole.found);
    expect(sliced.most).toBeLessThanOrEqual(8);
    expect(sliced.passes).toBeGreaterThan(5);
  });

  it('says what to do when even the smallest part is too large', async () => {
    await expect(audit(0)).rejects.toMatchObject({ code: 'AUDIT_TOO_LARGE' });
  });
});

describe('judged', () => {
  const extent = (from?: number, to?: number) => ({
    from: new Map(from === undefined ? [] : [['t/0', from]]),
    to: new Map(to === undefined ? [] : [['t/0', to]]),
    outputFrom: new Map(),
    outputSeen: new Map(),
  });
  it.each([
    ['everything', extent(), 0, { start: 0, applied: 90, gap: 0 }],
    ['what retention left', extent(), 20, { start: 20, applied: 90, gap: 20 }],
    ['a part', extent(30, 50), 20, { start: 30, applied: 50, gap: 0 }],
    ['a part that retention has cut', extent(10, 50), 20, { start: 20, applied: 50, gap: 10 }],
    ['a part that is gone', extent(10, 15), 20, { start: 20, applied: 20, gap: 5 }],
    ['a part that is not committed yet', extent(80, 120), 0, { start: 80, applied: 90, gap: 0 }],
    ['nothing yet', extent(95, 120), 0, { start: 95, applied: 95, gap: 0 }],
  ])('is %s', (_, of, retained, expected) => expect(judged(of, 't/0', retained, 90)).toEqual(expected));
});

describe('TraceTiling', () => {
  const record = (id: number, inputs: number[], offset = id) =>
    traceLogRecord(assembledTrace(trace(id), { inputs }), offset);
  const of = (ids: [number, number[]][], low = 2, later: ReturnType<typeof bundle>[] = []) => {
    const names = { spans: 'spans', traces: 'traces', partition: 0 };
    const tiling = new TraceTiling(
      names,
      { applied: 2, low, spansStart: 0, spansCut: false, tracesCut: false, tracesSeen: 100 },
      new Slice(100),
    );
    for (const [id, inputs] of ids) tiling.see(record(id, inputs), assembledTrace(trace(id), { inputs }));
    tiling.expect(bundle(0, [1]));
    tiling.expect(bundle(1, [2]));
    for (const one of later) tiling.expect(one);
    return counts(tiling.finish());
  };
  it.each<[string, [number, number[]][], object]>([
    [
      'nothing planted',
      [
        [1, [0]],
        [2, [1]],
      ],
      NONE,
    ],
    ['a loss', [[1, [0]]], { ...NONE, missing: 1 }],
    [
      'a copy',
      [
        [1, [0]],
        [2, [1]],
        [2, [1]],
      ],
      { ...NONE, double: 1 },
    ],
    [
      'a foreign offset',
      [
        [1, [0]],
        [2, [0, 1]],
      ],
      { ...NONE, foreign: 1 },
    ],
  ])('catches %s', (_, ids, trouble) => expect(of(ids).trouble).toEqual(trouble));

  it('calls what may still be in a window open', () => {
    expect(of([[1, [0]]], 1)).toEqual({ matched: 1, trouble: NONE, open: 1 });
  });

  it('counts pairs that nobody has taken yet, and leaves out those that came out meanwhile', () => {
    expect(
      of(
        [
          [1, [0]],
          [2, [1]],
          [3, [2]],
        ],
        2,
        [bundle(2, [3]), bundle(3, [4, 5])],
      ),
    ).toEqual({ matched: 2, trouble: NONE, open: 2 });
  });
});

describe('ArchiveTiling', () => {
  const object = { key: 'a.parquet', dataset: 'spans' as const, rows: 3, digest: 'd' };
  const entry = {
    ...{ version: 1 as const, topic: 't', partition: 0, first: 0, end: 3, gapBefore: null, records: 3, refused: 0 },
    ...{ firstRecord: { offset: 0, traceId: '', appendTime: 0 }, objects: [object], writer: 'test' },
  };
  const of = (rebuilt: { rows: number; digest: string }, listed: string[]) => {
    const tiling = new ArchiveTiling();
    tiling.check('0.json', entry, new Map([['a.parquet', rebuilt]]), (key) => listed.includes(key), []);
    tiling.checkListed(listed);
    return counts(tiling.findings).trouble;
  };
  const right = { rows: 3, digest: 'd' };
  it('finds a missing, a foreign and an altered object', () => {
    expect(of(right, ['a.parquet'])).toEqual(NONE);
    expect(of(right, [])).toEqual({ ...NONE, missing: 1 });
    expect(of(right, ['a.parquet', 'b.parquet'])).toEqual({ ...NONE, foreign: 1 });
    expect(of({ rows: 3, digest: 'e' }, ['a.parquet'])).toEqual({ ...NONE, altered: 1 });
  });

  it('takes objects of entries before the time that is asked for as known', () => {
    const tiling = new ArchiveTiling();
    tiling.leaveOut(entry);
    tiling.checkListed(['a.parquet', 'b.parquet']);
    expect(counts(tiling.findings)).toEqual({ matched: 0, trouble: { ...NONE, foreign: 1 }, open: 0 });
  });
});

describe('EdgeSums', () => {
  const sums = (...calls: number[]) => {
    const own = new EdgeSums(new Slice(100));
    for (const n of calls) {
      own.add({
        ...{ subject: 'edge', windowStart: 0, client: 'a', server: 'b', connectionType: '', peerKind: 'service' },
        ...{ clientOperation: '', serverOperation: '', confidence: 'exact', calls: n, errors: 0, errors4xx: 0 },
        ...{ traces: 0, clientDuration: null, serverDuration: null, networkGap: null, queueDelay: null },
        ...{
          exemplars: [],
          failures: [],
          slowTraces: [],
          incompleteTraces: 0,
          orphanSpans: 0,
          versions: [],
          owner: '',
        },
      });
    }
    return own;
  };
  it('calls a delta of an edge that no trace has foreign', () => {
    const findings = newFindings('edges', 'counters');
    sums(2).compare(new EdgeSums(new Slice(100)), 'edges/0', findings);
    expect(counts(findings).trouble).toEqual({ ...NONE, foreign: 1 });
  });

  it.each<[string, number[], object]>([
    ['signed corrections that add up', [3, -1], NONE],
    ['a lost delta', [1], { ...NONE, missing: 1 }],
    ['a delta twice', [2, 2], { ...NONE, double: 1 }],
  ])('judges %s', (_, deltas, trouble) => {
    const findings = newFindings('edges', 'counters');
    sums(...deltas).compare(sums(2), 'edges/0', findings);
    expect(counts(findings).trouble).toEqual(trouble);
  });
});
