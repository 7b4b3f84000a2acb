import type { AssembledTrace } from '../../lib/codec/records.ts';
import type { LogRecord } from '../../lib/kafka/types.ts';
import { scanOtlpRequest } from '../../lib/trace/otlp-scan.ts';
import { SpanTable } from '../../lib/trace/span-table.ts';
import { newFindings, report, type StageFindings } from './findings.ts';
import { keyOf } from './hash.ts';
import { KeyBag } from './key-bag.ts';

/** Where the assembler of a partition stands, and what is still retained of its input and output. */
export interface AssemblerPosition {
  readonly applied: number;
  /** Pairs from here on may still be in open windows. */
  readonly low: number;
  readonly spansStart: number;
  readonly tracesStart: number;
}

/**
 * Bundles against trace records of one partition: each (trace, offset) in exactly one committed record, with its bytes.
 * First every trace record is `see`n, then every retained bundle `expect`ed.
 */
export class TraceTiling {
  readonly findings: StageFindings;
  private readonly position: AssemblerPosition;
  private readonly names: { readonly spans: string; readonly traces: string; readonly partition: number };
  private readonly pairs = new KeyBag();
  private readonly content = new KeyBag();
  private readonly records: Seen[] = [];

  constructor(
    names: { readonly spans: string; readonly traces: string; readonly partition: number },
    position: AssemblerPosition,
    findings = newFindings('traces', 'pairs of trace and offset'),
  ) {
    this.names = names;
    this.position = position;
    this.findings = findings;
  }

  see(record: LogRecord, trace: AssembledTrace): void {
    const at = `${this.names.traces}/${this.names.partition}@${record.offset}`;
    const inputs = trace.inputs.filter((offset) => offset < this.position.applied);
    if (inputs.length === 0) return;
    const known = inputs.filter((offset) => offset >= this.position.spansStart);
    this.findings.gap += inputs.length - known.length;
    const seen: Seen = {
      offset: record.offset,
      traceId: trace.traceId,
      // Only a record whose every input can be read again can be weighed.
      weighed: known.length === trace.inputs.length,
      spans: trace.spanCount + trace.duplicateCount,
      expected: 0,
    };
    const index = this.records.push(seen) - 1;
    for (const offset of known) this.pairs.add(keyOf(trace.traceId, String(offset)), index);
    if (scanOtlpRequest(trace.otlp, table) !== undefined || table.count !== trace.spanCount) {
      return report(this.findings, 'altered', at, `trace ${trace.traceId}: its spans are not what it says`);
    }
    for (let row = 0; row < table.count; row++) {
      this.content.add(keyOf(trace.otlp.subarray(table.bodyStart[row], table.bodyEnd[row])), index);
    }
  }

  expect(record: LogRecord): void {
    const { position, names, findings } = this;
    if (record.offset >= position.applied || record.value === null) return;
    const at = `${names.spans}/${names.partition}@${record.offset}`;
    const bytes = record.value;
    // A bundle that is no request is told of by the stage before.
    if (scanOtlpRequest(bytes, table) !== undefined) return;
    const spans = new Map<string, number[]>();
    for (let row = 0; row < table.count; row++) {
      if (table.problem[row] !== 0) continue;
      const start = table.traceId[row] as number;
      const traceId = bytes.hexSlice(start, start + TRACE_ID_BYTES);
      const key = keyOf(bytes.subarray(table.bodyStart[row], table.bodyEnd[row]));
      const known = spans.get(traceId);
      if (known === undefined) spans.set(traceId, [key]);
      else known.push(key);
    }
    for (const [traceId, keys] of spans) {
      const index = this.pairs.take(keyOf(traceId, String(record.offset)));
      if (index === undefined) {
        if (record.offset >= position.low) findings.open++;
        else if (position.tracesStart > 0) findings.gap++;
        else report(findings, 'missing', at, `trace ${traceId} of this bundle is in no trace record`);
        continue;
      }
      findings.matched++;
      (this.records[index] as Seen).expected += keys.length;
      const lost = keys.filter((key) => !this.content.has(key)).length;
      if (lost > 0) report(findings, 'altered', at, `trace ${traceId}: ${lost} spans have other bytes in its record`);
    }
  }

  finish(): StageFindings {
    const { traces, partition } = this.names;
    const unmatched = new Set<number>();
    for (const { place, left, wasTaken } of this.pairs.rest()) {
      const seen = this.records[place] as Seen;
      const at = `${traces}/${partition}@${seen.offset}`;
      unmatched.add(place);
      if (wasTaken) report(this.findings, 'double', at, `trace ${seen.traceId}: an input is in two records`, left);
      else report(this.findings, 'foreign', at, `trace ${seen.traceId} names an input that does not hold it`, left);
    }
    for (const [index, { offset, traceId, weighed, spans, expected }] of this.records.entries()) {
      if (!weighed || unmatched.has(index) || spans === expected || expected === 0) continue;
      const detail = `trace ${traceId}: ${spans} spans and copies, its inputs hold ${expected}`;
      report(this.findings, 'altered', `${traces}/${partition}@${offset}`, detail);
    }
    return this.findings;
  }
}

interface Seen {
  readonly offset: number;
  readonly traceId: string;
  readonly weighed: boolean;
  /** Spans and copies, as the record says. */
  readonly spans: number;
  /** Spans in the bundles that it names. */
  expected: number;
}

const table = new SpanTable();
const TRACE_ID_BYTES = 16;
