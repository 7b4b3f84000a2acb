import { otlpFromJson } from '../otlp-from-json.ts';
import { otlpFromAvroSpan } from './avro-span.ts';
import type { Converted } from './converted.ts';
import { otlpFromJaegerJson } from './jaeger-json.ts';
import { otlpFromJaegerProto } from './jaeger-proto.ts';
import { otlpFromJaegerThrift } from './jaeger-thrift.ts';
import { otlpFromOpenCensus } from './opencensus.ts';
import { otlpFromZipkinJson } from './zipkin-json.ts';
import { otlpFromZipkinProto } from './zipkin-proto.ts';
import { otlpFromZipkinThrift } from './zipkin-thrift.ts';

/** A decoder of one format: never throws for what it is given. */
export type Decoder = (bytes: Buffer) => Converted;

/** The encodings of spans that are taken in beside OTLP's protobuf, under the names that the OpenTelemetry Collector uses. */
export const DECODERS = {
  otlp_json: otlpFromJson,
  zipkin_json: otlpFromZipkinJson,
  zipkin_proto: otlpFromZipkinProto,
  zipkin_thrift: otlpFromZipkinThrift,
  jaeger_proto: otlpFromJaegerProto,
  jaeger_json: otlpFromJaegerJson,
  jaeger_thrift: otlpFromJaegerThrift,
  opencensus_proto: otlpFromOpenCensus,
  avro: otlpFromAvroSpan,
} as const satisfies Record<string, Decoder>;

export type ForeignEncoding = keyof typeof DECODERS;
/** `otlp_proto` is what everything becomes, so it needs no decoder. */
export type SpanEncoding = ForeignEncoding | 'otlp_proto';

export const SPAN_ENCODINGS = ['otlp_proto', ...(Object.keys(DECODERS) as ForeignEncoding[])] as const;
