import { encodeTraceRequest, type GeneratedSpan, type Scope } from './otlp-encode.ts';
import type { TracedSpan } from './request-trace.ts';
import type { Instance } from './system.ts';

/** One OTLP request, as one instance of one service sends it to Kafka. Times are virtual milliseconds. */
export interface ExportRecord {
  readonly atMs: number;
  readonly instance: Instance;
  readonly value: Buffer;
  readonly spans: readonly TracedSpan[];
}

/**
 * Holds an instance's spans until they have ended and its timer fires, as an SDK's BatchSpanProcessor does. So a
 * record mixes many traces, and a trace is spread over the records of all instances it went through.
 */
export class BatchExporter {
  readonly instance: Instance;
  nextTickMs: number;
  private readonly startUnixNano: bigint;
  private readonly intervalMs: number;
  private readonly batchSpansMax: number;
  private waiting: TracedSpan[] = [];

  constructor(
    instance: Instance,
    startUnixMs: number,
    timing: { firstTickMs: number; intervalMs: number; batchSpansMax: number },
  ) {
    this.instance = instance;
    this.startUnixNano = BigInt(startUnixMs) * NANOS_PER_MS;
    this.nextTickMs = timing.firstTickMs;
    this.intervalMs = timing.intervalMs;
    this.batchSpansMax = timing.batchSpansMax;
  }

  get empty(): boolean {
    return this.waiting.length === 0;
  }

  add(span: TracedSpan): void {
    this.waiting.push(span);
  }

  /** Exports what has ended by the tick, in the order in which it ended. */
  tick(): ExportRecord[] {
    const atMs = this.nextTickMs;
    this.nextTickMs += this.intervalMs;
    const ended = this.waiting.filter((span) => span.endMs <= atMs).sort((a, b) => a.endMs - b.endMs);
    if (ended.length === 0) return [];
    this.waiting = this.waiting.filter((span) => span.endMs > atMs);
    const records: ExportRecord[] = [];
    for (let from = 0; from < ended.length; from += this.batchSpansMax) {
      const spans = ended.slice(from, from + this.batchSpansMax);
      records.push({ atMs, instance: this.instance, value: this.encode(spans), spans });
    }
    return records;
  }

  private encode(spans: readonly TracedSpan[]): Buffer {
    const byScope = new Map<Scope, GeneratedSpan[]>();
    for (const span of spans) {
      const group = byScope.get(span.scope) ?? [];
      group.push(this.otlpSpan(span));
      byScope.set(span.scope, group);
    }
    return encodeTraceRequest(
      this.instance.resource,
      [...byScope].map(([scope, group]) => ({ scope, spans: group })),
    );
  }

  private otlpSpan(span: TracedSpan): GeneratedSpan {
    const endUnixNano = this.unixNano(span.endMs);
    return {
      traceId: span.traceId,
      spanId: span.spanId,
      parentSpanId: span.parentSpanId,
      name: span.name,
      kind: span.kind,
      startUnixNano: this.unixNano(span.startMs),
      endUnixNano,
      attributes: span.attributes,
      events:
        span.exception === undefined
          ? []
          : [
              {
                timeUnixNano: endUnixNano,
                name: 'exception',
                attributes: {
                  'exception.type': span.exception.type,
                  'exception.message': span.exception.message,
                  'exception.escaped': false,
                },
              },
            ],
      status: span.error === undefined ? undefined : { code: 'error', message: span.error.message },
    };
  }

  private unixNano(virtualMs: number): bigint {
    return this.startUnixNano + BigInt(Math.round(virtualMs * Number(NANOS_PER_MS)));
  }
}

const NANOS_PER_MS = 1_000_000n;
