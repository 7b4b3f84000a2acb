import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { assembledTrace } from '../testkit/assembled-trace.ts';
import { EPOCH_MS, otlp, type ResourceLiteral } from '../testkit/otlp-builder.ts';
import { ArchiveSql } from './archive-sql.ts';
import { encodeParquet } from './encode-parquet.ts';
import { spanBatches, traceBatches } from './rows/row-groups.ts';

const QUERIES = path.join(import.meta.dirname, '../../examples/sql');
const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-queries-'));
let sql: ArchiveSql;

/** Ten calls of `web` a version: 20 ms, of which `shop` takes 15 and its twelve queries 12; 2.0 fails twice as often. */
function traces() {
  return Array.from({ length: 20 }, (_, n) => {
    const version = n < 10 ? '1.0' : '2.0';
    const error = n < 10 ? n < 2 : n < 14;
    const of = (namespace: string) => ({ 'service.version': version, 'k8s.namespace.name': namespace });
    const resources: ResourceLiteral[] = [
      {
        service: 'web',
        resource: of('storefront'),
        spans: [
          { id: 1, kind: 'server', duration: 20, error, attributes: { 'http.route': '/cart' } },
          { id: 2, parent: 1, kind: 'client', duration: 15 },
        ],
      },
      {
        service: 'shop',
        resource: of('orders'),
        spans: [
          { id: 3, parent: 2, kind: 'server', duration: 15, attributes: { 'http.route': '/items' } },
          ...Array.from({ length: 12 }, (_, i) => ({
            ...{ id: 10 + i, parent: 3, kind: 'client' as const, name: 'SELECT items', start: i },
            attributes: { 'db.system.name': 'postgresql' },
          })),
        ],
      },
    ];
    return assembledTrace(otlp(resources, { trace: n + 1, epochMs: EPOCH_MS + (n < 10 ? 0 : 3_600_000) }));
  });
}

beforeAll(async () => {
  const files = { spans: path.join(folder, 'spans.parquet'), traces: path.join(folder, 'traces.parquet') };
  writeFileSync(files.spans, await encodeParquet(spanBatches(traces())));
  writeFileSync(files.traces, await encodeParquet(traceBatches(traces(), 'x')));
  const damaged = (file: string, why: string) => {
    throw new Error(`${file}: ${why}`);
  };
  sql = await ArchiveSql.open({ spans: [files.spans], traces: [files.traces] }, folder, new Set(), damaged);
});

afterAll(() => {
  sql.close();
  rmSync(folder, { recursive: true, force: true });
});

const hour = (n: number) => new Date(EPOCH_MS + n * 3_600_000);
const ANSWERS: Record<string, unknown[][]> = {
  'slowest-endpoints.sql': [0, 1].flatMap((n) => [
    [hour(n), 'web', '/cart', 10n, 20, n === 0 ? 20 : 40],
    [hour(n), 'shop', '/items', 10n, 15, 0],
  ]),
  'error-rate-by-version.sql': [
    ['shop', '1.0', hour(0), 10n, 0, null],
    ['shop', '2.0', hour(1), 10n, 0, 0],
    ['web', '1.0', hour(0), 10n, 20, null],
    ['web', '2.0', hour(1), 10n, 40, 20],
  ],
  'n-plus-one-queries.sql': Array.from({ length: 20 }, () => [
    ...['shop', 'operation-3', 'postgresql', 'SELECT items', 12n, 12],
    expect.stringMatching(/^[0-9a-f]{32}$/),
  ]),
  'cost-per-team.sql': [
    ['orders', 260n, 20n, 0.3, 75],
    ['storefront', 40n, 20n, 0.1, 25],
  ],
};

it('has an answer to compare with for each example', () => {
  expect(readdirSync(QUERIES).sort()).toEqual(Object.keys(ANSWERS).sort());
});

it.each(Object.entries(ANSWERS))('%s answers what it says', async (name, rows) => {
  expect((await sql.query(readFileSync(path.join(QUERIES, name), 'utf8'))).rows).toEqual(rows);
});
