import type { LogRecord } from '../../../lib/kafka/types.ts';
import { type Bundle, BundleBuilder } from '../../../lib/trace/otlp-bundle.ts';
import { SPAN_PROBLEMS, type SpanProblem, SpanTable } from '../../../lib/trace/span-table.ts';
import { WireWriter } from '../../../lib/trace/wire-writer.ts';
import type { RouterPorts } from '../ports.ts';
import { type ContextProblem, Contexts } from './contexts.ts';
import { cutToFit } from './cut.ts';
import { DeadLetters, type Origin } from './dead-letters.ts';
import { decodeRecord, type Encoding } from './decode.ts';
import { inspect, VERDICT } from './inspect.ts';
import { KIND } from './message-kinds.ts';
import { Redactor } from './redact.ts';
import type { RedactionRules } from './redaction-rules.ts';

export interface RouteSettings {
  /** The ingest partition. */
  readonly topic: string;
  readonly partition: number;
  readonly encoding: Encoding;
  /** Of spanloom.spans. */
  readonly partitions: number;
  readonly spanBytesMax: number;
  readonly rules: RedactionRules;
  readonly deadLetterPayload: boolean;
}

/** What leaves the router by one output is at most this large; a larger span with its context would not fit. */
export const BUNDLE_BYTES_MAX = 1024 * 1024;

/**
 * Takes ingest records and gathers what becomes of them: bundles of spans by partition, and dead letters. Every span of
 * every record ends in exactly one of the two.
 */
export class RouteBuilder {
  readonly deadLetters: DeadLetters;
  /** Spans cut. */
  private spansCut = 0;
  private readonly settings: RouteSettings;
  private readonly ports: RouterPorts;
  private readonly bundles: BundleBuilder;
  private readonly redactor: Redactor;
  private readonly contexts: Contexts;
  private table = new SpanTable();
  /** Spans that could not be copied as they came; written one after another until the bundles are taken. */
  private rewritten = new WireWriter(REWRITTEN_BYTES_KEPT);
  private rewrittenBuffer: Buffer | undefined;
  private rewrittenSource = -1;

  constructor(settings: RouteSettings, ports: RouterPorts) {
    this.settings = settings;
    this.ports = ports;
    this.deadLetters = new DeadLetters(ports, settings.deadLetterPayload);
    this.bundles = new BundleBuilder(settings.partitions, BUNDLE_BYTES_MAX);
    this.redactor = new Redactor(settings.rules, ports.hashValue);
    this.contexts = new Contexts(this.bundles, settings.rules, this.redactor);
  }

  get spanCount(): number {
    return this.bundles.spanCount;
  }

  /** Redactions since the last `clear`, by kind; those of a resource count once per poll. */
  get redacted(): ReadonlyMap<string, number> {
    const { kinds, counts } = this.redactor;
    return new Map(kinds.map((kind, i) => [kind, counts[i] as number] as const).filter(([, count]) => count > 0));
  }

  /** Spans, resources and scopes cut since the last `clear`. */
  get truncated(): number {
    return this.spansCut + this.contexts.truncated;
  }

  take(record: LogRecord): void {
    const decoded = decodeRecord(record.value, this.settings.encoding, this.table, this.ports.decoders);
    const origin: Origin = {
      topic: this.settings.topic,
      partition: this.settings.partition,
      offset: record.offset,
      timestampMs: record.timestampMs,
      encoding: decoded.encoding,
    };
    if (!decoded.ok) this.deadLetters.refuseRecord(origin, decoded.reason, decoded.detail, record.value);
    else this.takeSpans(decoded.bytes, origin);
    // One record of millions of empty spans must not keep its table for ever.
    if (this.table.count > TABLE_ROWS_KEPT) this.table = new SpanTable();
  }

  /** The bundles gathered; `clear` is due once they are written. */
  takeBundles(): Bundle[] {
    return this.bundles.take();
  }

  clear(): void {
    this.bundles.clear();
    this.contexts.clear();
    this.deadLetters.clear();
    this.redactor.counts.fill(0);
    this.spansCut = 0;
    this.rewrittenBuffer = undefined;
    if (this.rewritten.buffer.length > REWRITTEN_BYTES_KEPT) this.rewritten = new WireWriter(REWRITTEN_BYTES_KEPT);
    this.rewritten.clear();
  }

