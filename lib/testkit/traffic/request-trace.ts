import type { Attributes, Scope, SpanKind } from './otlp-encode.ts';
import type { SeededRandom } from './random.ts';
import type { Instance } from './system.ts';

/** A span as it was made, in virtual milliseconds; it becomes OTLP when its instance exports it. */
export interface TracedSpan {
  readonly instance: Instance;
  readonly scope: Scope;
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId: Uint8Array | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly error: { readonly message: string | undefined } | undefined;
  readonly exception: { readonly type: string; readonly message: string } | undefined;
}

/** The spans of one request, from whichever service made them. */
export class RequestTrace {
  private readonly random: SeededRandom;
  private readonly traceId: Uint8Array;
  private readonly open: OpenSpan[] = [];

  constructor(random: SeededRandom) {
    this.random = random;
    this.traceId = random.bytes(16);
  }

  begin(instance: Instance, scope: Scope, kind: SpanKind, name: string, startMs: number, parent?: OpenSpan): OpenSpan {
    const span = new OpenSpan(
      { instance, scope, kind, name, startMs, traceId: this.traceId, parentSpanId: parent?.spanId },
      this.random.bytes(8),
    );
    this.open.push(span);
    return span;
  }

  spans(): TracedSpan[] {
    return this.open.map((span) => span.finished());
  }
}

type Begun = Pick<TracedSpan, 'instance' | 'scope' | 'kind' | 'name' | 'startMs' | 'traceId' | 'parentSpanId'>;

export class OpenSpan {
  readonly spanId: Uint8Array;
  private readonly begun: Begun;
  private endMs: number | undefined;
  private attributes: Attributes = {};
  private error: TracedSpan['error'];
  private exception: TracedSpan['exception'];

  constructor(begun: Begun, spanId: Uint8Array) {
    this.begun = begun;
    this.spanId = spanId;
  }

  end(endMs: number, attributes: Attributes): void {
    if (endMs < this.begun.startMs) throw new Error(`Span ${this.begun.name} would end before it began`);
    this.endMs = endMs;
    this.attributes = attributes;
  }

  /** Sets status ERROR and `error.type`; the exception, if any, becomes an event. */
  fail(errorType: string, message?: string, exception?: { type: string; message: string }): void {
    this.error = { message };
    this.exception = exception;
    this.attributes = { ...this.attributes, 'error.type': errorType };
  }

  finished(): TracedSpan {
    if (this.endMs === undefined) throw new Error(`Span ${this.begun.name} was never ended`);
    return {
      ...this.begun,
      spanId: this.spanId,
      endMs: this.endMs,
      attributes: this.attributes,
      error: this.error,
      exception: this.exception,
    };
  }
}
