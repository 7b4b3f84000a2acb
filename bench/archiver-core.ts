/**
 * What the archiver's own work costs: trace records in, objects out, without Kafka and S3.
 *
 *     node bench/archiver-core.ts [--spans 300000] [--format otlp] [--keep FILE]   (FILE is given the last spans object)
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { encodeParquet } from '../lib/archive/encode-parquet.ts';
import type { ArchiveFormat } from '../lib/archive/object-keys.ts';
import { encodeOtlpObject } from '../lib/archive/otlp-object.ts';
import type { LogRecord } from '../lib/kafka/types.ts';
import { buildRange } from '../services/archiver/core/build-range.ts';
import { OpenRange } from '../services/archiver/core/range.ts';
import { benchMessages, SPANS_PER_MESSAGE } from './spans.ts';
import { traceRecords } from './trace-records.ts';

const { values } = parseArgs({
  options: {
    spans: { type: 'string', default: '300000' },
    format: { type: 'string', default: 'parquet' },
    keep: { type: 'string' },
  },
});
const format = values.format as ArchiveFormat;
let longestMs = 0;
const RECORDS_AT_A_TIME = 200;
const RANGE_BYTES = 20 * 1024 * 1024;

const records: LogRecord[] = [];
let spans = 0;
for await (const batch of traceRecords(benchMessages(Number(values.spans)), SPANS_PER_MESSAGE)) {
  spans += batch.spans;
  for (const { key, value } of batch.records)
    records.push({
      offset: records.length,
      timestampMs: 1,
      key: Buffer.from(key as string),
      value,
      headers: new Map(),
    });
}

const place = {
  ...{ prefix: 'p', clusterId: 'c', generation: 1, topic: 't', partition: 0, writer: 'bench', format },
  ...{ partitions: 1, promoted: ['default'], isDecided: false },
};
const digest = (parts: readonly Uint8Array[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');
const seconds = { read: 0, build: 0, spans: 0, traces: 0 };
const bytes = { spans: 0, traces: 0 };

let range = new OpenRange(0);
for (let at = 0; at < records.length; at += RECORDS_AT_A_TIME) {
  const some = records.slice(at, at + RECORDS_AT_A_TIME);
  timed('read', () => range.add(some, at + some.length, 0));
  if (range.bytes >= RANGE_BYTES || at + some.length === records.length) await write();
}
const total = Object.values(seconds).reduce((sum, one) => sum + one, 0);
for (const [name, used] of Object.entries(seconds))
  console.log(`${name.padEnd(8)}${((used * 1e6) / spans).toFixed(2)} us`);
console.log(
  `${spans} spans; ${((total * 1e6) / spans).toFixed(2)} us, ${Math.round(spans / total)} spans per CPU-second; ${(bytes.spans / spans).toFixed(1)} + ${(bytes.traces / spans).toFixed(1)} bytes per span; the event loop waits for ${longestMs.toFixed(0)} ms of CPU at most while an object is encoded; rss ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB`,
);

async function write(): Promise<void> {
  const built = timed('build', () => buildRange(range, place, { encodeParquet, encodeOtlp: encodeOtlpObject, digest }));
  for (const object of built.entry.objects) {
    const turns = watchTurns();
    const from = process.cpuUsage();
    const body = await built.encode(object);
    const used = process.cpuUsage(from);
    longestMs = Math.max(longestMs, turns.stop());
    seconds[object.dataset] += (used.user + used.system) / 1e6;
    bytes[object.dataset] += body.length;
    if (values.keep !== undefined && object.dataset === 'spans') writeFileSync(values.keep, body);
  }
  range = new OpenRange(range.end);
}

/** The longest turn of the event loop in milliseconds of this thread's CPU: other processes do not show in it. */
function watchTurns(): { stop(): number } {
  let longest = 0;
  let isWatching = true;
  let last = threadMs();
  const turn = () => {
    const now = threadMs();
    longest = Math.max(longest, now - last);
    last = now;
    if (isWatching) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    stop: () => {
      isWatching = false;
      turn();
      return longest;
    },
  };
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function timed<T>(name: keyof typeof seconds, work: () => T): T {
  const from = process.cpuUsage();
  const result = work();
  const used = process.cpuUsage(from);
  seconds[name] += (used.user + used.system) / 1e6;
  return result;
}
