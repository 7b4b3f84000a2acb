import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeParquet } from '../../../lib/archive/encode-parquet.ts';
import { encodeOtlpObject } from '../../../lib/archive/otlp-object.ts';
import { WholeReader } from '../../../lib/archive/read-whole.ts';
import { RowDigest } from '../../../lib/archive/row-digest.ts';
import type { AssembledTrace } from '../../../lib/codec/records.ts';
import { assembledTrace, traceLogRecord } from '../../../lib/testkit/assembled-trace.ts';
import { EPOCH_MS, otlp } from '../../../lib/testkit/otlp-builder.ts';
import { buildRange } from './build-range.ts';
import { OpenRange } from './range.ts';

const idOf = (n: number) => `${n.toString(16).padStart(2, '0')}`.repeat(16);
const trace = (n: number, overrides: Partial<AssembledTrace> = {}) =>
  assembledTrace(
    otlp(
      [
        { service: 'web', spans: [{ id: n + 1, kind: 'server', start: n }] },
        { service: 'db', spans: [{ id: 0xfedc0000 + n, parent: n + 1, error: 'down' }] },
      ],
      { trace: idOf(n), epochMs: EPOCH_MS },
    ),
    overrides,
  );

async function archived(...traces: readonly AssembledTrace[]) {
  const range = new OpenRange(0);
  range.add(
    traces.map((each, i) => traceLogRecord(each, i)),
    traces.length,
    0,
  );
  const place = {
    prefix: 'x',
    clusterId: 'c',
    generation: 1,
    topic: 't',
    partition: 0,
    writer: 'test',
    format: 'parquet',
    partitions: undefined,
    promoted: ['default'],
    isDecided: false,
  } as const;
  const { entry, encode } = buildRange(range, place, { digest: () => '', encodeParquet, encodeOtlp: encodeOtlpObject });
  return Promise.all(
    entry.objects.map(async (object) => {
      const file = path.join(folder, `${written++}.parquet`);
      writeFileSync(file, await encode(object));
      return { dataset: object.dataset, rowDigest: object.rowDigest, file };
    }),
  );
}

const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-digest-'));
let written = 0;
let reader: WholeReader;

beforeAll(async () => {
  reader = await WholeReader.open();
});

afterAll(() => {
  reader.close();
  rmSync(folder, { recursive: true });
});

describe('the digest of rows', () => {
  it('is the same told from traces and from the Parquet made of them', async () => {
    const objects = await archived(trace(1), trace(200), trace(3, { durationNano: 2n ** 40n, revision: 2 }));
    expect(objects.map(({ dataset }) => dataset)).toEqual(['spans', 'traces']);
    for (const { dataset, rowDigest, file } of objects) {
      expect(await reader.digest(file, dataset)).toEqual({ rows: dataset === 'spans' ? 6 : 3, rowDigest });
    }
  });

  it('adds up over objects, in whatever order', async () => {
    const [[one], [two], [both]] = await Promise.all([
      archived(trace(1)),
      archived(trace(2), trace(3)),
      archived(trace(3), trace(1), trace(2)),
    ]);
    const sum = new RowDigest();
    for (const object of [two, one]) sum.addDigest(object?.rowDigest as string);
    expect(sum.hex()).toBe(both?.rowDigest);
  });

  it.each([
    ['a row more', [trace(1), trace(2)]],
    ['a row twice', [trace(1), trace(1)]],
    ['another id', [trace(9)]],
  ])('is another one for %s', async (_what, traces) => {
    const [one] = await archived(trace(1));
    const [other] = await archived(...traces);
    expect(other?.rowDigest).not.toBe(one?.rowDigest);
  });

  it('is another one when a single bit of a time, a kind or a status is', () => {
    const digestOf = (words: readonly number[]) => {
      const digest = new RowDigest();
      digest.add(Int32Array.from(words));
      return digest.hex();
    };
    const words = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
    const seen = new Set([digestOf(words)]);
    for (let at = 0; at < words.length; at++) {
      for (let bit = 0; bit < 32; bit++)
        seen.add(digestOf(words.map((word, i) => (i === at ? word ^ (1 << bit) : word))));
    }
    expect(seen.size).toBe(1 + 32 * words.length);
  });
});
