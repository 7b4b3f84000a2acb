import type { AssembledTrace } from '../../lib/codec/records.ts';
import type { LogRecord } from '../../lib/kafka/types.ts';
import { scanOtlpRequest } from '../../lib/trace/otlp-scan.ts';
import { SpanTable } from '../../lib/trace/span-table.ts';
import { newFindings, report, type StageFindings } from './findings.ts';
import { keyOf } from './hash.ts';
import { KeyBag } from './key-bag.ts';
import type { Slice } from './slices.ts';

/** Where the assembler of a partition stands, and which offsets of its input are judged. */
export interface AssemblerPosition {
  /** One past the last offset that is judged: what the assembler has committed, or less. */
  readonly applied: number;
  /** Pairs from here on may still be in open windows. */
  readonly low: number;
  readonly spansStart: number;
  /** Retention has taken offsets below `spansStart` that should have been judged. */
  readonly spansCut: boolean;
  /** Retention has taken trace records that should have been read. */
  readonly tracesCut: boolean;
  /** Trace records from here on that are of inputs before `spansStart` are copies: those inputs were judged before. */
  readonly tracesSeen: number;
}

/**
 * Bundles against trace records of one partition: each (trace, offset) in exactly one committed record, with its bytes.
 * First every trace record is `see`n, then every bundle from the first that is judged `expect`ed.
 */
export class TraceTiling {
  readonly findings: StageFindings;
  private readonly position: AssemblerPosition;
  private readonly names: { readonly spans: string; readonly traces: string; readonly partition: number };
  private readonly slice: Slice;
  private readonly pairs: KeyBag;
  /** Pairs that came out, of offsets that are not judged: they are not open. */
  private readonly later: KeyBag;
  private readonly content: KeyBag;
  private readonly records: Seen[] = [];

  constructor(
    names: { readonly spans: string; readonly traces: string; readonly partition: number },
    position: AssemblerPosition,
    slice: Slice,
  ) {
    this.names = names;
    this.position = position;
    this.slice = slice;
    this.pairs = new KeyBag(slice);
    this.later = new KeyBag(slice);
    this.content = new KeyBag(slice);
    this.findings = newFindings('traces', 'pairs of trace and offset');
  }

  see(record: LogRecord, trace: AssembledTrace): void {
    if (!this.slice.has(keyOf(trace.traceId))) return;
    const at = `${this.names.traces}/${this.names.partition}@${record.offset}`;
    const inputs = trace.inputs.filter((offset) => offset < this.position.applied);
    for (const offset of trace.inputs)
      if (offset >= this.position.applied) this.later.add(pairOf(trace.traceId, offset), 0);
    const known = inputs.filter((offset) => offset >= this.position.spansStart);
    if (this.position.spansCut) this.findings.gap += inputs.length - known.length;
    const copies = inputs.length - known.length;
    if (copies > 0 && record.offset >= this.position.tracesSeen) {
      report(this.findings, 'double', at, `trace ${trace.traceId}: an input came out before`, copies);
    }
    if (known.length === 0) return;
    this.slice.count();
    const seen: Seen = {
      offset: record.offset,
      traceId: trace.traceId,
      // Only a record whose every input can be read again can be weighed.
      weighed: known.length === trace.inputs.length,
      spans: trace.spanCount + trace.duplicateCount,
      expected: 0,
    };
    const index = this.records.push(seen) - 1;
    for (const offset of known) this.pairs.add(pairOf(trace.traceId, offset), index);
    if (scanOtlpRequest(trace.otlp, table) !== undefined || table.count !== trace.spanCount) {
      return report(this.findings, 'altered', at, `trace ${trace.traceId}: its spans are not what it says`);
    }
    for (let row = 0; row < table.count; row++) {
      this.content.add(keyOf(trace.otlp.subarray(table.bodyStart[row], table.bodyEnd[row])), index);
    }
  }

  expect(record: LogRecord): void {
    const { position, names, findings } = this;
    if (record.value === null || record.offset < position.spansStart) return;
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
      if (!this.slice.has(keyOf(traceId))) continue;
      const pair = pairOf(traceId, record.offset);
      if (record.offset >= position.applied) {
        if (this.later.take(pair) === undefined) findings.open++;
        continue;
      }
      const index = this.pairs.take(pair);
      if (index === undefined) {
        if (record.offset >= position.low) findings.open++;
        else if (position.tracesCut) findings.gap++;
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

function pairOf(traceId: string, offset: number): number {
  return keyOf(traceId, String(offset));
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
