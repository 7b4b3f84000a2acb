import { createHash } from 'node:crypto';
import type { ChainEntry } from '../../lib/archive/chain.ts';
import { bucketOf, hashOfTraceId, namesWith, readHead } from '../../lib/archive/id-index.ts';
import { PROMOTED_DEFAULT, type PromotedList, promotedOf } from '../../lib/archive/promoted-setting.ts';
import { readChain } from '../../lib/archive/read-chain.ts';
import { SpanRows } from '../../lib/archive/rows/span-rows.ts';
import { TraceRows } from '../../lib/archive/rows/trace-rows.ts';
import { assembledTraceCodec } from '../../lib/codec/records.ts';
import type { LogRecord } from '../../lib/kafka/types.ts';
import type { SimBucket } from './sim-bucket.ts';
import { rowsOf } from './table-text.ts';
import { Tally } from './worker-world.ts';

/** One log of a partition; a topic that was made anew has another one. */
export interface ArchivedLog {
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** The log was deleted: what it held beyond its chain went with it. */
  readonly isPast: boolean;
}

/** What the chain says of the records that one log held. */
export class LogChain {
  end = 0;
  readonly entries: { readonly entry: ChainEntry; readonly missing: readonly string[] }[] = [];

  isGone({ offset }: LogRecord): boolean {
    return this.entries.some(
      ({ entry: { gapBefore } }) => gapBefore && gapBefore.from <= offset && offset < gapBefore.to,
    );
  }

  /** Digests of the rows that a record should be in the archive; those in objects that a gap file names are lost. */
  rows(record: LogRecord): string[] {
    const own = this.entries.filter(({ entry }) => entry.first <= record.offset && record.offset < entry.end);
    const missing = own.flatMap((entry) => entry.missing);
    return rowsOfRecord(record, own[0]?.entry)
      .filter(({ folder }) => !missing.some((key) => folder.test(key)))
      .map(({ row }) => row);
  }
}

/** By the trace id of any of their records, the chains of all logs. @throws SpanloomError ARCHIVE_CHAIN_BROKEN. */
export async function chainsOf(bucket: SimBucket, prefix: string, logs: readonly ArchivedLog[]): Promise<LogChain[]> {
  const chains = logs.map(() => new LogChain());
  const logOf = new Map(logs.flatMap(({ records }, i) => records.map(({ key }) => [String(key), i])));
  for await (const { entry, gap } of readChain(bucket.undisturbed, prefix)) {
    const chain = chains[logOf.get(entry.firstRecord.traceId) as number] as LogChain;
    chain.end = Math.max(chain.end, entry.end);
    chain.entries.push({ entry, missing: gap?.missing.filter((key) => !bucket.objects.has(key)) ?? [] });
  }
  return chains;
}

/** Whether nothing is left to do: every log that is there is archived to its end, and every named object was written. */
export function isWhole(bucket: SimBucket, logs: readonly ArchivedLog[], chains: readonly LogChain[]): boolean {
  return logs.every(({ records, isPast }, i) => {
    const { end, entries } = chains[i] as LogChain;
    if (!isPast && end <= (records.at(-1)?.offset ?? -1)) return false;
    return entries.every(({ entry, missing }) =>
      entry.objects.every(({ key }) => bucket.objects.has(key) || missing.includes(key)),
    );
  });
}

/** What is missing, double or foreign among the rows of all objects, which is what a reader with a glob sees. */
export function differences(
  bucket: SimBucket,
  logs: readonly ArchivedLog[],
  chains: readonly LogChain[],
): readonly string[] {
  const expected = new Tally();
  const found = new Tally();
  for (const [i, { records, isPast }] of logs.entries()) {
    const chain = chains[i] as LogChain;
    for (const record of records) {
      if ((isPast && record.offset >= chain.end) || chain.isGone(record)) continue;
      for (const row of chain.rows(record)) expected.add(row);
    }
  }
  for (const [key, body] of bucket.objects) {
    if (key.includes('/_chain/')) continue;
    if (key.endsWith('.ids')) {
      for (const name of ruledOutWrongly(bucket, key, Buffer.from(body))) found.add(name);
      continue;
    }
    for (const row of Buffer.from(body).toString().split('\n')) found.add(digest([Buffer.from(row)]));
  }
  return expected.differences(found);
}

/** Objects that hold trace ids which an index says they do not, with the ids. */
function ruledOutWrongly(bucket: SimBucket, key: string, index: Buffer): string[] {
  const head = readHead(index);
  const prefix = key.slice(0, key.indexOf('/'));
  return head.names.flatMap((name) => {
    const body = bucket.objects.get(`${prefix}/${name}`);
    const rows = body === undefined ? [] : Buffer.from(body).toString().split('\n');
    return rows
      .map((row) => String(JSON.parse(row).trace_id))
      .filter((id) => {
        const hash = hashOfTraceId(id);
        const { start, end } = bucketOf(hash, head);
        return !namesWith(hash, index.subarray(start, end), head).has(name);
      })
      .map((id) => `${key} rules out ${name} for ${id}`);
  });
}

/** Digests of the rows that a record is in the archive, with the folder of the object that they belong into. */
function rowsOfRecord(record: LogRecord, entry: ChainEntry | undefined): { row: string; folder: RegExp }[] {
  const trace = assembledTraceCodec.decode(record.value as Buffer);
  const columns = entry?.format === 'otlp' ? PROMOTED_DEFAULT : (entry?.promoted ?? PROMOTED_DEFAULT);
  const spanRows = rowsWith(columns);
  spanRows.clear();
  traceRows.clear();
  spanRows.add(trace);
  traceRows.add(trace, '');
  const iso = new Date(trace.startTime / 1000).toISOString();
  const hour = `dt=${iso.slice(0, 10)}/hour=${iso.slice(11, 13)}/`;
  const named = (dataset: string, rows: string[]) =>
    rows.map((row) => ({ row: digest([Buffer.from(row)]), folder: new RegExp(`/${dataset}(_otlp)?/v1/${hour}`) }));
  return [
    ...named('spans', rowsOf(spanRows.columns(), spanRows.count)),
    ...named('traces', rowsOf(traceRows.columns(), traceRows.count)),
  ];
}

/** With the columns that an entry says. */
function rowsWith(promoted: PromotedList): SpanRows {
  const name = promoted.join();
  const rows = spanRowsOf.get(name) ?? new SpanRows(promotedOf(promoted));
  spanRowsOf.set(name, rows);
  return rows;
}

const spanRowsOf = new Map<string, SpanRows>();
const traceRows = new TraceRows();

export function digest(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
