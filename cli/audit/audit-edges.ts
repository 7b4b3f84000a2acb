import { type LedgerEntry, serviceEdgeDeltaCodec } from '../../lib/codec/records.ts';
import type { TimedLog } from '../../lib/kafka/partition-log.ts';
import type { StageContext, StageResult } from './context.ts';
import { decodeOrReport } from './decode-record.ts';
import { commitsOf, type EdgeRange, rangeOf } from './edge-range.ts';
import { EdgeSums } from './edge-sums.ts';
import { newExtent } from './extent.ts';
import { addFindings, newFindings, report, type StageFindings } from './findings.ts';
import { readLedgers } from './ledgers.ts';
import { readLog } from './read-log.ts';
import { Refold } from './refold.ts';
import { inSlices, type Slice } from './slices.ts';

/** Trace records, folded anew, against edge deltas. */
export async function auditEdges(context: StageContext): Promise<StageResult> {
  const { topics } = context;
  const findings = newFindings('edges', 'counters of edge deltas');
  const traces = await context.open(topics.traces);
  const edges = await context.open(topics.serviceEdges);
  const ends = await Promise.all(edges.map(async (log) => (await log.bounds()).end));
  const entries = new Map(
    (await readLedgers(await context.open(topics.graphLedger))).map(({ partition, entry }) => [partition, entry]),
  );
  const next = newExtent();
  for (const [partition, log] of traces.entries()) {
    const entry = entries.get(partition);
    const edgeLog = edges[partition] as TimedLog;
    const edgesEnd = (await edgeLog.bounds()).end;
    addFindings(findings, await auditPartition(context, partition, log, { log: edgeLog, end: edgesEnd }, entry));
    next.from.set(`${topics.traces}/${partition}`, entry?.applied ?? 0);
    next.outputFrom.set(`${topics.serviceEdges}/${partition}`, ends[partition] as number);
    next.outputSeen.set(`${topics.serviceEdges}/${partition}`, edgesEnd);
  }
  return { findings, next };
}

async function auditPartition(
  context: StageContext,
  partition: number,
  log: TimedLog,
  edges: { readonly log: TimedLog; readonly end: number },
  entry: LedgerEntry | undefined,
): Promise<StageFindings> {
  const { topics, extent, keysMax } = context;
  const place = `${topics.traces}/${partition}`;
  const output = `${topics.serviceEdges}/${partition}`;
  const range = await rangeOf(context, partition, log, edges.log, entry?.applied ?? 0);
  const seen = extent.outputSeen.get(output);
  const findings = await inSlices(keysMax, (slice) => pass(slice, range));
  findings.gap += range.gap;
  const { start, end } = await log.bounds();
  if (extent.to.has(place)) return findings;
  for await (const records of readLog(log, Math.max(start, entry?.applied ?? 0), end)) findings.open += records.length;
  return findings;

  async function pass(slice: Slice, { from, to, edgesFrom }: EdgeRange): Promise<StageFindings> {
    const own = newFindings('edges', 'counters of edge deltas');
    const committed = new EdgeSums(slice);
    for await (const records of readLog(edges.log, edgesFrom, edges.end)) {
      for (const record of records) {
        const at = `${output}@${record.offset}`;
        const isNew = record.offset >= (seen ?? 0) && slice.isFirst;
        const delta = decodeOrReport(serviceEdgeDeltaCodec, record.value, at, isNew ? own : undefined);
        const commit = commitsOf(record, place);
        if (delta === undefined) continue;
        if (commit === undefined) {
          if (isNew) report(own, 'foreign', at, 'no graph-builder wrote this delta: it names no trace records');
        } else if (commit.first >= from && commit.last < to) committed.add(delta);
        else if (commit.last < from && seen !== undefined && isNew) {
          report(own, 'double', at, 'a delta of trace records that were summed up before');
        }
      }
    }
    const expected = new EdgeSums(slice);
    if (from < to) {
      const refold = await Refold.at(context, partition, log, from);
      for await (const records of readLog(log, from, to)) await refold.take(records, expected);
    }
    committed.compare(expected, output, own);
    return own;
  }
}
