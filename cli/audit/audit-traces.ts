import { assembledTraceCodec } from '../../lib/codec/records.ts';
import type { TimedLog } from '../../lib/kafka/partition-log.ts';
import type { StageContext, StageResult } from './context.ts';
import { decodeOrReport } from './decode-record.ts';
import { judged, newExtent } from './extent.ts';
import { addFindings, newFindings, type StageFindings } from './findings.ts';
import { readLedgers } from './ledgers.ts';
import { readLog } from './read-log.ts';
import { inSlices, type Slice } from './slices.ts';
import { TraceTiling } from './trace-tiling.ts';

/** Bundles against trace records, partition after partition. */
export async function auditTraces(context: StageContext): Promise<StageResult> {
  const { topics, extent, keysMax } = context;
  const findings = newFindings('traces', 'pairs of trace and offset');
  const entries = new Map(
    (await readLedgers(await context.open(topics.assemblerLedger))).map(({ partition, entry }) => [partition, entry]),
  );
  const traces = await context.open(topics.traces);
  const next = newExtent();
  for (const [partition, log] of (await context.open(topics.spans)).entries()) {
    const traceLog = traces[partition] as TimedLog;
    const place = `${topics.spans}/${partition}`;
    const output = `${topics.traces}/${partition}`;
    const [own, out] = [await log.bounds(), await traceLog.bounds()];
    const { applied = 0, low = 0, outputPosition = 0 } = entries.get(partition) ?? {};
    // Below L every pair is out; above, a later round would judge it again.
    const range = judged(extent, place, own.start, context.isRound ? Math.min(low, applied) : applied);
    const outputFrom = extent.outputFrom.get(output) ?? 0;
    const position = {
      applied: range.applied,
      low,
      spansStart: range.start,
      spansCut: range.gap > 0,
      tracesCut: out.start > outputFrom,
      tracesSeen: extent.outputSeen.get(output) ?? Number.POSITIVE_INFINITY,
    };
    const names = { spans: topics.spans, traces: topics.traces, partition };
    const to = extent.to.has(place) ? range.applied : own.end;
    const pass = async (slice: Slice): Promise<StageFindings> => {
      const tiling = new TraceTiling(names, position, slice);
      for await (const records of readLog(traceLog, Math.max(out.start, outputFrom), out.end)) {
        for (const record of records) {
          const at = `${output}@${record.offset}`;
          const isTold = record.offset < (extent.outputSeen.get(output) ?? 0);
          const told = slice.isFirst && !isTold ? tiling.findings : undefined;
          const trace = decodeOrReport(assembledTraceCodec, record.value, at, told);
          if (trace !== undefined) tiling.see(record, trace);
        }
      }
      for await (const records of readLog(log, range.start, to)) {
        for (const record of records) tiling.expect(record);
      }
      return tiling.finish();
    };
    addFindings(findings, await inSlices(keysMax, pass));
    next.from.set(place, Math.max(range.start, Math.min(low, applied)));
    next.outputFrom.set(output, outputPosition);
    next.outputSeen.set(output, out.end);
  }
  return { findings, next };
}
