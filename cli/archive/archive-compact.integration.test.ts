import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ArchiveReader } from '../../lib/archive/archive-reader.ts';
import { compactArchive } from '../../lib/archive/compact-archive.ts';
import { type Compaction, decodeCompaction } from '../../lib/archive/compaction.ts';
import { type ObjectProblem, readManifest } from '../../lib/archive/list-objects.ts';
import { verifyArchive } from '../../lib/archive/verify.ts';
import type { AssembledTrace } from '../../lib/codec/records.ts';
import type { Bucket } from '../../lib/s3/bucket.ts';
import { assembledTrace } from '../../lib/testkit/assembled-trace.ts';
import { EPOCH_MS, otlp } from '../../lib/testkit/otlp-builder.ts';
import { archiveRange, openTestBucket, traceIdOf } from '../../test/support/archived-bucket.ts';
import { runCommand } from '../../test/support/command.ts';
import { uniquePrefix } from '../../test/support/stack.ts';

// Several processes one after another, for machines that are busy with other work.
jest.setTimeout(180_000);

const HOUR_MS = 3_600_000;
/** Traces of a range: a third of them in the hour after that of the others. */
const RANGE_TRACES = 12;
const RANGES = 4;
const RANGE = { sinceMs: EPOCH_MS - HOUR_MS, untilMs: EPOCH_MS + 4 * HOUR_MS };
const COMPACT = ['archive', 'compact', '--since', '2023-11-14T00:00:00Z', '--until', '2023-11-15T04:00:00Z'];
const cache = mkdtempSync(path.join(tmpdir(), 'spanloom-compact-test-'));
let bucket: Bucket;
let close: () => Promise<void>;

beforeAll(() => {
  ({ bucket, close } = openTestBucket());
});

afterAll(async () => {
  await close();
  rmSync(cache, { recursive: true, force: true });
});

function trace(n: number, revision = 1): AssembledTrace {
  const epochMs = EPOCH_MS + (n % 3 === 0 ? HOUR_MS : 0) + n;
  const spans = [
    { id: 1 + 10 * revision, kind: 'server' as const, name: `GET /${n % 5}`, attributes: { 'http.route': '/x', n } },
    { id: 2 + 10 * revision, parent: 1, start: 1, events: [{ name: 'now', at: 1 }] },
  ];
  return assembledTrace(otlp([{ service: 'web', spans }], { trace: traceIdOf(n), epochMs }), {
    revision,
    startTime: epochMs * 1000,
    services: [{ service: 'web', spanCount: 2, errorCount: 0 }],
  });
}

/** A bucket folder with RANGES ranges of the chain. */
async function archived(): Promise<string> {
  const prefix = uniquePrefix('compact');
  for (let range = 0; range < RANGES; range++) await addRange(prefix, range);
  return prefix;
}

const addRange = (prefix: string, range: number, revision = 1, traces = range) =>
  archiveRange(
    bucket,
    prefix,
    range * RANGE_TRACES,
    Array.from({ length: RANGE_TRACES }, (_, i) => trace(traces * RANGE_TRACES + i, revision)),
    0,
    // One of them as OTLP: rows are rows.
    range === 1 ? 'otlp' : 'parquet',
  );

const run = (prefix: string, args: readonly string[], env: Record<string, string> = {}) =>
  runCommand(args, { SPANLOOM_PREFIX: prefix, XDG_CACHE_HOME: cache, ...env });

/** What a reader sees, and which objects it looked into. */
async function read(prefix: string) {
  const problems: ObjectProblem[] = [];
  const reader = new ArchiveReader({
    bucket,
    prefix,
    cacheFolder: path.join(cache, prefix),
    cacheBytesMax: 1e9,
    onProblem: (problem) => problems.push(problem),
  });
  const sql = await reader.sql(RANGE);
  const { rows } = await sql.query(
    `SELECT count(*)::INT, count(DISTINCT (trace_id, span_id))::INT, (SELECT count(*)::INT FROM traces),
            (SELECT sum(span_count)::INT FROM traces) FROM spans`,
  );
  sql.close();
  const [spans, distinct, traces, counted] = rows[0] as number[];
  return { spans, distinct, traces, counted, problems, reader };
}

