/**
 * Cost of the console's hot store, without Kafka: trace records in, then look-ups by id and searches over all of them.
 *
 *     node scripts/run.js script bench/console-store.ts [--traces 1000000] [--spans-per-trace 5] [--json]
 *
 * Ingest counts the CPU of decoding, indexing, compressing and writing; making the records is left out. Searches are a
 * mix of what people ask, each for the newest 50, with other values every time. Times are of the CPU.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type AssembledTrace, assembledTraceCodec } from '../lib/codec/records.ts';
import { assembledTrace } from '../lib/testkit/assembled-trace.ts';
import { scanOtlpRequest } from '../lib/trace/otlp-scan.ts';
import { SpanTable } from '../lib/trace/span-table.ts';
import { HotStore } from '../services/console/adapters/hot-store.ts';
import { searchStore } from '../services/console/core/hot/search-store.ts';
import { benchTraces } from './spans.ts';

const { values: options } = parseArgs({
  options: {
    traces: { type: 'string', default: '1000000' },
    'spans-per-trace': { type: 'string', default: '5' },
    queries: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});
const TRACES = Number(options.traces);
const SPANS_PER_TRACE = Number(options['spans-per-trace']);
/** So many are made; the others are copies of them with other ids and times. */
const TEMPLATES = 5_000;
const RECORDS_PER_FETCH = 500;
const EPOCH_MS = 1_760_000_000_000;
const GAP_MS = 10;
const copies = new SpanTable();

const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-console-bench-'));
try {
  const store = new HotStore(path.join(folder, 'hot.db'), { retentionMs: 30 * 86_400_000, bytesMax: 64 * 2 ** 30 });
  const ids: string[] = [];
  const ingestSeconds = ingest(store, ids);
  const byId = timed(300, (i) => {
    const found = store.find(ids[(i * 7919) % ids.length] as string);
    if (found[0]?.otlp().length === undefined) throw new Error('a trace that was stored is not found');
  });
  const searches = timed(Number(options.queries), (i) => search(store, i));
  const { bytes } = store.figures;
  const result = {
    traces: TRACES,
    spans: TRACES * SPANS_PER_TRACE,
    spansPerCpuSecond: Math.round((TRACES * SPANS_PER_TRACE) / ingestSeconds),
    bytesPerSpan: Math.round(bytes / TRACES / SPANS_PER_TRACE),
    traceByIdP95Ms: quantile(byId, 0.95),
    searchP50Ms: quantile(searches, 0.5),
    searchP95Ms: quantile(searches, 0.95),
    searchMaxMs: quantile(searches, 1),
    rssMb: Math.round(process.memoryUsage().rss / 2 ** 20),
  };
  store.close();
  if (options.json) console.log(JSON.stringify(result));
  else console.table(result);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function ingest(store: HotStore, ids: string[]): number {
  const templates = [...makeTemplates()];
  let micros = 0;
  let position = 0;
  while (position < TRACES) {
    const batch: Buffer[] = [];
    for (; batch.length < RECORDS_PER_FETCH && position < TRACES; position++) {
      const trace = copyOf(templates[(position * 31) % TEMPLATES] as AssembledTrace, position);
      if (position % 97 === 0) ids.push(trace.traceId);
      batch.push(assembledTraceCodec.encode(trace));
    }
    const started = process.cpuUsage();
    for (const [i, value] of batch.entries()) {
      const trace = assembledTraceCodec.decode(value);
      store.add(trace, EPOCH_MS + (position + i) * GAP_MS);
      if (store.isFull) store.seal(new Map([[0, position]]));
    }
    const used = process.cpuUsage(started);
    micros += used.user + used.system;
  }
  store.seal(new Map([[0, position]]));
  return micros / 1e6;
}

function* makeTemplates(): Generator<AssembledTrace> {
  const made = benchTraces(SPANS_PER_TRACE);
  const table = new SpanTable();
  for (let i = 0; i < TEMPLATES; i++) {
    const { otlp } = made.next().value;
    scanOtlpRequest(otlp, table);
    const services = new Map<string, number>();
    for (let row = 0; row < table.count; row++) services.set(`service-${row}`, 1);
    yield assembledTrace(otlp, {
      rootService: `service-${(i * 7) % 20}`,
      rootOperation: 'GET /api/v1/orders/{id}',
      durationNano: BigInt(1_000_000 + ((i * 7919) % 1000) ** 2 * 1000),
      errorCount: i % 100 === 0 ? 1 : 0,
      services: [...services].map(([service, spanCount]) => ({ service, spanCount, errorCount: 0 })),
    });
  }
}

function copyOf(template: AssembledTrace, position: number): AssembledTrace {
  const otlp = Buffer.from(template.otlp);
  scanOtlpRequest(otlp, copies);
  const traceId = Buffer.alloc(16);
  traceId.writeUInt32BE(Math.imul(position + 1, 0x9e3779b1) >>> 0, 0);
  traceId.writeUInt32BE(position + 1, 12);
  for (let row = 0; row < copies.count; row++) traceId.copy(otlp, copies.traceId[row]);
  const startTimeUnixNano = BigInt(EPOCH_MS + position * GAP_MS) * 1_000_000n;
  return { ...template, traceId: traceId.toString('hex'), otlp, startTimeUnixNano };
}

/** What people ask: a service, an operation, slow ones, failed ones, an attribute that is common, rare or nowhere. */
function search(store: HotStore, i: number): void {
  const ask = [
    { service: `service-${i % 20}` },
    { service: `service-${i % 20}`, operation: 'GET /api/v1/orders/{id}' },
    { service: `service-${i % 20}`, durationMinMs: 900 + (i % 90) },
    { failed: true },
    { service: `service-${i % 20}`, failed: true, attributes: [['http.request.method', 'GET'] as const] },
    { attributes: [['enduser.id', `user-${(i * 7919) % 100_000}`] as const] },
    { service: `service-${i % 20}`, attributes: [['app.shard', String(i % 24)] as const] },
    { operation: 'no such operation' },
    { durationMinMs: 5_000 },
    { service: 'service-3', attributes: [['db.namespace', 'shop'] as const, ['server.port', '8080'] as const] },
  ][i % 10] as Parameters<typeof searchStore>[1];
  searchStore(store, { ...ask, limit: 50 });
}

/** Milliseconds of CPU, ascending: other processes of the machine do not count. */
function timed(times: number, run: (i: number) => void): number[] {
  return Array.from({ length: times }, (_, i) => {
    const started = process.threadCpuUsage();
    run(i);
    const used = process.threadCpuUsage(started);
    return (used.user + used.system) / 1000;
  }).sort((a, b) => a - b);
}

function quantile(sorted: readonly number[], q: number): number {
  return Number((sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] as number).toFixed(1));
}
