import type { Attribute, Span, SpanWarning, Trace } from '../api-types.ts';
import { microsAt } from './micros.ts';
import { scopeTags } from './scope-tags.ts';
import { shortTraceId } from './trace-ids.ts';

export interface JaegerTag {
  readonly key: string;
  readonly type: 'string' | 'bool' | 'int64' | 'float64' | 'binary';
  readonly value: string | number | boolean;
}

export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly { refType: 'CHILD_OF' | 'FOLLOWS_FROM'; traceID: string; spanID: string }[];
  /** Microseconds since 1970. */
  readonly startTime: number;
  /** Microseconds. */
  readonly duration: number;
  readonly flags: number;
  readonly tags: readonly JaegerTag[];
  readonly logs: readonly { timestamp: number; fields: readonly JaegerTag[] }[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
}

export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { serviceName: string; tags: readonly JaegerTag[] }>>;
  readonly warnings: readonly string[] | null;
}

/**
 * A trace in Jaeger's classic JSON. What Jaeger keeps in fields of OTLP becomes tags as in Jaeger's own translation
 * from OTLP: `span.kind`, `error`, `otel.status_code`, `otel.status_description`, `otel.scope.name`, `otel.scope.version`.
 */
export function jaegerTrace(trace: Omit<Trace, 'notices'>): JaegerTrace {
  const traceID = shortTraceId(trace.traceId);
  return {
    traceID,
    spans: trace.spans.map((span) => jaegerSpan(span, traceID, trace.startNs)),
    processes: Object.fromEntries(
      trace.resources.map(({ service, attributes }, i) => {
        const tags = attributes.filter(({ key }) => key !== 'service.name').map(jaegerTag);
        return [processId(i), { serviceName: service, tags }];
      }),
    ),
    warnings: null,
  };
}

function jaegerSpan(span: Span, traceID: string, startNs: string): JaegerSpan {
  const { detail, parentSpanId, warnings } = span;
  const links = detail?.links ?? [];
  const parent = parentSpanId === null ? [] : [{ refType: 'CHILD_OF' as const, traceID, spanID: parentSpanId }];
  const follows = links.map(({ traceId, spanId }) => ({
    refType: 'FOLLOWS_FROM' as const,
    traceID: shortTraceId(traceId),
    spanID: spanId,
  }));
  return {
    traceID,
    spanID: span.spanId,
    operationName: span.operation,
    references: [...parent, ...follows],
    startTime: microsAt(startNs, span.offsetNs),
    duration: Math.floor(span.durationNs / 1000),
    flags: SAMPLED,
    tags: [...(detail?.attributes ?? []).map(jaegerTag), ...tagsOfFields(span)],
    logs: (detail?.events ?? []).map(({ name, offsetNs, attributes }) => ({
      timestamp: microsAt(startNs, offsetNs),
      fields: [text('event', name), ...attributes.map(jaegerTag)],
    })),
    processID: processId(span.resource),
    warnings: warnings.length === 0 ? null : warnings.map((warning) => WARNINGS[warning]),
  };
}

function tagsOfFields({ kind, status, statusMessage, detail }: Span): JaegerTag[] {
  return [
    ...(kind === 'unspecified' ? [] : [text('span.kind', kind)]),
    ...(status === 'unset' ? [] : [text('otel.status_code', status.toUpperCase())]),
    ...(status === 'error' ? [{ key: 'error', type: 'bool' as const, value: true }] : []),
    ...(statusMessage === '' ? [] : [text('otel.status_description', statusMessage)]),
    ...scopeTags(detail?.scope).map(([key, value]) => text(key, value)),
  ];
}

function jaegerTag({ key, type, value }: Attribute): JaegerTag {
  switch (type) {
    case 'bool':
      return { key, type: 'bool', value: value === 'true' };
    case 'int': {
      // As Jaeger does for numbers that JavaScript would round.
      const number = Number(value);
      return { key, type: 'int64', value: Number.isSafeInteger(number) ? number : value };
    }
    case 'double': {
      const number = Number(value);
      return Number.isFinite(number) ? { key, type: 'float64', value: number } : text(key, value);
    }
    case 'bytes':
      return { key, type: 'binary', value };
    default:
      return text(key, value);
  }
}

function text(key: string, value: string): JaegerTag {
  return { key, type: 'string', value };
}

function processId(resource: number): string {
  return `p${resource + 1}`;
}

const SAMPLED = 1;
const WARNINGS: Readonly<Record<SpanWarning, string>> = {
  orphan: 'The parent of this span is not in the trace.',
  cycle: 'This span is among its own parents; it is shown as a root.',
  before_parent: 'This span starts before its parent.',
  after_parent: 'This span ends after its parent.',
  negative_duration: 'This span ends before it starts; its duration is shown as 0.',
  duplicate_id: 'Another span has the same id.',
};
