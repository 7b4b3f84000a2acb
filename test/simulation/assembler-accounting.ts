import { type AssembledTrace, assembledTraceCodec } from '../../lib/codec/records.ts';
import type { LogRecord } from '../../lib/kafka/types.ts';
import { scanOtlpRequest } from '../../lib/trace/otlp-scan.ts';
import { resourceServiceName } from '../../lib/trace/service-name.ts';
import { SpanTable } from '../../lib/trace/span-table.ts';

/** One log of a partition, with the offsets from which its pairs need not, and may not, have come out. */
export interface AccountedLog {
  readonly records: readonly LogRecord[];
  /** Whether the pairs of this offset may be missing: retention took it, or its log was deleted while it was open. */
  mayBeMissing(offset: number): boolean;
  /** From here on nothing was read before the log was deleted. */
  readonly readTo: number;
}

/** What became of the pairs and spans of a partition. A run is good when lost, double, empty and foreign are 0. */
export interface Accounts {
  /** (trace, offset) pairs in the logs. */
  readonly units: number;
  /** Pairs that no committed trace names as its input, though one should. */
  readonly lost: number;
  /** Pairs that more than one names. */
  readonly double: number;
  /** Spans whose bytes are in no committed trace, although a pair of theirs is. */
  readonly empty: number;
  /** Pairs or spans in a committed trace that never were in a log, or were never read. */
  readonly foreign: number;
  /** Spans that are in committed traces more than once. */
  readonly copies: number;
  /** Pairs that may be missing and are. */
  readonly excused: number;
}

/** Holds the committed traces of one partition against its logs: pairs by their inputs, contents by the spans' own bytes. */
export function accountsOf(logs: readonly AccountedLog[], committed: readonly LogRecord[]): Accounts {
  const units = new Map<string, Unit>();
  const spans = new Map<string, { count: number; units: Unit[] }>();
  for (const log of logs) {
    for (const record of log.records) {
      for (const { traceId, identity } of spansOf(record.value as Buffer)) {
        const name = `${traceId}@${record.offset}`;
        const mayBeMissing = record.offset >= log.readTo || log.mayBeMissing(record.offset);
        const unit = units.get(name) ?? { count: 0, mayBeMissing, isUnread: record.offset >= log.readTo };
        units.set(name, unit);
        const span = spans.get(identity) ?? { count: 0, units: [] };
        span.units.push(unit);
        spans.set(identity, span);
      }
    }
  }
  let foreign = 0;
  for (const { value } of committed) {
    const trace: AssembledTrace = assembledTraceCodec.decode(value as Buffer);
    for (const offset of trace.inputs) {
      const unit = units.get(`${trace.traceId}@${offset}`);
      if (unit === undefined || unit.isUnread) foreign++;
      else unit.count++;
    }
    const own = spansOf(trace.otlp);
    if (own.length !== trace.spanCount) foreign++;
    for (const { traceId, identity } of own) {
      const span = spans.get(identity);
      if (span === undefined || traceId !== trace.traceId) foreign++;
      else span.count++;
    }
  }
  const all = [...units.values()];
  const contents = [...spans.values()];
  return {
    units: all.length,
    lost: all.filter(({ count, mayBeMissing }) => count === 0 && !mayBeMissing).length,
    double: all.filter(({ count }) => count > 1).length,
    empty: contents.filter((span) => span.count === 0 && span.units.some(({ count }) => count > 0)).length,
    foreign,
    copies: contents.filter(({ count }) => count > 1).length,
    excused: all.filter(({ count, mayBeMissing }) => count === 0 && mayBeMissing).length,
  };
}

interface Unit {
  count: number;
  readonly mayBeMissing: boolean;
  readonly isUnread: boolean;
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
