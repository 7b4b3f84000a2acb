import { describe, expect, it } from '@jest/globals';
import type { BatchSteps } from '../../../lib/archive/rows/row-groups.ts';
import { partitionOfTraceId } from '../../../lib/kafka/murmur2.ts';
import { assembledTrace, traceLogRecord } from '../../../lib/testkit/assembled-trace.ts';
import { EPOCH_MS, otlp } from '../../../lib/testkit/otlp-builder.ts';
import { buildRange, type RangePlace } from './build-range.ts';
import { BytesBudget } from './bytes-budget.ts';
import { HOURS_MAX, isDue, OpenRange } from './range.ts';

const HOUR_MS = 3_600_000;
const record = (offset: number, hour = 0, trace = offset + 1) =>
  traceLogRecord(
    assembledTrace(otlp([{ service: 's', spans: [{ id: 1 }, { id: 2, parent: 1 }] }], { trace }), {
      startTime: (EPOCH_MS + hour * HOUR_MS) * 1000,
    }),
    offset,
  );

const LIMITS = { bytesMax: 2_000, ageMaxMs: 1_000 };
const PLACE: RangePlace = {
  prefix: 'p',
  clusterId: 'c-1',
  generation: 1,
  topic: 'p.traces',
  partition: 7,
  writer: 'test 1',
  format: 'parquet',
  partitions: undefined,
  promoted: ['default'],
  isDecided: false,
};
const PORTS = {
  encodeParquet: async (batches: BatchSteps) =>
    Buffer.from(`${[...batches].reduce((sum, batch) => sum + (batch?.rows ?? 0), 0)} rows`),
  encodeOtlp: async (records: readonly unknown[]) => Buffer.from(`${records.length} records`),
  digest: (parts: readonly Uint8Array[]) => `digest of ${parts.length}`,
};

describe('an open range', () => {
  it('is due when it is large, old, or of too many hours, and never while it is empty', () => {
    const range = new OpenRange(5);
    expect(isDue(range, LIMITS, 1e9)).toBeUndefined();
    range.add([], 9, 100);
    expect(isDue(range, LIMITS, 1e9)).toBeUndefined();
    range.add([record(9)], 10, 200);
    expect(isDue(range, LIMITS, 1_199)).toBeUndefined();
    expect(isDue(range, LIMITS, 1_200)).toBe('age');
    for (let offset = 10; range.bytes < 2_000; offset++) range.add([record(offset)], offset + 1, 300);
    expect(isDue(range, LIMITS, 300)).toBe('bytes');
  });

  it('ends before the record that would be of one event hour too many', () => {
    const range = new OpenRange(0);
    const records = Array.from({ length: HOURS_MAX + 3 }, (_, i) => record(i * 2, i));
    range.add(records, 100, 0);
    expect(range.end).toBe(HOURS_MAX * 2);
    expect(range.records).toHaveLength(HOURS_MAX);
    expect(isDue(range, LIMITS, 0)).toBe('hours');
  });

  it('can be cut where somebody else has cut it', () => {
    const range = new OpenRange(0);
    range.add([record(0), record(3), record(4)], 6, 0);
    const shorter = range.upTo(4);
    expect(shorter.end).toBe(4);
    expect(shorter.records.map(({ record: { offset } }) => offset)).toEqual([0, 3]);
  });
});

describe('what is written for a range', () => {
  it('is one object of spans and one of traces for each event hour, named by place and offsets', async () => {
    const range = new OpenRange(3, { from: 1, to: 3 });
    range.add([record(4, 1), record(5, 0), record(6, 1), { ...record(7), value: Buffer.from('x') }], 9, 0);
    const { entry, encode } = buildRange(range, PLACE, PORTS);
    expect(entry).toMatchObject({
      first: 3,
      end: 9,
      gapBefore: { from: 1, to: 3 },
      firstRecord: { offset: 4, traceId: '5'.padStart(32, '0'), appendTime: EPOCH_MS },
      records: 4,
      refused: 1,
    });
    const hours = [0, 1].map((hour) => {
      const iso = new Date(EPOCH_MS + hour * HOUR_MS).toISOString();
      return `v1/dt=${iso.slice(0, 10)}/hour=${iso.slice(11, 13)}/c-1-1-p007-3-9.parquet`;
    });
    expect(entry.objects).toMatchObject([
      { key: `p/spans/${hours[0]}`, dataset: 'spans', rows: 2, digest: 'digest of 1' },
      { key: `p/traces/${hours[0]}`, dataset: 'traces', rows: 1, digest: 'digest of 1' },
      { key: `p/spans/${hours[1]}`, dataset: 'spans', rows: 4, digest: 'digest of 2' },
      { key: `p/traces/${hours[1]}`, dataset: 'traces', rows: 2, digest: 'digest of 2' },
    ]);
    const encoded = await Promise.all(entry.objects.map((object) => encode(object)));
    expect(encoded.map(String)).toEqual(['2 rows', '1 rows', '4 rows', '2 rows']);
  });

  it('says of how many partitions it is one where each id belongs to it, or where an entry says so already', () => {
    const names = (traces: readonly number[], place: Partial<RangePlace>) => {
      const range = new OpenRange(0);
      range.add(
        traces.map((trace, i) => record(i, 0, trace)),
        traces.length,
        0,
      );
      const { entry } = buildRange(range, { ...PLACE, ...place }, PORTS);
      return [entry.partitions, ...new Set(entry.objects.map(({ key }) => key.replace(/.*\/|\.parquet$/g, '')))];
    };
    const partitionOf = (trace: number) =>
      partitionOfTraceId(Buffer.from(String(trace).padStart(32, '0'), 'hex'), 0, 12);
    const [first = 0, ...rest] = Array.from({ length: 9 }, (_, i) => i + 1);
    const own = { partition: partitionOf(first), partitions: 12 };
    const p = String(own.partition).padStart(3, '0');
    const stranger = rest.find((trace) => partitionOf(trace) !== own.partition) as number;
    expect(names([first], own)).toEqual([12, `c-1-1-p${p}of012-0-1`]);
    expect(names([first, stranger], own)).toEqual([undefined, `c-1-1-p${p}-0-2`]);
    expect(names([first, stranger], { ...own, isDecided: true })).toEqual([12, `c-1-1-p${p}of012-0-2`]);
    expect(names([first], { ...own, partitions: undefined, isDecided: true })).toEqual([undefined, `c-1-1-p${p}-0-1`]);
  });

  it('leaves out empty revisions, but accounts for their offsets', () => {
    const range = new OpenRange(0);
    const empty = { ...assembledTrace(otlp([{ spans: [{ id: 1 }] }])), spanCount: 0, otlp: Buffer.alloc(0) };
    range.add([traceLogRecord(empty, 0)], 1, 0);
    expect(buildRange(range, PLACE, PORTS).entry).toMatchObject({ records: 1, refused: 0, objects: [] });
  });
});

describe('the budget of bytes', () => {
  it('names the largest holder when it is full', () => {
    const budget = new BytesBudget(100);
    const [a, b] = [{}, {}];
    budget.hold(a, 40);
    budget.hold(b, 50);
    expect(budget.isFull).toBe(false);
    budget.hold(a, 55);
    expect([budget.isFull, budget.isLargest(a), budget.isLargest(b)]).toEqual([true, true, false]);
    budget.hold(a, 0);
    expect([budget.isFull, budget.isLargest(a), budget.isLargest(b)]).toEqual([false, false, true]);
  });
});
