import type { AssembledTrace } from '../../lib/codec/records.ts';
import { scanOtlpRequest } from '../../lib/trace/otlp-scan.ts';
import { resourceServiceName } from '../../lib/trace/service-name.ts';
import { SpanTable } from '../../lib/trace/span-table.ts';
import type { SimPartition } from './sim-kafka.ts';

/** What became of everything that was produced. A run is good when lost, double, empty, foreign and stuck are 0. */
export interface Verdict {
  /** (trace, offset) pairs in the log. */
  readonly units: number;
  /** Pairs that no committed trace names as its input. */
  readonly lost: number;
  /** Pairs that more than one names. */
  readonly double: number;
  /** Spans whose bytes are in no committed trace, although their pair is. */
  readonly empty: number;
  /** Pairs or spans in a committed trace that never were in the log. */
  readonly foreign: number;
  /** Spans that are in committed traces more than once. */
  readonly copies: number;
  readonly stuck: number;
  readonly rebuilds: number;
  readonly adoptions: number;
  readonly commits: number;
  readonly crashes: number;
  /** Of all choices of the run, to compare a replay with. */
  readonly decisions: number;
}

/** Holds the committed traces against the log: pairs by their inputs, contents by the spans' own bytes. */
export function checkAccounting(
  log: SimPartition,
  traces: readonly AssembledTrace[],
  options: { copiesMayRemain: boolean },
): Pick<Verdict, 'units' | 'lost' | 'double' | 'empty' | 'foreign' | 'copies' | 'stuck'> {
  const units = new Map<string, number>();
  const spans = new Map<string, number>();
  for (const record of log.committed()) {
    for (const { traceId, identity } of spansOf(record.value as Buffer)) {
      units.set(`${traceId}@${record.offset}`, 0);
      spans.set(identity, 0);
    }
  }
  let foreign = 0;
  for (const trace of traces) {
    for (const offset of trace.inputs) {
      const unit = `${trace.traceId}@${offset}`;
      const seen = units.get(unit);
      if (seen === undefined) foreign++;
      else units.set(unit, seen + 1);
    }
    const own = spansOf(trace.otlp);
    if (own.length !== trace.spanCount) foreign++;
    for (const { traceId, identity } of own) {
      const seen = spans.get(identity);
      if (seen === undefined || traceId !== trace.traceId) foreign++;
      else spans.set(identity, seen + 1);
    }
  }
  const counts = [...units.values()];
  const spanCounts = [...spans.values()];
  const copies = spanCounts.filter((count) => count > 1).length;
  return {
    units: units.size,
    lost: counts.filter((count) => count === 0).length,
    double: counts.filter((count) => count > 1).length + (options.copiesMayRemain ? 0 : copies),
    empty: spanCounts.filter((count) => count === 0).length,
    foreign,
    copies,
    stuck: 0,
  };
}

function spansOf(bytes: Buffer): { traceId: string; identity: string }[] {
  const table = new SpanTable();
  const problem = scanOtlpRequest(bytes, table);
  if (problem !== undefined) throw new Error(`not a request: ${problem.reason}`);
  const spans: { traceId: string; identity: string }[] = [];
  for (let row = 0; row < table.count; row++) {
    const idAt = table.traceId[row] as number;
    const context = table.context[row] as number;
    const resourceStart = table.resourceStart[context] as number;
    const service = resourceServiceName(bytes, resourceStart, table.resourceEnd[context] as number);
    const body = bytes.latin1Slice(table.bodyStart[row], table.bodyEnd[row]);
    spans.push({ traceId: bytes.hexSlice(idAt, idAt + 16), identity: `${service}\n${body}` });
  }
  return spans;
}
