import { otlpToJson } from '../../lib/codec/otlp-json.ts';
import { jaegerTrace } from '../../services/console/core/query-apis/jaeger-trace.ts';
import { traceView } from '../../services/console/core/trace/trace-view.ts';
import type { Io } from '../io.ts';

export const TRACE_FORMATS = ['otlp', 'jaeger'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

export interface ArchivedOtlp {
  readonly traceId: string;
  /** One encoded OTLP request. */
  readonly bytes: Buffer;
}

/** Prints traces one by one: OTLP/JSON, a trace a line, or one document that Jaeger's page opens. */
export class TraceWriter {
  private readonly format: TraceFormat;
  private readonly io: Io;
  private written = 0;

  constructor(format: TraceFormat, io: Io) {
    this.format = format;
    this.io = io;
  }

  write({ traceId, bytes }: ArchivedOtlp): void {
    if (this.format === 'otlp') return this.io.out(JSON.stringify(otlpToJson(bytes)));
    const part = { source: 'archive' as const, revision: 1, contextLost: false, otlp: bytes };
    const view = traceView(traceId, [part], Number.POSITIVE_INFINITY);
    if (view !== undefined)
      this.io.out(`${this.written++ === 0 ? '{"data":[' : ','}${JSON.stringify(jaegerTrace(view))}`);
  }

  end(): void {
    if (this.format === 'jaeger') this.io.out(this.written === 0 ? '{"data":[]}' : ']}');
  }
}