  private takeSpans(bytes: Buffer, origin: Origin): void {
    const { table, bundles, contexts } = this;
    const { partitionOfTrace } = this.ports;
    const { rules, spanBytesMax } = this.settings;
    let contextRow = -1;
    let context: number | ContextProblem = -1;
    const source = bundles.addSource(bytes);
    bundles.atOffset(origin.offset);
    for (let row = 0; row < table.count; row++) {
      if (table.context[row] !== contextRow) {
        contextRow = table.context[row]!;
        context = contexts.contextOf(bytes, table, contextRow);
      }
      const start = table.bodyStart[row]!;
      const end = table.bodyEnd[row]!;
      const problem = table.problem[row]!;
      if (problem !== 0) {
        this.refuse(origin, row, SPAN_PROBLEMS[problem]!, bytes, start, end);
        continue;
      }
      if (typeof context === 'string') {
        this.refuse(origin, row, context, bytes, start, end);
        continue;
      }
      const verdict = inspect(KIND.span, bytes, start, end, rules);
      if (verdict === VERDICT.clean && end - start <= spanBytesMax) {
        bundles.add(partitionOfTrace(bytes, table.traceId[row]!), context, source, table.fieldStart[row]!, end);
      } else if (verdict <= VERDICT.edit) {
        this.rewriteSpan(bytes, row, context, origin);
      } else {
        this.refuse(origin, row, verdict === VERDICT.invalid ? 'invalid_wire' : 'nested_too_deep', bytes, start, end);
      }
    }
    this.deadLetters.endRecord(origin);
  }

  /** Redacts and cuts one span, and adds it from the buffer of rewritten ones. */
  private rewriteSpan(bytes: Buffer, row: number, context: number, origin: Origin): void {
    const { rewritten, table } = this;
    const { spanBytesMax } = this.settings;
    const start = table.bodyStart[row]!;
    const end = table.bodyEnd[row]!;
    const redactedBefore = [...this.redactor.counts];
    const fieldStart = rewritten.at;
    const mark = rewritten.begin(TAG_SPAN, end - start);
    const bodyStart = rewritten.at;
    this.redactor.redact(KIND.span, bytes, start, end, rewritten);
    if (rewritten.at - bodyStart > spanBytesMax) {
      const cut = cutToFit('span', rewritten.buffer.subarray(bodyStart, rewritten.at), spanBytesMax);
      rewritten.at = bodyStart;
      if (cut === undefined) {
        rewritten.at = fieldStart;
        this.redactor.counts = redactedBefore;
        this.refuse(origin, row, 'span_too_large', bytes, start, end);
        return;
      }
      rewritten.copy(cut, 0, cut.length);
      this.spansCut++;
    }
    rewritten.end(mark);
    // A buffer that had to grow is another one; ranges added before point into the old, which stays as it was.
    if (rewritten.buffer !== this.rewrittenBuffer) {
      this.rewrittenBuffer = rewritten.buffer;
      this.rewrittenSource = this.bundles.addSource(rewritten.buffer);
    }
    const partition = this.ports.partitionOfTrace(bytes, table.traceId[row]!);
    this.bundles.add(partition, context, this.rewrittenSource, fieldStart, rewritten.at);
  }

  private refuse(origin: Origin, row: number, reason: Refusal, bytes: Buffer, start: number, end: number): void {
    this.deadLetters.refuseSpan(origin, row, reason, SENTENCES[reason], bytes.subarray(start, end));
  }
}

type Refusal = Exclude<SpanProblem, 'none'> | ContextProblem | 'span_too_large' | 'none';

const SENTENCES: Readonly<Record<Refusal, string>> = {
  none: '',
  trace_id_length: 'The trace id is not 16 bytes long.',
  trace_id_zero: 'The trace id is all zero.',
  span_id_length: 'The span id is not 8 bytes long.',
  span_id_zero: 'The span id is all zero.',
  parent_span_id_length: 'The parent span id is neither empty nor 8 bytes long.',
  invalid_wire: 'The attributes of the span or of its resource are not well-formed protobuf.',
  nested_too_deep: 'Attribute values are nested deeper than the router follows.',
  resource_too_large: 'The resource or scope stays too large when its attribute values are cut.',
  span_too_large: 'The span stays larger than SPAN_BYTES_MAX when its attribute values are cut.',
};

const TAG_SPAN = 0x12;
const REWRITTEN_BYTES_KEPT = 1024 * 1024;
const TABLE_ROWS_KEPT = 262_144;
