import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTraceReader } from '../../lib/archive/trace-reader.ts';
import { otlpFromJson } from '../../lib/codec/otlp-from-json.ts';
import type { AssembledTrace } from '../../lib/codec/records.ts';
import type { Bucket } from '../../lib/s3/bucket.ts';
import { assembledTrace } from '../../lib/testkit/assembled-trace.ts';
import { EPOCH_MS, otlp } from '../../lib/testkit/otlp-builder.ts';
import { archiveRange, countingBucket, openTestBucket, traceIdOf } from '../../test/support/archived-bucket.ts';
import { runCommand } from '../../test/support/command.ts';
import { uniquePrefix } from '../../test/support/stack.ts';

const TRACES = 120;
const RANGE_TRACES = 20;
const HOURS = ['--since', '2023-11-14T21:00:00Z', '--until', '2023-11-15T04:00:00Z'];
const prefix = uniquePrefix('archive-read');
const cache = mkdtempSync(path.join(tmpdir(), 'spanloom-cache-'));
let bucket: Bucket;
let close: () => Promise<void>;

const idOf = traceIdOf;
/** Every other range is archived as OTLP, as if the setting had changed each time. */
const formatOf = (first: number) => ((first / RANGE_TRACES) % 2 === 1 ? 'otlp' : 'parquet');
const run = (...args: string[]) => runCommand(args, { SPANLOOM_PREFIX: prefix, XDG_CACHE_HOME: cache });
const rowsOf = async (query: string) => {
  const { code, stdout, stderr } = await run('sql', ...HOURS, '-o', 'json', query);
  return { code, stderr, rows: stdout.map((line) => JSON.parse(line)) };
};

/** Trace n: two spans, the second failed in every tenth trace; a minute after the one before. */
function trace(n: number): AssembledTrace {
  const epochMs = EPOCH_MS + n * 60_000;
  const bytes = otlp(
    [
      {
        service: 'web',
        spans: [{ id: 1, kind: 'server', name: `GET /${n % 3}`, attributes: { 'http.route': '/x', big: 9 } }],
      },
      {
        service: 'db',
        spans: [{ id: 2, parent: 1, name: 'query', start: 1, ...(n % 10 === 0 ? { error: 'down' } : {}) }],
      },
    ],
    { trace: idOf(n), epochMs },
  );
  return assembledTrace(bytes, {
    startTime: epochMs * 1000,
    durationNano: BigInt(n) * 1_000_000n,
    rootService: 'web',
    rootOperation: `GET /${n % 3}`,
    errorCount: n % 10 === 0 ? 1 : 0,
    services: [
      { service: 'db', spanCount: 1, errorCount: n % 10 === 0 ? 1 : 0 },
      { service: 'web', spanCount: 1, errorCount: 0 },
    ],
  });
}

/** Spans that came after trace 5 had been written. */
function lateSpans(): AssembledTrace {
  const bytes = otlp([{ service: 'late', spans: [{ id: 3, parent: 1, start: 2 }] }], {
    trace: idOf(5),
    epochMs: EPOCH_MS + 5 * 60_000,
  });
  return assembledTrace(bytes, {
    revision: 2,
    complete: false,
    startTime: (EPOCH_MS + 5 * 60_000 + 2) * 1000,
    services: [{ service: 'late', spanCount: 1, errorCount: 0 }],
  });
}

beforeAll(async () => {
  ({ bucket, close } = openTestBucket());
  for (let first = 0; first < TRACES; first += RANGE_TRACES) {
    const traces = Array.from({ length: RANGE_TRACES }, (_, i) => trace(first + i));
    await archiveRange(bucket, prefix, first, traces, 0, formatOf(first));
  }
  await archiveRange(bucket, prefix, TRACES, [lateSpans()]);
});

afterAll(async () => {
  await close();
  rmSync(cache, { recursive: true, force: true });
});

