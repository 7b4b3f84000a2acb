/** Spans per CPU-second of the assembler's own code: bundles in, trace records out, windows in memory, no Kafka. */

import { benchAssembler } from './assembler-stage.ts';
import { benchMessages } from './spans.ts';

const SPANS = Number(process.argv[2] ?? 300_000);
const MESSAGES_PER_BUNDLE = 40;
const SPANS_PER_SECOND = 10_000;

const bundles: Buffer[] = [];
let waiting: Buffer[] = [];
let bytes = 0;
for (const message of benchMessages(SPANS)) {
  bytes += message.length;
  waiting.push(message);
  if (waiting.length === MESSAGES_PER_BUNDLE) bundles.push(Buffer.concat(waiting.splice(0)));
}
bundles.push(Buffer.concat(waiting));
waiting = [];
console.log(`${SPANS} spans, ${(bytes / SPANS).toFixed(0)} bytes each, ${bundles.length} bundles`);

let spans = 0;
let traces = 0;
const stage = benchAssembler((spanCount) => {
  spans += spanCount;
  traces++;
});
await stage.recover(undefined, { nonce: 'bench' });
let nowMs = 1_760_000_000_000;
const cpu = process.cpuUsage();
let position = 0;
const commit = async () => {
  const prepared = await stage.prepare('interval');
  if (prepared !== undefined) await stage.committed(prepared, () => (position += 1));
};
for (let i = 0; i < bundles.length; i++) {
  nowMs += (MESSAGES_PER_BUNDLE * 50 * 1000) / SPANS_PER_SECOND;
  await stage.apply([{ offset: i, timestampMs: nowMs, key: null, value: bundles[i] as Buffer, headers: new Map() }], {
    streamTimeMs: nowMs,
    caughtUp: false,
    nextOffset: i + 1,
  });
  if (stage.full) await commit();
}
await stage.apply([], { streamTimeMs: nowMs + 400_000, caughtUp: true, nextOffset: bundles.length });
await commit();
const used = process.cpuUsage(cpu);
const seconds = (used.user + used.system) / 1e6;
console.log(
  `${spans} spans out in ${traces} traces; ${seconds.toFixed(2)} CPU-s; ${(spans / seconds / 1000).toFixed(0)} k spans per CPU-second; ${((seconds * 1e6) / spans).toFixed(2)} us each; rss ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB`,
);
