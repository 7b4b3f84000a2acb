import { fieldRange, findField } from '../../../lib/trace/attributes.ts';
import type { TraceSpans } from './trace-spans.ts';

/**
 * Rows of the spans that a span's links point to, as far as they are in the same trace; at most LINKS_MAX. A span of
 * another trace is not known here: what connects the two is the queue that both name.
 *
 * @param found is filled anew.
 */
export function linkedSpans(spans: TraceSpans, row: number, found: number[]): void {
  found.length = 0;
  const { bytes, table, tree } = spans;
  const end = table.bodyEnd[row] as number;
  const traceIdAt = table.traceId[row] as number;
  let at = table.bodyStart[row] as number;
  for (let links = 0; links < LINKS_MAX && findField(bytes, at, end, TAG_SPAN_LINKS); links++) {
    const link = fieldRange();
    at = link.end;
    if (!findField(bytes, link.start, link.end, TAG_LINK_TRACE_ID)) continue;
    const trace = fieldRange();
    const isSameTrace =
      trace.end - trace.start === 16 &&
      traceIdAt >= 0 &&
      bytes.compare(bytes, traceIdAt + 8, traceIdAt + 16, trace.start + 8, trace.end) === 0;
    if (!isSameTrace || !findField(bytes, link.start, link.end, TAG_LINK_SPAN_ID)) continue;
    const span = fieldRange();
    const linked = span.end - span.start === 8 ? tree.find(bytes, span.start, table) : -1;
    if (linked >= 0 && linked !== row && !found.includes(linked)) found.push(linked);
  }
}

/** A consumer of a batch links to each of its messages; further ones are not looked at. */
const LINKS_MAX = 128;
const TAG_SPAN_LINKS = 0x6a;
const TAG_LINK_TRACE_ID = 0x0a;
const TAG_LINK_SPAN_ID = 0x12;
