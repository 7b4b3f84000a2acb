import type { ChainEntry, ChainObject } from '../../../lib/archive/chain.ts';
import { RowDigest, TRACE_WORDS } from '../../../lib/archive/row-digest.ts';
import type { AssembledTrace } from '../../../lib/codec/records.ts';
import type { LogRecord } from '../../../lib/kafka/types.ts';
import type { RowBatch } from '../../../lib/parquet/write-parquet.ts';
import type { ArchivePorts } from '../ports.ts';
import type { ArchivedRecord } from './archived-record.ts';
import type { OpenRange } from './range.ts';
import { SpanRows } from './span-rows.ts';
import { TraceRows } from './trace-rows.ts';

export interface RangePlace {
  /** SPANLOOM_PREFIX. */
  readonly prefix: string;
  readonly clusterId: string;
  readonly generation: number;
  readonly topic: string;
  readonly partition: number;
  readonly writer: string;
}

/** An entry of the chain and the objects that it names; the objects are encoded one by one, when asked for. */
export interface BuiltRange {
  readonly entry: ChainEntry;
  /** In the order of `entry.objects`. */
  encode(object: ChainObject): Promise<Uint8Array>;
}

/**
 * What is written for the records of a range. The same records at the same place always give the same keys and rows,
 * so whoever finds an entry without its objects can make them.
 */
export function buildRange(range: OpenRange, place: RangePlace, ports: ArchivePorts): BuiltRange {
  const objects: ChainObject[] = [];
  const parts = new Map<string, { hour: Hour; spansKey: string }>();
  for (const hour of byHour(range.records)) {
    const digest = ports.digest(hour.traces.map(({ record }) => record.value as Buffer));
    const spans = hour.traces.reduce((sum, { trace }) => sum + trace.spanCount, 0);
    const spansKey = objectKey('spans', hour.startMs, range, place);
    const tracesKey = objectKey('traces', hour.startMs, range, place);
    objects.push({ key: spansKey, dataset: 'spans', rows: spans, digest, rowDigest: spanDigest(hour) });
    objects.push({ key: tracesKey, dataset: 'traces', rows: hour.traces.length, digest, rowDigest: traceDigest(hour) });
    parts.set(spansKey, { hour, spansKey });
    parts.set(tracesKey, { hour, spansKey });
  }
  const first = (range.records[0] as ArchivedRecord).record;
  return {
    entry: {
      version: 1,
      topic: place.topic,
      partition: place.partition,
      first: range.first,
      end: range.end,
      gapBefore: range.gapBefore,
      firstRecord: {
        offset: first.offset,
        traceId: first.key?.latin1Slice() ?? '',
        appendTime: first.timestampMs,
      },
      records: range.records.length,
      refused: range.records.filter(({ trace }) => trace === undefined).length,
      objects,
      writer: place.writer,
    },
    encode: ({ key, dataset }) => {
      const { hour, spansKey } = parts.get(key) as { hour: Hour; spansKey: string };
      return ports.encodeParquet(dataset === 'spans' ? spanBatches(hour) : traceBatches(hour, spansKey));
    },
  };
}

interface Hour {
  readonly startMs: number;
  /** In offset order. */
  readonly traces: { readonly record: LogRecord; readonly trace: AssembledTrace; readonly spanDigest: RowDigest }[];
}

function byHour(records: readonly ArchivedRecord[]): Hour[] {
  const hours = new Map<number, Hour>();
  for (const { record, trace, hourMs, spanDigest } of records) {
    if (trace === undefined || hourMs === undefined) continue;
    const hour = hours.get(hourMs);
    if (hour === undefined) hours.set(hourMs, { startMs: hourMs, traces: [{ record, trace, spanDigest }] });
    else hour.traces.push({ record, trace, spanDigest });
  }
  return [...hours.values()].sort((x, y) => x.startMs - y.startMs);
}

function spanDigest({ traces }: Hour): string {
  const digest = new RowDigest();
  for (const one of traces) digest.addAll(one.spanDigest);
  return digest.hex();
}

function traceDigest({ traces }: Hour): string {
  const digest = new RowDigest();
  const words = new Int32Array(TRACE_WORDS);
  const view = new DataView(words.buffer);
  for (const { trace } of traces) {
    for (let word = 0; word < 4; word++) words[word] = Number.parseInt(trace.traceId.slice(8 * word, 8 * word + 8), 16);
    words[4] = trace.revision;
    words[5] = trace.spanCount;
    view.setBigInt64(24, BigInt(trace.startTime), true);
    view.setBigInt64(32, trace.durationNano, true);
    digest.add(words);
  }
  return digest.hex();
}

/** Neighbours in the file are spans of one trace, which is how they are looked for. */
function inTraceOrder(hour: Hour): readonly AssembledTrace[] {
  return hour.traces
    .map(({ trace }) => trace)
    .sort((a, b) => (a.traceId < b.traceId ? -1 : a.traceId > b.traceId ? 1 : a.revision - b.revision));
}

function* spanBatches(hour: Hour): Generator<RowBatch> {
  const rows = new SpanRows();
  for (const trace of inTraceOrder(hour)) {
    rows.add(trace);
    if (rows.count < ROW_GROUP_ROWS && rows.bytes < ROW_GROUP_BYTES) continue;
    yield { columns: rows.columns(), rows: rows.count };
    rows.clear();
  }
  if (rows.count > 0) yield { columns: rows.columns(), rows: rows.count };
}

function* traceBatches(hour: Hour, spansKey: string): Generator<RowBatch> {
  const rows = new TraceRows();
  for (const trace of inTraceOrder(hour)) {
    rows.add(trace, spansKey);
    if (rows.count < ROW_GROUP_ROWS) continue;
    yield { columns: rows.columns(), rows: rows.count };
    rows.clear();
  }
  if (rows.count > 0) yield { columns: rows.columns(), rows: rows.count };
}

/** `<prefix>/spans/v1/dt=2026-01-31/hour=07/<cluster>-<generation>-p007-<first>-<end>.parquet` */
function objectKey(dataset: 'spans' | 'traces', hourMs: number, { first, end }: OpenRange, place: RangePlace): string {
  const iso = new Date(hourMs).toISOString();
  const cluster = place.clusterId.replaceAll(/[^A-Za-z0-9_-]/g, '').slice(0, CLUSTER_CHARS);
  const partition = String(place.partition).padStart(3, '0');
  const name = `${cluster}-${place.generation}-p${partition}-${first}-${end}.parquet`;
  return `${place.prefix}/${dataset}/v1/dt=${iso.slice(0, 10)}/hour=${iso.slice(11, 13)}/${name}`;
}

const CLUSTER_CHARS = 22;
/** A row group ends with the trace that reaches one of these: what is in memory as columns is about 20 MB. */
const ROW_GROUP_ROWS = 50_000;
const ROW_GROUP_BYTES = 32 * 1024 * 1024;
