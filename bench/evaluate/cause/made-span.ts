import type { Attributes, GeneratedSpan, SpanKind } from '../../../lib/testkit/traffic/otlp-encode.ts';
import type { SeededRandom } from '../../../lib/testkit/traffic/random.ts';

/** A span as a service made it, in virtual milliseconds. */
export interface MadeSpan {
  readonly service: string;
  readonly version: string;
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId: Uint8Array | undefined;
  readonly kind: SpanKind;
  readonly name: string;
  readonly startMs: number;
  endMs: number;
  attributes: Attributes;
  /** Status message; undefined unless the status is ERROR. */
  error: string | undefined;
}

export function drawId(random: SeededRandom, bytes: 8 | 16): Uint8Array {
  const id = new Uint8Array(bytes);
  const words = new DataView(id.buffer);
  for (let at = 0; at < bytes; at += 4) words.setUint32(at, random.uint32() || 1);
  return id;
}

/** @param startUnixMs epoch milliseconds of virtual time 0. */
export function otlpSpan(span: MadeSpan, startUnixMs: number): GeneratedSpan {
  const { traceId, spanId, parentSpanId, name, kind, attributes, error } = span;
  return {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind,
    startUnixNano: unixNano(startUnixMs, span.startMs),
    endUnixNano: unixNano(startUnixMs, span.endMs),
    attributes,
    ...(error === undefined ? {} : { status: { code: 'error', message: error } }),
  };
}

function unixNano(startUnixMs: number, virtualMs: number): bigint {
  return BigInt(startUnixMs + Math.floor(virtualMs)) * 1_000_000n + BigInt(Math.floor((virtualMs % 1) * 1_000_000));
}