async function keys(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of bucket.list(folder)) found.push(key);
  return found;
}

const exactly = (ranges: number) => ({
  spans: ranges * RANGE_TRACES * 2,
  distinct: ranges * RANGE_TRACES * 2,
  traces: ranges * RANGE_TRACES,
  counted: ranges * RANGE_TRACES * 2,
  problems: [],
});

describe('spanloom archive compact', () => {
  it('says what it would do, does it, and then has nothing to do', async () => {
    const prefix = await archived();
    const before = await keys(prefix);
    const plan = await run(prefix, [...COMPACT, '--dry-run']);
    expect(plan.code).toBe(0);
    expect(plan.stdout).toEqual([
      expect.stringMatching(/^2023-11-14T22:00 {2}8 objects \(.*\) → 2 objects$/),
      expect.stringMatching(/^2023-11-14T23:00 {2}8 objects \(.*\) → 2 objects$/),
      'Would merge 16 objects of 2 hours into 4 objects.',
    ]);
    expect(await keys(prefix)).toEqual(before);
    const done = await run(prefix, COMPACT);
    expect(done).toMatchObject({ code: 0, stderr: [] });
    expect(done.stdout.at(-1)).toBe('Merged 16 objects of 2 hours into 4 objects.');
    expect(await run(prefix, COMPACT)).toMatchObject({ code: 0, stdout: ['Nothing to compact.'] });
    expect(await read(prefix)).toMatchObject(exactly(RANGES));
    expect(await verify(prefix)).toEqual([]);
  });

  it('leaves hours alone that ended too short a time ago', async () => {
    const prefix = await archived();
    const years = `${Math.ceil((Date.now() - EPOCH_MS) / HOUR_MS)}h`;
    expect(await run(prefix, [...COMPACT, '--older-than', years])).toMatchObject({
      code: 0,
      stdout: ['Nothing to compact.'],
    });
  });

  it.each(['before-manifest', 'after-manifest', 'after-object', 'after-object:3'])(
    'killed at %s leaves every row to readers once, and is finished by the next',
    async (point) => {
      const prefix = await archived();
      const { code, stdout } = await run(prefix, COMPACT, { CRASH_AT: point });
      expect({ killed: code !== 0, summary: stdout.filter((line) => line.startsWith('Merged')) }).toEqual({
        killed: true,
        summary: [],
      });
      expect(await read(prefix)).toMatchObject(exactly(RANGES));
      await compact(prefix);
      expect(await read(prefix)).toMatchObject(exactly(RANGES));
      expect(await verify(prefix)).toEqual([]);
      expect((await keys(`${prefix}/spans_compacted/`)).filter((key) => key.endsWith('.parquet'))).toHaveLength(2);
    },
  );

  it('is safe when several run at once', async () => {
    const prefix = await archived();
    await Promise.all([compact(prefix), compact(prefix), compact(prefix)]);
    expect(await read(prefix)).toMatchObject(exactly(RANGES));
    expect(await verify(prefix)).toEqual([]);
    expect((await keys(`${prefix}/spans_compacted/`)).filter((key) => key.endsWith('.parquet'))).toHaveLength(2);
  });

  it('takes what came late with the next run, and lets the merged objects expire', async () => {
    const prefix = await archived();
    await compact(prefix);
    // New traces, and late spans of the first.
    await addRange(prefix, RANGES);
    await addRange(prefix, RANGES + 1, 2, 0);
    const late = { ...exactly(RANGES + 2), traces: (RANGES + 1) * RANGE_TRACES };
    expect(await read(prefix)).toMatchObject(late);
    await compact(prefix);
    expect(await read(prefix)).toMatchObject(late);
    const globbed = await keys(`${prefix}/spans_compacted/`);
    expect(globbed.filter((key) => key.endsWith('.parquet'))).toHaveLength(4);
    for (const dataset of ['spans', 'spans_otlp', 'traces']) {
      for (const key of await keys(`${prefix}/${dataset}/v1/`)) await bucket.delete(key);
    }
    const { reader, ...seen } = await read(prefix);
    expect(seen).toMatchObject(late);
    const found = await reader.getTrace(traceIdOf(3), RANGE);
    expect(found?.revisions.map((row) => row['revision'])).toEqual([1, 2]);
    expect(found?.spans.map((row) => Number.parseInt(String(row['span_id']), 16)).sort()).toEqual([11, 12, 21, 22]);
    expect(await verify(prefix)).toEqual([]);
  });

  it('cuts a large hour into several objects, each sorted, with no row lost', async () => {
    const prefix = await archived();
    await compact(prefix, { bytesTarget: 1, bytesMin: 1 });
    expect(await read(prefix)).toMatchObject(exactly(RANGES));
    expect((await keys(`${prefix}/traces_compacted/`)).length).toBe(2 * RANGES);
  });

  it('names a damaged source, leaves it where it is, and merges the others', async () => {
    const prefix = await archived();
    const [broken = ''] = await keys(`${prefix}/spans/v1/`);
    await bucket.put(broken, Buffer.from('PAR1 this is no Parquet PAR1'));
    const { code, stderr } = await run(prefix, COMPACT);
    expect(code).toBe(2);
    expect(stderr.join('\n')).toContain(broken);
    const manifest = await readManifest(bucket, (await keys(`${prefix}/spans_compacted/`)).at(-1) as string, fail);
    expect(sourcesOf(manifest as Compaction)).not.toContain(broken);
    const { problems } = await read(prefix);
    expect(problems.map(({ key }) => key)).toEqual([broken]);
  });
});

