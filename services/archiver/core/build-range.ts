import type { ChainEntry, ChainObject } from '../../../lib/archive/chain.ts';
import { hashOfTraceId } from '../../../lib/archive/id-index.ts';
import { isOfPartition } from '../../../lib/archive/likely-objects.ts';
import { type ArchiveFormat, type Dataset, datasetFolder, hourPath } from '../../../lib/archive/object-keys.ts';
import { isDefaultList, type PromotedList, promotedOf } from '../../../lib/archive/promoted-setting.ts';
import { RowDigest, TRACE_WORDS } from '../../../lib/archive/row-digest.ts';
import { spanBatches, traceBatches } from '../../../lib/archive/rows/row-groups.ts';
import type { AssembledTrace } from '../../../lib/codec/records.ts';
import type { LogRecord } from '../../../lib/kafka/types.ts';
import type { ArchivePorts } from '../ports.ts';
import type { ArchivedRecord } from './archived-record.ts';
import type { OpenRange } from './range.ts';

export interface RangePlace {
  /** SPANLOOM_PREFIX. */
  readonly prefix: string;
  readonly clusterId: string;
  readonly generation: number;
  readonly topic: string;
  /** Of the log that the records were read from. */
  readonly topicId?: string | undefined;
  readonly partition: number;
  readonly writer: string;
  readonly format: ArchiveFormat;
  /**
   * Partitions of the topic. Names of objects say so where each of their trace ids belongs to this one of them: readers
   * then pass over the objects of others. Undefined: names say nothing.
   */
  readonly partitions: number | undefined;
  /** Which attributes have columns in objects of rows. */
  readonly promoted: PromotedList;
  /** Whether `partitions` stands in an entry already, and holds whatever the ids are. */
  readonly isDecided: boolean;
}

/** An entry of the chain and the objects that it names; the objects are encoded one by one, when asked for. */
export interface BuiltRange {
  readonly entry: ChainEntry;
  /** In the order of `entry.objects`. */
  encode(object: ChainObject): Promise<Uint8Array>;
  /** Of all trace ids in an object, for the index. */
  idHashes(object: ChainObject): Uint32Array;
  /** Start of the hour of an object, epoch milliseconds. */
  hourMs(object: ChainObject): number;
}

/**
 * What is written for the records of a range. The same records at the same place always give the same keys and rows,
 * so whoever finds an entry without its objects can make them.
 */
export function buildRange(range: OpenRange, place: RangePlace, ports: ArchivePorts): BuiltRange {
  const objects: ChainObject[] = [];
  const partitions = partitionsToName(range, place);
  const parts = new Map<string, { hour: Hour; spansKey: string }>();
  for (const hour of byHour(range.records)) {
    const digest = ports.digest(hour.traces.map(({ record }) => record.value as Buffer));
    const spans = hour.traces.reduce((sum, { trace }) => sum + trace.spanCount, 0);
    const spansKey = objectKey('spans', hour.startMs, range, place, partitions);
    const tracesKey = objectKey('traces', hour.startMs, range, place, partitions);
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
      ...(place.topicId === undefined ? {} : { topicId: place.topicId }),
      firstRecord: {
        offset: first.offset,
        traceId: first.key?.latin1Slice() ?? '',
        appendTime: first.timestampMs,
      },
      records: range.records.length,
      refused: range.records.filter(({ trace }) => trace === undefined).length,
      objects,
      format: place.format,
      ...(partitions === undefined ? {} : { partitions }),
      ...(isDefaultList(place.promoted) ? {} : { promoted: place.promoted }),
      writer: place.writer,
    },
    encode: async ({ key, dataset }) => {
      const { hour, spansKey } = parts.get(key) as { hour: Hour; spansKey: string };
      const traces = hour.traces.map(({ trace }) => trace);
      if (dataset === 'traces') return ports.encodeParquet(traceBatches(traces, spansKey));
      if (place.format === 'parquet') return ports.encodeParquet(spanBatches(traces, promotedOf(place.promoted)));
      return ports.encodeOtlp(hour.traces.map(({ record, trace }) => ({ value: record.value as Buffer, trace })));
    },
    idHashes: ({ key }) =>
      Uint32Array.from((parts.get(key) as { hour: Hour }).hour.traces, ({ trace }) => hashOfTraceId(trace.traceId)),
    hourMs: ({ key }) => (parts.get(key) as { hour: Hour }).hour.startMs,
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

/** An entry that is there decides; a new one says of how many partitions when each trace has come by its id. */
function partitionsToName(range: OpenRange, { partition, partitions, isDecided }: RangePlace): number | undefined {
  if (partitions === undefined || isDecided) return partitions;
  const isOwn = ({ trace }: ArchivedRecord) =>
    trace === undefined || isOfPartition(trace.traceId, partition, partitions);
  return range.records.every(isOwn) ? partitions : undefined;
}

/** `<prefix>/spans/v1/dt=2026-01-31/hour=07/<cluster>-<generation>-p007of012-<first>-<end>.parquet` */
function objectKey(
  dataset: Dataset,
  hourMs: number,
  { first, end }: OpenRange,
  place: RangePlace,
  partitions: number | undefined,
): string {
  const { prefix, clusterId, generation, format } = place;
  const cluster = clusterId.replaceAll(/[^A-Za-z0-9_-]/g, '').slice(0, CLUSTER_CHARS);
  const three = (number: number) => String(number).padStart(3, '0');
  const partition = `${three(place.partition)}${partitions === undefined ? '' : `of${three(partitions)}`}`;
  const suffix = dataset === 'spans' && format === 'otlp' ? 'otlp.zst' : 'parquet';
  const name = `${cluster}-${generation}-p${partition}-${first}-${end}.${suffix}`;
  return `${datasetFolder(prefix, dataset, format)}${hourPath(hourMs)}${name}`;
}

const CLUSTER_CHARS = 22;
