import type { Span, SpanKind } from '../api-types.ts';

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly failed?: boolean;
  readonly service?: string;
}

/** [name, parent's name or '', start, end, options]: a trace in waterfall order as a test writes it. */
export type SpanLine = readonly [name: string, parent: string, start: number, end: number, options?: SpanOptions];

export function spansOf(lines: readonly SpanLine[]): Span[] {
  const rows = new Map(lines.map(([name], row) => [name, row]));
  const spans: Span[] = [];
  for (const [name, above, start, end, { kind = 'internal', failed = false, service = 'shop' } = {}] of lines) {
    const parent = rows.get(above) ?? -1;
    spans.push({
      spanId: name,
      parentSpanId: above === '' ? null : above,
      parent,
      depth: parent < 0 ? 0 : (spans[parent]?.depth ?? 0) + 1,
      service,
      resource: 0,
      operation: name,
      kind,
      offsetNs: start,
      durationNs: end - start,
      status: failed ? 'error' : 'unset',
      statusMessage: '',
      warnings: [],
    });
  }
  return spans;
}