describe('spanloom sql', () => {
  it('counts every span and trace once, a trace with late spans as one', async () => {
    const { code, rows } = await rowsOf(
      'SELECT (SELECT count(*) FROM spans) AS spans, (SELECT count(*) FROM traces) AS traces, (SELECT max(span_count) FROM traces) AS most',
    );
    expect({ code, rows }).toEqual({ code: 0, rows: [{ spans: TRACES * 2 + 1, traces: TRACES, most: 3 }] });
    expect(readdirSync(cache, { recursive: true }).filter((name) => String(name).endsWith('.parquet'))).not.toEqual([]);
  });

  it('answers with no rows when every hour is empty', async () => {
    const { code, stdout } = await run(
      'sql',
      '--since',
      '2001-01-01',
      '--until',
      '2001-01-02',
      '-o',
      'csv',
      'FROM traces SELECT trace_id',
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: ['trace_id'] });
  });

  it.each([
    ['SELEC 1', /DuckDB refuses the query: Parser Error/],
    ["SELECT * FROM read_csv('/etc/passwd')", /Permission Error/],
  ])('refuses %s in one sentence', async (query, sentence) => {
    const { code, stderr } = await rowsOf(query);
    expect(code).toBe(1);
    expect(stderr).toEqual([expect.stringMatching(sentence)]);
  });
});

