import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compactArchive } from '../../lib/archive/compact-archive.ts';
import { idIndexFolder } from '../../lib/archive/id-index-keys.ts';
import type { ObjectProblem } from '../../lib/archive/list-objects.ts';
import { openTraceReader } from '../../lib/archive/trace-reader.ts';
import { partitionOfTraceId } from '../../lib/kafka/murmur2.ts';
import type { Bucket } from '../../lib/s3/bucket.ts';
import { assembledTrace } from '../../lib/testkit/assembled-trace.ts';
import { EPOCH_MS, otlp } from '../../lib/testkit/otlp-builder.ts';
import { archiveRange, countingBucket, openTestBucket, traceIdOf } from '../../test/support/archived-bucket.ts';
import { uniquePrefix } from '../../test/support/stack.ts';

const PARTITIONS = 4;
const OBJECTS = 100;
const TRACES = 10;
const HOUR_MS = 3_600_000;
const DAY = { sinceMs: EPOCH_MS - HOUR_MS, untilMs: EPOCH_MS + 25 * HOUR_MS };
const prefix = uniquePrefix('lookup');
/** Of each object, the ids in it. */
const ids: string[][] = [];
let bucket: Bucket;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ bucket, close } = openTestBucket());
  const next = nextIds();
  // Partitions side by side, each with its chain.
  await Promise.all(
    Array.from({ length: PARTITIONS }, async (_, partition) => {
      for (let object = partition; object < OBJECTS; object += PARTITIONS) {
        ids[object] = Array.from({ length: TRACES }, () => next(partition));
        await archive(prefix, object, partition, ids[object] as string[]);
      }
    }),
  );
}, 120_000);

afterAll(() => close());

/** Ids of the partition that was asked for, each once. */
function nextIds(): (partition: number) => string {
  const ready: string[][] = Array.from({ length: PARTITIONS }, () => []);
  let n = 0;
  return (partition) => {
    while (ready[partition]?.length === 0) {
      const id = traceIdOf(n++);
      ready[partitionOfTraceId(Buffer.from(id, 'hex'), 0, PARTITIONS)]?.push(id);
    }
    return ready[partition]?.shift() as string;
  };
}

/** One range, in the hour of the day that the object's number says. */
async function archive(into: string, object: number, partition: number, traces: readonly string[]): Promise<void> {
  const epochMs = EPOCH_MS + Math.floor((object * 24) / OBJECTS) * HOUR_MS;
  await archiveRange(
    bucket,
    into,
    object * TRACES,
    traces.map((trace) =>
      assembledTrace(otlp([{ service: 's', spans: [{ id: 1 }, { id: 2, parent: 1 }] }], { trace, epochMs }), {
        startTime: epochMs * 1000,
      }),
    ),
    partition,
    'parquet',
    PARTITIONS,
  );
}

async function lookUp(traceId: string, from: string = prefix) {
  const counting = countingBucket(bucket);
  const problems: ObjectProblem[] = [];
  const found = await openTraceReader(counting, from, (problem) => problems.push(problem)).get(traceId, DAY);
  const ofIndex = [...counting.asked].filter(([key]) => !key.includes('/spans'));
  return { spans: found?.spans.length ?? 0, asked: counting.asked, ofIndex, bytes: counting.bytes(), problems };
}

async function keys(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of bucket.list(folder)) found.push(key);
  return found;
}

describe('a trace by its id in a day of 100 objects', () => {
  it('asks at most four for one that is not there, each twice at most and for little', async () => {
    for (let n = 0; n < 10; n++) {
      const { spans, asked, bytes, problems } = await lookUp(traceIdOf(-1 - n));
      expect({ spans, problems }).toEqual({ spans: 0, problems: [] });
      expect(asked.size).toBeLessThanOrEqual(4);
      expect(Math.max(...asked.values())).toBeLessThanOrEqual(2);
      expect(bytes / asked.size).toBeLessThanOrEqual(65_536);
    }
  });

  it('finds those that are, by the same indexes and one object more', async () => {
    for (let object = 0; object < OBJECTS; object += 9) {
      const { spans, ofIndex, bytes, problems } = await lookUp(ids[object]?.[object % TRACES] as string);
      expect({ spans, problems }).toEqual({ spans: 2, problems: [] });
      expect(ofIndex.length).toBeLessThanOrEqual(4);
      expect(bytes).toBeLessThanOrEqual(1_000_000);
    }
  });

  it('asks one index of each day, and no other object, once all is compacted', async () => {
    await compactArchive({
      ...{ bucket, prefix, writer: 'test', range: DAY, dryRun: false, crashPoint: () => {}, onHour: () => {} },
      onProblem: ({ key, why }) => {
        throw new Error(`${key}: ${why}`);
      },
    });
    const absent = await lookUp(traceIdOf(-1));
    expect(absent.spans).toBe(0);
    expect(absent.asked.size).toBeLessThanOrEqual(4);
    expect([...absent.asked.keys()].every((key) => key.endsWith('.ids'))).toBe(true);
    for (let object = 0; object < OBJECTS; object += 13) {
      expect((await lookUp(ids[object]?.[1] as string)).spans).toBe(2);
    }
  }, 240_000);
});

describe('indexes of trace ids', () => {
  const RANGES = 6;

  async function filled(name: string): Promise<{ own: string; id: string }> {
    const own = uniquePrefix(name);
    const next = nextIds();
    let id = '';
    for (let range = 0; range < RANGES; range++) {
      const traces = Array.from({ length: TRACES }, () => next(1));
      if (range === 3) id = traces[0] as string;
      await archive(own, range, 1, traces);
    }
    return { own, id };
  }

  it('may be gone: then objects are asked themselves', async () => {
    const { own, id } = await filled('no-index');
    expect((await lookUp(id, own)).ofIndex).toHaveLength(2);
    for (const key of await keys(idIndexFolder(own))) await bucket.delete(key);
    expect(await lookUp(id, own)).toMatchObject({ spans: 2, problems: [] });
  });

  it('may be damaged: that is told, and nothing is missed', async () => {
    const { own, id } = await filled('bad-index');
    for (const key of await keys(idIndexFolder(own))) {
      const bytes = Buffer.from((await bucket.get(key)) as Uint8Array);
      bytes.fill(0x5a, bytes.length >> 1);
      await bucket.put(key, bytes);
    }
    const { spans, problems } = await lookUp(id, own);
    expect(spans).toBe(2);
    expect(problems.map(({ key }) => key)).toEqual(await keys(idIndexFolder(own)));
  });

  it('may be of an earlier moment: what they do not know is asked', async () => {
    const { own, id } = await filled('old-index');
    const [index = ''] = await keys(idIndexFolder(own));
    const before = (await bucket.get(index)) as Uint8Array;
    const next = nextIds();
    const late = Array.from({ length: 2_000 }, () => next(1)).slice(-TRACES);
    await archive(own, RANGES, 1, late);
    await bucket.put(index, before);
    expect(await lookUp(late[0] as string, own)).toMatchObject({ spans: 2, problems: [] });
    expect(await lookUp(id, own)).toMatchObject({ spans: 2, problems: [] });
  });
});
