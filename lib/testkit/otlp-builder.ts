import { type Attributes, encodeTraceRequest, type GeneratedEvent, type SpanKind } from './traffic/otlp-encode.ts';

/**
 * Literal traces for tests: what a case is about stands in the case, the rest is filled in.
 *
 *     otlp([
 *       { service: 'web', spans: [{ id: 1, kind: 'server', name: 'GET /', start: 0, duration: 30 }] },
 *       { service: 'app', spans: [{ id: 2, parent: 1, kind: 'server', start: 5, duration: 20, error: true }] },
 *     ])
 *
 * @returns one encoded OTLP `ExportTraceServiceRequest` with a ResourceSpans per literal, in order.
 */
export function otlp(resources: readonly ResourceLiteral[], options: OtlpOptions = {}): Buffer {
  return Buffer.concat(resources.map((resource) => resourceSpans(resource, options)));
}

export interface ResourceLiteral {
  /** `service.name`; left out when undefined. */
  readonly service?: string;
  /** Further resource attributes. */
  readonly resource?: Attributes;
  readonly scope?: string;
  readonly spans: readonly SpanLiteral[];
}

export interface SpanLiteral {
  /** A number becomes the last bytes of the 8, a string is 16 hex characters. */
  readonly id: number | string;
  /** Same; 0 and undefined: no parent. */
  readonly parent?: number | string;
  /** A number becomes the last bytes of the 16, a string is 32 hex characters. Default: the option, else 1. */
  readonly trace?: number | string;
  readonly name?: string;
  /** Default: internal. */
  readonly kind?: SpanKind;
  /** Milliseconds after `epochMs`; default 0. */
  readonly start?: number;
  /** Milliseconds; negative ends before it starts. Default 1. */
  readonly duration?: number;
  /** Status ERROR, with a message when it is a string; `false`: status OK; undefined: no status. */
  readonly error?: boolean | string;
  readonly attributes?: Attributes;
  /** Spans that it links to: ids as above, of the same trace unless said otherwise. */
  readonly links?: readonly { readonly id: number | string; readonly trace?: number | string }[];
  readonly events?: readonly { readonly name: string; readonly at?: number; readonly attributes?: Attributes }[];
}

export interface OtlpOptions {
  readonly trace?: number | string;
  /** Unix milliseconds that `start` counts from; default EPOCH_MS. */
  readonly epochMs?: number;
}

/** A multiple of 10 s and of an hour, so that windows begin here. */
export const EPOCH_MS = 1_699_999_200_000;

/** The bytes of an id literal: `length` is 8 for spans, 16 for traces. */
export function idBytes(id: number | string, length: 8 | 16): Buffer {
  return Buffer.from(typeof id === 'string' ? id : id.toString(16).padStart(length * 2, '0'), 'hex');
}

function resourceSpans(literal: ResourceLiteral, options: OtlpOptions): Buffer {
  return encodeTraceRequest({ 'service.name': literal.service, ...literal.resource }, [
    {
      scope: { name: literal.scope ?? 'test', version: '1' },
      spans: literal.spans.map((span) => generatedSpan(span, options)),
    },
  ]);
}

function generatedSpan(span: SpanLiteral, options: OtlpOptions) {
  const startUnixNano = nanos((options.epochMs ?? EPOCH_MS) + (span.start ?? 0));
  const hasParent = span.parent !== undefined && span.parent !== 0;
  return {
    traceId: idBytes(span.trace ?? options.trace ?? 1, 16),
    spanId: idBytes(span.id, 8),
    ...(hasParent ? { parentSpanId: idBytes(span.parent ?? 0, 8) } : {}),
    name: span.name ?? `operation-${span.id}`,
    kind: span.kind ?? 'internal',
    startUnixNano,
    endUnixNano: startUnixNano + nanos(span.duration ?? 1),
    attributes: span.attributes ?? {},
    events: (span.events ?? []).map(
      (event): GeneratedEvent => ({
        timeUnixNano: startUnixNano + nanos(event.at ?? 0),
        name: event.name,
        attributes: event.attributes ?? {},
      }),
    ),
    ...(span.links === undefined
      ? {}
      : {
          links: span.links.map((link) => ({
            traceId: idBytes(link.trace ?? span.trace ?? options.trace ?? 1, 16),
            spanId: idBytes(link.id, 8),
          })),
        }),
    ...(span.error === undefined ? {} : { status: statusOf(span.error) }),
  };
}

function statusOf(error: boolean | string): { code: 'ok' | 'error'; message?: string } {
  if (error === false) return { code: 'ok' };
  return typeof error === 'string' ? { code: 'error', message: error } : { code: 'error' };
}

function nanos(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * 1000n;
}