describe('spanloom traces', () => {
  it('gets a trace with its late spans, as OTLP', async () => {
    const { code, stdout } = await run('traces', 'get', idOf(5), ...HOURS, '-o', 'otlp');
    expect(code).toBe(0);
    const { resourceSpans } = JSON.parse(stdout.join(''));
    const spans = resourceSpans.flatMap(
      (r: { scopeSpans: { spans: { spanId: string }[] }[] }) => r.scopeSpans[0]?.spans,
    );
    expect(spans.map((span: { spanId: string }) => Number.parseInt(span.spanId, 16)).sort()).toEqual([1, 2, 3]);
    expect(spans[0]).toMatchObject({
      traceId: idOf(5),
      kind: 2,
      startTimeUnixNano: `${EPOCH_MS + 300_000}000000`,
      attributes: [
        { key: 'http.route', value: { stringValue: '/x' } },
        { key: 'big', value: { intValue: '9' } },
      ],
    });
  });

  it('searches by service, operation, error and duration', async () => {
    const { code, stdout } = await run(
      ...['traces', 'search', ...HOURS, '-o', 'json', '--service', 'web', '--operation', 'GET /1', '--error'],
      ...['--min-duration', '20ms', '--limit', '2'],
    );
    expect(code).toBe(0);
    expect(stdout.map((line) => JSON.parse(line).trace_id)).toEqual([idOf(100), idOf(70)]);
  });

  it.each([
    ['rows', 6],
    ['OTLP', 26],
  ])('exports and gets the same trace, archived as %s', async (_name, n) => {
    const until = new Date(EPOCH_MS + (n + 1) * 60_000).toISOString();
    const search = ['--since', new Date(EPOCH_MS + n * 60_000).toISOString(), '--until', until];
    const exported = await run('traces', 'export', ...search);
    const got = await run('traces', 'get', idOf(n), ...HOURS, '-o', 'otlp');
    expect({ code: exported.code, lines: exported.stdout.length }).toEqual({ code: 0, lines: 1 });
    const spans = otlpFromJson(Buffer.from(exported.stdout.join('')));
    expect(otlpFromJson(Buffer.from(got.stdout.join('')))).toEqual(spans);
    if (formatOf(n - (n % RANGE_TRACES)) === 'otlp') expect(spans).toMatchObject({ ok: true, bytes: trace(n).otlp });
  });

  it("exports a file that Jaeger's page opens", async () => {
    const { code, stdout } = await run('traces', 'export', ...HOURS, '-o', 'jaeger', '--error', '--limit', '3');
    const { data } = JSON.parse(stdout.join('\n'));
    expect({ code, ids: data.map((one: { traceID: string }) => one.traceID).sort() }).toEqual({
      code: 0,
      ids: [90, 100, 110].map(idOf).sort(),
    });
    expect(data[0].spans).toHaveLength(2);
    expect(Object.values(data[0].processes).map((one) => (one as { serviceName: string }).serviceName)).toEqual([
      'web',
      'db',
    ]);
  });

  it('says so when there is no such trace, or the id is none', async () => {
    const absent = await run('traces', 'get', idOf(9999), ...HOURS);
    expect(absent.code).toBe(1);
    expect(absent.stderr.join()).toContain('is not in the archive from 2023-11-14T21:00:00.000Z');
    expect((await run('traces', 'get', 'xyz')).code).toBe(2);
  });

  it('reads little of the one object that has the trace', async () => {
    const counting = countingBucket(bucket);
    const reader = openTraceReader(counting, prefix, (problem) => expect(problem).toBeUndefined());
    const range = { sinceMs: EPOCH_MS, untilMs: EPOCH_MS + 4 * 3_600_000 };
    expect((await reader.get(idOf(60), range))?.spans).toHaveLength(2);
    expect([...counting.asked.keys()].filter((key) => /\/spans(_otlp)?\//.test(key))).toHaveLength(1);
    expect(counting.bytes()).toBeLessThanOrEqual(1_000_000);
  });
});

describe('an archive with foreign and damaged objects', () => {
  it('is verified, then each is named, skipped, and makes the exit code 2', async () => {
    const whole = await run('archive', 'verify');
    expect(whole).toMatchObject({ code: 0, stdout: [expect.stringContaining(`${TRACES * 2 + 1} spans`)] });
    const folder = `${prefix}/spans/v1/dt=2023-11-14/hour=23`;
    await bucket.put(`${folder}/notes.txt`, Buffer.from('hello'));
    await bucket.put(`${folder}/test-1-p009-0-5.parquet`, Buffer.from('PAR1 this is no Parquet PAR1'));
    const otlpFolder = folder.replace('/spans/', '/spans_otlp/');
    await bucket.put(`${otlpFolder}/test-1-p009-0-5.otlp.zst`, Buffer.from('nothing that was ever compressed'));
    const { code, rows, stderr } = await rowsOf('SELECT count(*) AS n FROM spans');
    expect({ code, rows }).toEqual({ code: 2, rows: [{ n: TRACES * 2 + 1 }] });
    const checked = await run('archive', 'verify');
    expect(checked.code).toBe(2);
    for (const lines of [stderr, checked.stderr]) {
      expect(lines.join('\n')).toMatch(/notes\.txt/);
      expect(lines.join('\n')).toMatch(/test-1-p009-0-5\.parquet/);
      expect(lines.join('\n')).toMatch(/test-1-p009-0-5\.otlp\.zst/);
    }
  });
});

describe('a bucket that does not answer as it should', () => {
  it.each([
    ['a missing bucket', { S3_BUCKET: 'no-such-bucket-here' }, /no such bucket/],
    ['wrong keys', { AWS_SECRET_ACCESS_KEY: 'wrong' }, /the object store refuses it/],
  ])('%s is one clear sentence', async (_name, env, sentence) => {
    const { code, stderr } = await runCommand(['traces', 'search', ...HOURS], {
      SPANLOOM_PREFIX: prefix,
      XDG_CACHE_HOME: cache,
      ...env,
    });
    expect(code).toBe(1);
    expect(stderr.join('\n')).toMatch(sentence);
    expect(stderr).toHaveLength(1);
  });
});

describe('a full disk', () => {
  const large = uniquePrefix('disk-full');
  const env = { SPANLOOM_PREFIX: large, XDG_CACHE_HOME: path.join(cache, 'full'), TMPDIR: tmpdir() };
  const FILE_KIB_MAX = 16;

  beforeAll(async () => {
    for (let range = 0; range < 3; range++) {
      const attributes = { noise: randomBytes(40_000).toString('base64') };
      const bytes = otlp([{ service: 's', spans: [{ id: 1, attributes }] }], { trace: idOf(range), epochMs: EPOCH_MS });
      await archiveRange(bucket, large, range, [assembledTrace(bytes)], 0, range === 1 ? 'otlp' : 'parquet');
    }
  });

  it.each([
    [
      'sql',
      ['sql', ...HOURS, 'SELECT count(*) FROM spans'],
      /is full; free some of it, or name another with --cache-folder/,
    ],
    ['compact', ['archive', 'compact', ...HOURS], /is full; free some, or set TMPDIR/],
    ['verify', ['archive', 'verify'], /is full; free some, or set TMPDIR/],
  ])('ends %s with one sentence, and leaves the bucket as it was', async (_, args, sentence) => {
    const keys = async () => {
      const found: string[] = [];
      for await (const { key } of bucket.list(`${large}/`)) found.push(key);
      return found;
    };
    const before = await keys();
    const { code, stderr } = await runCommand(args, env, FILE_KIB_MAX);
    expect({ code, stderr }).toEqual({ code: 1, stderr: [expect.stringMatching(sentence)] });
    expect(stderr[0]).toContain('(ARCHIVE_DISK_FULL)');
    expect(await keys()).toEqual(before);
    expect(await runCommand(args, env)).toMatchObject({ code: 0, stderr: [] });
  });

  it('leaves no half copies in the cache', () => {
    const left = readdirSync(path.join(cache, 'full'), { recursive: true }).map(String);
    expect(left.filter((name) => name.endsWith('.part'))).toEqual([]);
    expect(left.some((name) => name.endsWith('.parquet'))).toBe(true);
  });
});