describe('spanloom archive verify', () => {
  it('names objects that hold other rows, or as many of another, and compacted ones that are damaged', async () => {
    const prefix = await archived();
    const [first = '', second = ''] = await keys(`${prefix}/spans/v1/`);
    const [traces = ''] = await keys(`${prefix}/traces/v1/`);
    await bucket.put(first, (await bucket.get(second)) as Uint8Array);
    await bucket.delete(traces);
    const seen = await run(prefix, ['archive', 'verify']);
    expect(seen.code).toBe(2);
    expect(seen.stderr).toEqual([
      `spanloom: skipped ${first}: it holds other rows than the chain says, though as many`,
      `spanloom: skipped ${traces}: it should be there, but is not`,
    ]);
  });

  it('holds a compacted object to what the chain says of its sources', async () => {
    const prefix = await archived();
    await compact(prefix);
    const [one = '', other = ''] = (await keys(`${prefix}/traces_compacted/`)).filter((key) =>
      key.endsWith('.parquet'),
    );
    await bucket.put(one, (await bucket.get(other)) as Uint8Array);
    const [damaged = ''] = (await keys(`${prefix}/spans_compacted/`)).filter((key) => key.endsWith('.parquet'));
    const whole = Buffer.from((await bucket.get(damaged)) as Uint8Array);
    whole.fill(0x5a, 60, 260);
    await bucket.put(damaged, whole);
    expect(await verify(prefix)).toEqual([
      expect.stringContaining(`${damaged}: it cannot be read`),
      expect.stringMatching(new RegExp(`${one}: it holds .* rows`)),
    ]);
  });
});

async function compact(prefix: string, limits?: { bytesTarget: number; bytesMin: number }): Promise<void> {
  await compactArchive({
    bucket,
    prefix,
    writer: 'test',
    range: RANGE,
    dryRun: false,
    ...(limits === undefined ? {} : { limits }),
    onProblem: fail,
    onHour: () => {},
    crashPoint: () => {},
  });
}

async function verify(prefix: string): Promise<string[]> {
  const problems: string[] = [];
  await verifyArchive(bucket, prefix, ({ key, why }) => problems.push(`${key}: ${why}`));
  return problems;
}

function sourcesOf(compaction: Compaction): string[] {
  expect(decodeCompaction(Buffer.from(JSON.stringify(compaction)), 'again')).toEqual(compaction);
  return compaction.objects.flatMap(({ sources }) => sources.map(({ key }) => key));
}

function fail(problem: ObjectProblem): never {
  throw new Error(`${problem.key}: ${problem.why}`);
}
