import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chainFolder, chainKey, encodeChainEntry } from '../../lib/archive/chain.ts';
import { openTraceReader } from '../../lib/archive/trace-reader.ts';
import type { AssembledTrace } from '../../lib/codec/records.ts';
import { s3Settings } from '../../lib/config/s3.ts';
import { defineSettings, readSettings } from '../../lib/config/settings.ts';
import { type Bucket, openBucket } from '../../lib/s3/bucket.ts';
import { assembledTrace, traceLogRecord } from '../../lib/testkit/assembled-trace.ts';
import { EPOCH_MS, otlp } from '../../lib/testkit/otlp-builder.ts';
import { stackEnvironment } from '../../lib/testkit/stack/stack.ts';
import { encodeParquet } from '../../services/archiver/adapters/parquet.ts';
import { buildRange } from '../../services/archiver/core/build-range.ts';
import { OpenRange } from '../../services/archiver/core/range.ts';
import { runCommand } from '../../test/support/command.ts';
import { testStack, uniquePrefix } from '../../test/support/stack.ts';

const TRACES = 120;
const RANGE_TRACES = 20;
const HOURS = ['--since', '2023-11-14T21:00:00Z', '--until', '2023-11-15T04:00:00Z'];
const prefix = uniquePrefix('archive-read');
const cache = mkdtempSync(path.join(tmpdir(), 'spanloom-cache-'));
const closes: (() => unknown)[] = [];
let bucket: Bucket;

const idOf = (n: number) => createHash('md5').update(String(n)).digest('hex');
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

async function archive(first: number, traces: readonly AssembledTrace[]): Promise<void> {
  const range = new OpenRange(first);
  range.add(
    traces.map((each, i) => traceLogRecord(each, first + i)),
    first + traces.length,
    0,
  );
  const place = { prefix, clusterId: 'test', generation: 1, topic: 'traces', partition: 0, writer: 'test' };
  const digest = (values: readonly Buffer[]) => {
    const hash = createHash('sha256');
    for (const value of values) hash.update(value);
    return hash.digest('hex');
  };
  const { entry, encode } = buildRange(range, place, { digest, encodeParquet } as Parameters<typeof buildRange>[2]);
  await bucket.put(chainKey(chainFolder(prefix, 'test', 1, 0), first), encodeChainEntry(entry));
  for (const object of entry.objects) await bucket.put(object.key, await encode(object));
}

beforeAll(async () => {
  const settings = readSettings(defineSettings(s3Settings), stackEnvironment(testStack()));
  bucket = openBucket(settings, { onClose: (close) => closes.push(close) });
  for (let first = 0; first < TRACES; first += RANGE_TRACES) {
    await archive(
      first,
      Array.from({ length: RANGE_TRACES }, (_, i) => trace(first + i)),
    );
  }
  await archive(TRACES, [lateSpans()]);
});

afterAll(async () => {
  for (const close of closes) await close();
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

  it('says so when there is no such trace, or the id is none', async () => {
    const absent = await run('traces', 'get', idOf(9999), ...HOURS);
    expect(absent.code).toBe(1);
    expect(absent.stderr.join()).toContain('is not in the archive from 2023-11-14T21:00:00.000Z');
    expect((await run('traces', 'get', 'xyz')).code).toBe(2);
  });

  it('asks each object of the index twice at most, and reads little', async () => {
    const asked = new Map<string, number>();
    let bytes = 0;
    const counting = Object.assign(Object.create(bucket) as Bucket, {
      getRange: async (key: string, start: number, end: number) => {
        asked.set(key, (asked.get(key) ?? 0) + 1);
        bytes += end - start;
        return bucket.getRange(key, start, end);
      },
    });
    const reader = openTraceReader(counting, prefix, (problem) => expect(problem).toBeUndefined());
    const range = { sinceMs: EPOCH_MS, untilMs: EPOCH_MS + 4 * 3_600_000 };
    expect(await reader.get(idOf(9999), range)).toBeUndefined();
    expect(asked.size).toBeGreaterThan(5);
    expect(Math.max(...asked.values())).toBeLessThanOrEqual(2);
    expect(bytes / asked.size).toBeLessThanOrEqual(65_536);
    asked.clear();
    bytes = 0;
    expect((await reader.get(idOf(60), range))?.spans).toHaveLength(2);
    expect([...asked.keys()].filter((key) => key.includes('/spans/'))).toHaveLength(1);
    expect(bytes).toBeLessThanOrEqual(1_000_000);
  });
});

describe('an archive with foreign and damaged objects', () => {
  it('is verified, then each is named, skipped, and makes the exit code 2', async () => {
    const whole = await run('archive', 'verify');
    expect(whole).toMatchObject({ code: 0, stdout: [expect.stringContaining(`${TRACES * 2 + 1} spans`)] });
    const folder = `${prefix}/spans/v1/dt=2023-11-14/hour=23`;
    await bucket.put(`${folder}/notes.txt`, Buffer.from('hello'));
    await bucket.put(`${folder}/test-1-p009-0-5.parquet`, Buffer.from('PAR1 this is no Parquet PAR1'));
    const { code, rows, stderr } = await rowsOf('SELECT count(*) AS n FROM spans');
    expect({ code, rows }).toEqual({ code: 2, rows: [{ n: TRACES * 2 + 1 }] });
    const checked = await run('archive', 'verify');
    expect(checked.code).toBe(2);
    for (const lines of [stderr, checked.stderr]) {
      expect(lines.join('\n')).toMatch(/notes\.txt/);
      expect(lines.join('\n')).toMatch(/test-1-p009-0-5\.parquet/);
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
