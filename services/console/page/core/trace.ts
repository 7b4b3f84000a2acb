export type AttributeValue = string | number | boolean | null | readonly AttributeValue[] | { readonly [key: string]: AttributeValue };

export interface Attribute {
  readonly key: string;
  readonly value: AttributeValue;
}

export interface SpanEvent {
  readonly name: string;
  /** Microseconds after the trace's start. */
  readonly atUs: number;
  readonly attributes: readonly Attribute[];
}

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
}

/** One span as the page works with it. Times are microseconds after the trace's start: exact to 1 µs for 285 years. */
export interface Span {
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly service: string;
  readonly operation: string;
  readonly kind: SpanKind;
  readonly startUs: number;
  readonly durationUs: number;
  readonly failed: boolean;
  readonly statusMessage: string;
  readonly attributes: readonly Attribute[];
  readonly resource: readonly Attribute[];
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
}

export type SpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal';

export interface Trace {
  readonly traceId: string;
  /** Milliseconds of Unix time. */
  readonly startMs: number;
  readonly spans: readonly Span[];
  /** What the console could not get, in its words; empty when it got all there is. */
  readonly problems: readonly string[];
}
