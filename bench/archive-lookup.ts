/**
 * What it takes to find one trace by its id in a day of many objects, on a real S3 server: requests, bytes, milliseconds.
 *
 *     node scripts/run.js script bench/archive-lookup.ts [--objects 100] [--traces 2000] [--partitions 4] [--format otlp]
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { ArchiveFormat } from '../lib/archive/object-keys.ts';
import { openTraceReader } from '../lib/archive/trace-reader.ts';
import { s3Settings } from '../lib/config/common.ts';
import { defineSettings, readSettings } from '../lib/config/settings.ts';
import { partitionOfTraceId } from '../lib/kafka/murmur2.ts';
import { type Bucket, openBucket } from '../lib/s3/bucket.ts';
import { assembledTrace } from '../lib/testkit/assembled-trace.ts';
import { EPOCH_MS, otlp } from '../lib/testkit/otlp-builder.ts';
import { ensureBucket } from '../lib/testkit/stack/s3-bucket.ts';
import { stackEnvironment, startStack } from '../lib/testkit/stack/stack.ts';
import { archiveRange } from '../test/support/archived-bucket.ts';

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '100' },
    traces: { type: 'string', default: '2000' },
    partitions: { type: 'string', default: '4' },
    format: { type: 'string', default: 'parquet' },
  },
});
const objects = Number(values.objects);
const traces = Number(values.traces);
const partitions = Number(values.partitions);
const DAY = { sinceMs: EPOCH_MS, untilMs: EPOCH_MS + 86_400_000 };
const LOOKUPS = 20;

const stack = await startStack({ services: ['s3'], onProgress: (line) => void process.stderr.write(`${line}\n`) });
const closes: (() => unknown)[] = [];
try {
  await ensureBucket(stack.addresses.s3, { timeoutMs: 10_000 });
  const settings = readSettings(defineSettings(s3Settings), stackEnvironment(stack.addresses));
  const bucket = openBucket(settings, { onClose: (close) => closes.push(close) });
  const present = await fill(bucket);
  await measure('present', bucket, present);
  await measure(
    'absent',
    bucket,
    Array.from({ length: LOOKUPS }, (_, n) => idOf(-1 - n)),
  );
} finally {
  for (const close of closes) await close();
  await stack.stop();
}

/** @returns ids to look for, of all hours. */
async function fill(bucket: Bucket): Promise<string[]> {
  const chosen: string[] = [];
  let next = 0;
  for (let object = 0; object < objects; object++) {
    const epochMs = EPOCH_MS + Math.floor((object * 24) / objects) * 3_600_000;
    const partition = object % partitions;
    const batch = [];
    while (batch.length < traces) {
      const id = idOf(next++);
      if (partitionOfTraceId(Buffer.from(id, 'hex'), 0, partitions) !== partition) continue;
      batch.push(traceOf(id, epochMs + batch.length));
    }
    if (object % Math.ceil(objects / LOOKUPS) === 0) chosen.push(batch[traces >> 1]?.traceId as string);
    const format = values.format as ArchiveFormat;
    await archiveRange(bucket, 'bench', object * traces, batch, partition, format, partitions);
  }
  return chosen;
}

function traceOf(trace: string, epochMs: number) {
  const attributes = { 'http.route': '/cart', 'url.path': `/cart/${trace}`, 'user.id': trace.slice(0, 12) };
  const spans = Array.from({ length: 12 }, (_, i) => ({ id: i + 1, parent: i, start: i, attributes }));
  return assembledTrace(otlp([{ service: 'shop', spans }], { trace, epochMs }), { startTime: epochMs * 1000 });
}

async function measure(name: string, bucket: Bucket, ids: readonly string[]): Promise<void> {
  const taken: number[] = [];
  const asked = new Set<string>();
  let requests = 0;
  let bytes = 0;
  let consulted = 0;
  const counting = Object.assign(Object.create(bucket) as Bucket, {
    getRange: async (key: string, start: number, end: number) => {
      const body = await bucket.getRange(key, start, end);
      requests++;
      bytes += body?.length ?? 0;
      asked.add(key);
      return body;
    },
    head: (key: string) => {
      requests++;
      return bucket.head(key);
    },
  });
  const reader = openTraceReader(counting, 'bench', ({ key, why }) => {
    throw new Error(`${key}: ${why}`);
  });
  for (const id of ids) {
    asked.clear();
    const from = performance.now();
    const found = await reader.get(id, DAY);
    taken.push(performance.now() - from);
    consulted += asked.size;
    if ((found?.spans.length ?? 0) !== (name === 'present' ? 12 : 0)) throw new Error(`${id} is not as it should be`);
  }
  taken.sort((a, b) => a - b);
  const each = (total: number) => (total / ids.length).toFixed(1);
  console.log(
    `${name.padEnd(8)} objects ${each(consulted)}, requests ${each(requests)} besides the listing, ` +
      `KiB ${each(bytes / 1024)}, ms p50 ${taken[ids.length >> 1]?.toFixed(0)}, longest ${taken.at(-1)?.toFixed(0)}`,
  );
}

function idOf(n: number): string {
  return createHash('md5').update(String(n)).digest('hex');
}
