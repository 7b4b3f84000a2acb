/**
 * Spans per CPU-second of the graph-builder's own code with everything on, without Kafka: trace records in, encoded
 * deltas out, a commit per second of traffic, metrics fed, and scraped every 15 s of traffic.
 *
 *     node scripts/run.js script bench/graph-core.ts [--spans 600000] [--mode accurate|zipkin] [--json]
 *
 * Input as in the pipeline's bench, assembled by the assembler: about 400 bytes of OTLP a span, 12 spans to a trace,
 * 10 000 spans a second.
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { deadLetterCodec, serviceEdgeDeltaCodec } from '../lib/codec/records.ts';
import type { LogRecord } from '../lib/kafka/types.ts';
import { createMetrics } from '../lib/observability/metrics.ts';
import { systemClock } from '../lib/runtime/clock.ts';
import { graphMetrics } from '../services/graph-builder/adapters/graph-metrics.ts';
import { GraphStage } from '../services/graph-builder/core/graph-stage.ts';
import { benchMessages, SPANS_PER_MESSAGE } from './spans.ts';
import { traceRecords } from './trace-records.ts';

const { values: options } = parseArgs({
  options: {
    spans: { type: 'string', default: '600000' },
    mode: { type: 'string', default: 'accurate' },
    json: { type: 'boolean', default: false },
  },
});
const SPANS_PER_SECOND = 10_000;
const BEGAN_MS = 1_760_000_000_000;
const RECORDS_PER_FETCH = 200;
const SCRAPE_EVERY_S = 15;
const NO_LOG = {
  bounds: async () => ({ start: 0, end: 0 }),
  fetch: async () => {
    throw new Error('nothing to read back');
  },
};

const traces = await assembled(Number(options.spans));
const metrics = createMetrics('graph-builder');
let spans = 0;
let deltaCount = 0;
let deltaBytes = 0;
const publish = graphMetrics(metrics, { seriesMax: 5_000, staleMs: 900_000, clock: systemClock });
const stage = new GraphStage(
  {
    tracesTopic: 'traces',
    edgesTopic: 'edges',
    deadLettersTopic: 'dead-letters',
    partition: 0,
    mode: options.mode === 'zipkin' ? 'zipkin' : 'accurate',
    ownerAttribute: 'team',
    names: { services: 2_000, operations: 20_000, operationsPerService: 500 },
    earlier: { horizonMs: 300_000, tracesMax: 200_000 },
    traceBytesMax: 8 << 20,
    rowsMax: 10_000,
  },
  {
    traces: NO_LOG,
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    encodeDelta: serviceEdgeDeltaCodec.encode,
    encodeDeadLetter: deadLetterCodec.encode,
    folded: (report) => {
      spans += report.spans;
      publish(report);
    },
  },
);
await stage.recover(undefined, { nonce: 'bench' });
await work(traces.slice(0, traces.length / 10), 0);
// So that the same traces are not taken for later revisions.
await stage.recover(undefined, { nonce: 'bench' });
spans = 0;
deltaCount = 0;
deltaBytes = 0;
const started = process.cpuUsage();
await work(traces, 0);
const used = process.cpuUsage(started);
const cpuSeconds = (used.user + used.system) / 1e6;
const result = {
  spans,
  spansPerCpuSecond: Math.round(spans / cpuSeconds),
  microsPerSpan: Number(((cpuSeconds * 1e6) / spans).toFixed(3)),
  deltas: deltaCount,
  bytesPerDelta: Math.round(deltaBytes / deltaCount),
  rssMb: Math.round(process.memoryUsage().rss / 2 ** 20),
};
if (options.json) console.log(JSON.stringify(result));
else console.table(result);

async function work(records: readonly LogRecord[], firstOffset: number): Promise<void> {
  let sinceCommit = 0;
  let commits = 0;
  for (let at = 0; at < records.length; at += RECORDS_PER_FETCH) {
    const fetched = records
      .slice(at, at + RECORDS_PER_FETCH)
      .map((one, i) => ({ ...one, offset: firstOffset + at + i }));
    await stage.apply(fetched, {
      streamTimeMs: fetched.at(-1)?.timestampMs ?? 0,
      caughtUp: false,
      nextOffset: firstOffset + at + fetched.length,
    });
    sinceCommit += fetched.length * 12;
    if (sinceCommit < SPANS_PER_SECOND && !stage.full) continue;
    sinceCommit = 0;
    await commit();
    if (++commits % SCRAPE_EVERY_S === 0) await metrics.registry.metrics();
  }
  await commit();
}

async function commit(): Promise<void> {
  const prepared = await stage.prepare('interval');
  if (prepared === undefined) return;
  for (const { records } of prepared.outputs) {
    deltaCount += records.length;
    for (const { value } of records) deltaBytes += value?.length ?? 0;
  }
  await stage.committed();
}

/** The traces of the bench's span set, as an assembler writes them. */
async function assembled(count: number): Promise<LogRecord[]> {
  const made: LogRecord[] = [];
  let madeSpans = 0;
  for await (const batch of traceRecords(benchMessages(count), SPANS_PER_MESSAGE)) {
    madeSpans += batch.spans;
    const timestampMs = BEGAN_MS + (madeSpans * 1_000) / SPANS_PER_SECOND;
    for (const { key, value } of batch.records) {
      const keyBytes = key === null || key === undefined ? null : Buffer.from(key);
      made.push({ offset: made.length, timestampMs, headers: new Map(), key: keyBytes, value: value as Buffer });
    }
  }
  return made;
}
