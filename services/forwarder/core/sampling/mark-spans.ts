import { WireReader } from '../../../../lib/trace/wire-reader.ts';
import { WireWriter } from '../../../../lib/trace/wire-writer.ts';
import { readOtState, weightOf, withThreshold } from './threshold.ts';

/**
 * Writes onto each span what share of the traces like it was kept: the threshold into its tracestate, as OpenTelemetry has
 * it, and how many it stands for into an attribute. A span that was sampled before with a higher threshold keeps that one:
 * whoever samples consistently by trace id has kept it for both reasons.
 *
 * @param otlp an encoded OTLP request. @param weightAttribute empty: none is written.
 * @throws WireError when the bytes are not OTLP.
 */
export function markSpans(otlp: Buffer, threshold: bigint, weightAttribute: string): Buffer {
  const out = new WireWriter(otlp.length + otlp.length / 4 + 64);
  copy(new WireReader(otlp), TAG_RESOURCE_SPANS, out, (resourceSpans) =>
    copy(resourceSpans, TAG_SCOPE_SPANS, out, (scopeSpans) =>
      copy(scopeSpans, TAG_SPAN, out, (span) => markSpan(span, threshold, weightAttribute, out)),
    ),
  );
  return out.buffer.subarray(0, out.at);
}

/** The tracestate of the first span; empty when it has none. @throws WireError. */
export function firstTracestate(otlp: Buffer): string {
  let reader: WireReader | undefined = new WireReader(otlp);
  for (const tag of [TAG_RESOURCE_SPANS, TAG_SCOPE_SPANS, TAG_SPAN]) {
    reader = firstOf(reader, tag)?.message();
    if (reader === undefined) return '';
  }
  return firstOf(reader, TAG_TRACE_STATE)?.text() ?? '';
}

function firstOf(reader: WireReader, tag: number): WireReader | undefined {
  while (reader.next()) if (reader.tag === tag) return reader;
  return undefined;
}

/** Copies the fields of a message, messages of one tag by `write`. */
function copy(from: WireReader, tag: number, out: WireWriter, write: (inner: WireReader) => void): void {
  while (from.next()) {
    if (from.tag !== tag) {
      out.copy(from.bytes, from.fieldStart, from.bodyEnd);
      continue;
    }
    const mark = out.begin(tag, from.bodyEnd - from.bodyStart + MARK_BYTES);
    write(from.message());
    out.end(mark);
  }
}

function markSpan(span: WireReader, threshold: bigint, weightAttribute: string, out: WireWriter): void {
  let tracestate = '';
  while (span.next()) {
    if (span.tag === TAG_TRACE_STATE) tracestate = span.text();
    else out.copy(span.bytes, span.fieldStart, span.bodyEnd);
  }
  const before = tracestate === '' ? undefined : readOtState(tracestate).threshold;
  const highest = before !== undefined && before > threshold ? before : threshold;
  out.textField(TAG_TRACE_STATE, withThreshold(tracestate, highest));
  if (weightAttribute === '') return;
  const attribute = out.begin(TAG_ATTRIBUTE, SHORT);
  out.textField(TAG_KEY, weightAttribute);
  const value = out.begin(TAG_VALUE, SHORT);
  out.varint(TAG_DOUBLE_VALUE);
  out.double(weightOf(highest));
  out.end(value);
  out.end(attribute);
}

const TAG_RESOURCE_SPANS = 0x0a;
const TAG_SCOPE_SPANS = 0x12;
const TAG_SPAN = 0x12;
const TAG_TRACE_STATE = 0x1a;
const TAG_ATTRIBUTE = 0x4a;
const TAG_KEY = 0x0a;
const TAG_VALUE = 0x12;
const TAG_DOUBLE_VALUE = 0x21;
/** What a mark adds to a span, about. */
const MARK_BYTES = 50;
const SHORT = 32;
