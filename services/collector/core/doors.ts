import type { SpanEncoding } from '../../../lib/codec/ingest/decoders.ts';

/** Whose protocol a path belongs to: it decides how answers are worded. */
export type Protocol = 'otlp' | 'zipkin' | 'jaeger';

export interface Door {
  readonly protocol: Protocol;
  /** Encodings by content type; the one under '' when there is none. */
  readonly encodings: ReadonlyMap<string, SpanEncoding>;
}

/** Where spans are taken in over HTTP, by path. */
export const DOORS: ReadonlyMap<string, Door> = new Map([
  ['/v1/traces', door('otlp', { 'application/x-protobuf': 'otlp_proto', 'application/json': 'otlp_json' })],
  [
    '/api/v2/spans',
    door('zipkin', { '': 'zipkin_json', 'application/json': 'zipkin_json', 'application/x-protobuf': 'zipkin_proto' }),
  ],
  [
    '/api/v1/spans',
    door('zipkin', { '': 'zipkin_json', 'application/json': 'zipkin_json', 'application/x-thrift': 'zipkin_thrift' }),
  ],
  [
    '/api/traces',
    door('jaeger', {
      'application/x-thrift': 'jaeger_thrift',
      'application/vnd.apache.thrift.binary': 'jaeger_thrift',
    }),
  ],
]);

/** The encoding that a content type stands for at a door; its parameters do not matter. */
export function encodingFor({ encodings }: Door, contentType: string | undefined): SpanEncoding | undefined {
  return encodings.get((contentType ?? '').split(';', 1)[0]!.trim().toLowerCase());
}

function door(protocol: Protocol, encodings: Readonly<Record<string, SpanEncoding>>): Door {
  return { protocol, encodings: new Map(Object.entries(encodings)) };
}
