import { deadLetterCodec } from '../../lib/codec/records.ts';
import type { TimedLog } from '../../lib/kafka/partition-log.ts';
import { BundleTiling, type IngestPosition, spansIn } from './bundle-tiling.ts';
import type { StageContext, StageResult } from './context.ts';
import { decodeOrReport } from './decode-record.ts';
import { type Extent, judged } from './extent.ts';
import type { StageFindings } from './findings.ts';
import { ingestPartitions } from './ingest-partitions.ts';
import { readLog } from './read-log.ts';
import { Rerouter } from './rerouter.ts';
import { inSlices, type Slice } from './slices.ts';

/** Ingest records, routed anew, against bundles and dead letters. */
export async function auditBundles(context: StageContext): Promise<StageResult> {
  const { topics, extent } = context;
  const outputs = [topics.spans, topics.deadLetters];
  const logs = new Map<string, readonly TimedLog[]>();
  for (const topic of outputs) logs.set(topic, await context.open(topic));
  // Read before the ledgers: what is committed later than this holds no input that a ledger calls committed.
  const outputFrom = await endsOf(logs);
  const inputs = await ingestPartitions(context);
  const positions = inputs.map(({ place, start, applied }) => {
    const range = judged(extent, place, start, applied);
    return { source: place, start: range.start, applied: range.applied, isCut: range.gap > 0, gap: range.gap };
  });
  const bounds = await boundsOf(logs, extent);
  const rerouters = inputs.map(
    (input) => new Rerouter(input.topic, input.partition, context, logs.get(topics.spans)?.length ?? 0),
  );

  const findings = await inSlices(context.keysMax, (slice) => pass(slice));
  for (const { gap } of positions) findings.gap += gap;
  for (const [i, { place, log, start, end, applied }] of inputs.entries()) {
    if (extent.to.has(place)) continue;
    const rerouter = rerouters[i] as Rerouter;
    for await (const records of readLog(log, Math.max(start, applied), end, () => {})) {
      for (const record of records) findings.open += spansIn(rerouter.reroute(record));
    }
  }
  const from = new Map(inputs.map(({ place, applied }) => [place, applied]));
  const outputSeen = new Map<string, number>();
  for (const [topic, own] of bounds) {
    for (const [partition, { end }] of own.entries()) outputSeen.set(`${topic}/${partition}`, end);
  }
  return { findings, next: { from, to: new Map(), outputFrom, outputSeen } };

  async function pass(slice: Slice): Promise<StageFindings> {
    const cut = new Set(bounds.get(topics.spans)?.flatMap(({ isCut }, partition) => (isCut ? [partition] : [])));
    const seen = (partition: number) => extent.outputSeen.get(`${topics.spans}/${partition}`);
    const tiling = new BundleTiling(topics.spans, positions, cut, slice, seen);
    await readOutputs(context, logs, bounds, tiling, slice);
    for (const [i, { log }] of inputs.entries()) {
      const { source, start, applied } = positions[i] as IngestPosition;
      const unreadable = (first: number) => tiling.expectLetter(`${source}/${first}`, `${source}@${first}`);
      for await (const records of readLog(log, start, applied, unreadable)) {
        for (const record of records) {
          tiling.expect(source, record.offset, (rerouters[i] as Rerouter).reroute(record));
        }
      }
    }
    return tiling.finish();
  }
}

async function readOutputs(
  { topics, extent }: StageContext,
  logs: ReadonlyMap<string, readonly TimedLog[]>,
  bounds: ReadonlyMap<string, readonly Bounds[]>,
  tiling: BundleTiling,
  slice: Slice,
): Promise<void> {
  const of = (topic: string) =>
    (logs.get(topic) as readonly TimedLog[]).map((log, partition) => {
      const { from, end } = (bounds.get(topic) as readonly Bounds[])[partition] as Bounds;
      return [partition, readLog(log, from, end)] as const;
    });
  for (const [partition, batches] of of(topics.spans)) {
    for await (const records of batches) for (const record of records) tiling.seeBundle(record, partition);
  }
  for (const [partition, batches] of of(topics.deadLetters)) {
    for await (const records of batches) {
      for (const { key, value, offset } of records) {
        const at = `${topics.deadLetters}/${partition}@${offset}`;
        const isTold = offset < (extent.outputSeen.get(`${topics.deadLetters}/${partition}`) ?? 0);
        const told = slice.isFirst && !isTold ? tiling.findings : undefined;
        const letter = decodeOrReport(deadLetterCodec, value, at, told);
        if (letter !== undefined) tiling.seeLetter(letter, key?.toString() ?? '');
      }
    }
  }
}

interface Bounds {
  readonly from: number;
  readonly end: number;
  /** Retention has taken some of what should be read. */
  readonly isCut: boolean;
}

async function boundsOf(
  logs: ReadonlyMap<string, readonly TimedLog[]>,
  extent: Extent,
): Promise<Map<string, readonly Bounds[]>> {
  const bounds = new Map<string, readonly Bounds[]>();
  for (const [topic, own] of logs) {
    const all = own.map(async (log, partition) => {
      const wanted = extent.outputFrom.get(`${topic}/${partition}`) ?? 0;
      const { start, end } = await log.bounds();
      return { from: Math.max(start, wanted), end, isCut: start > wanted };
    });
    bounds.set(topic, await Promise.all(all));
  }
  return bounds;
}

async function endsOf(logs: ReadonlyMap<string, readonly TimedLog[]>): Promise<Map<string, number>> {
  const ends = new Map<string, number>();
  for (const [topic, own] of logs) {
    for (const [partition, log] of own.entries()) ends.set(`${topic}/${partition}`, (await log.bounds()).end);
  }
  return ends;
}
