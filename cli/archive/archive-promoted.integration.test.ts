import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { ArchiveFormat } from '../../lib/archive/object-keys.ts';
import type { PromotedList } from '../../lib/archive/promoted-setting.ts';
import type { AssembledTrace } from '../../lib/codec/records.ts';
import type { Bucket } from '../../lib/s3/bucket.ts';
import { assembledTrace } from '../../lib/testkit/assembled-trace.ts';
import { EPOCH_MS, otlp } from '../../lib/testkit/otlp-builder.ts';
import { archiveRange, openTestBucket, traceIdOf } from '../../test/support/archived-bucket.ts';
import { runCommand } from '../../test/support/command.ts';
import { uniquePrefix } from '../../test/support/stack.ts';

jest.setTimeout(180_000);

const RANGE_TRACES = 8;
const RANGES: readonly { promoted: PromotedList; format: ArchiveFormat }[] = [
  { promoted: ['default'], format: 'parquet' },
  { promoted: ['default', 'cart.items:int', 'resource:team', 'tenant.id'], format: 'parquet' },
  // Another type of the same column, and none of the default.
  { promoted: ['cart.items', 'tenant.id'], format: 'parquet' },
  { promoted: ['default', 'tenant.id'], format: 'otlp' },
];
const HOURS = ['--since', '2023-11-14T21:00:00Z', '--until', '2023-11-15T04:00:00Z'];
const prefix = uniquePrefix('promoted');
const cache = mkdtempSync(path.join(tmpdir(), 'spanloom-promoted-'));
let bucket: Bucket;
let close: () => Promise<void>;

const run = (args: readonly string[], env: Record<string, string> = {}) =>
  runCommand(args, { SPANLOOM_PREFIX: prefix, XDG_CACHE_HOME: cache, ...env });

async function rowsOf(query: string, env: Record<string, string> = {}): Promise<unknown[]> {
  const { code, stdout, stderr } = await run(['sql', ...HOURS, '-o', 'json', query], env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: [] });
  return stdout.map((line) => JSON.parse(line));
}

function trace(n: number): AssembledTrace {
  const attributes = { 'tenant.id': `t${n % 2}`, 'cart.items': n, 'http.route': '/cart' };
  const spans = [{ id: 1, kind: 'server' as const, attributes }];
  return assembledTrace(
    otlp([{ service: 'web', resource: { team: 'shop' }, spans }], { trace: traceIdOf(n), epochMs: EPOCH_MS }),
  );
}

beforeAll(async () => {
  ({ bucket, close } = openTestBucket());
  for (const [range, { promoted, format }] of RANGES.entries()) {
    const first = range * RANGE_TRACES;
    const traces = Array.from({ length: RANGE_TRACES }, (_, i) => trace(first + i));
    await archiveRange(bucket, prefix, first, traces, 0, format, undefined, promoted);
  }
});

afterAll(async () => {
  await close();
  rmSync(cache, { recursive: true, force: true });
});

const BY_TENANT = 'SELECT tenant_id, count(*) AS n FROM spans GROUP BY ALL ORDER BY ALL NULLS FIRST';
/** What is archived as OTLP has the columns that the reader asks for. */
const WITH_TENANT = { ARCHIVE_PROMOTED_ATTRIBUTES: 'default,tenant.id' };

async function expectTenants(): Promise<void> {
  expect(await rowsOf(BY_TENANT, WITH_TENANT)).toEqual([
    { tenant_id: null, n: RANGE_TRACES },
    { tenant_id: 't0', n: (3 * RANGE_TRACES) / 2 },
    { tenant_id: 't1', n: (3 * RANGE_TRACES) / 2 },
  ]);
  // The JSON has it whatever had a column.
  const [inJson] = await rowsOf(
    `SELECT count(attributes->>'tenant.id')::INT AS tenants, sum((attributes->>'cart.items')::INT)::INT AS items,
            count(resource_attributes->>'team')::INT AS teams, sum(cart_items::INT)::INT AS of_columns,
            count(coalesce(http_route, attributes->>'http.route'))::INT AS routes FROM spans`,
  );
  const sum = (from: number, to: number) => ((to - from) * (from + to - 1)) / 2;
  expect(inJson).toEqual({
    tenants: 4 * RANGE_TRACES,
    items: sum(0, 4 * RANGE_TRACES),
    teams: 4 * RANGE_TRACES,
    of_columns: sum(RANGE_TRACES, 3 * RANGE_TRACES),
    routes: 4 * RANGE_TRACES,
  });
}

it('adds columns for promoted attributes, and reads objects with and without them together', async () => {
  await expectTenants();
  expect(await rowsOf(BY_TENANT)).toContainEqual({ tenant_id: null, n: 2 * RANGE_TRACES });
});

it.each(RANGES.map(({ promoted }, range) => [promoted.join(), range] as const))(
  'gives back the same spans where %s had columns',
  async (_, range) => {
    const n = range * RANGE_TRACES + 3;
    const { code, stdout } = await run(['traces', 'get', traceIdOf(n), ...HOURS, '-o', 'otlp']);
    expect(code).toBe(0);
    const [group] = JSON.parse(stdout.join('')).resourceSpans;
    const sorted = (list: { key: string }[]) => list.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    expect(sorted(group.scopeSpans[0].spans[0].attributes)).toEqual([
      { key: 'cart.items', value: { intValue: String(n) } },
      { key: 'http.route', value: { stringValue: '/cart' } },
      { key: 'tenant.id', value: { stringValue: `t${n % 2}` } },
    ]);
    expect(sorted(group.resource.attributes)).toEqual([
      { key: 'service.name', value: { stringValue: 'web' } },
      { key: 'team', value: { stringValue: 'shop' } },
    ]);
  },
);

it('verifies and merges objects with other columns, and keeps every value', async () => {
  expect(await run(['archive', 'verify'])).toMatchObject({ code: 0, stderr: [] });
  const merged = await run(['archive', 'compact', ...HOURS], WITH_TENANT);
  expect(merged).toMatchObject({ code: 0, stderr: [] });
  for (const folder of ['spans', 'spans_otlp', 'traces']) {
    for await (const { key } of bucket.list(`${prefix}/${folder}/v1/`)) await bucket.delete(key);
  }
  await expectTenants();
  expect(await run(['archive', 'verify'])).toMatchObject({ code: 0, stderr: [] });
});
