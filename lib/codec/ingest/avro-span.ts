import { SpanloomError } from '../../errors/spanloom-error.ts';
import { avroCodec } from '../avro.ts';
import { type AvroSchema, checkAvroBounds } from './avro-bounds.ts';
import { type Converted, converting, Unreadable } from './converted.ts';
import { spanIdFromHex, traceIdFromHex } from './ids.ts';
import { type Attribute, OtlpRequestWriter, STATUS } from './otlp-request-writer.ts';

/** A record of schemas/span.avsc, for producers. */
export interface AvroSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string | null;
  traceState: string;
  name: string;
  kind: (typeof KINDS)[number];
  startTimeUnixNano: bigint;
  endTimeUnixNano: bigint;
  service: string;
  resource: AvroAttributes;
  scope: string;
  attributes: AvroAttributes;
  events: { timeUnixNano: bigint; name: string; attributes: AvroAttributes }[];
  links: { traceId: string; spanId: string; attributes: AvroAttributes }[];
  status: keyof typeof STATUS;
  statusMessage: string;
}

/** Whole numbers are bigints, others are doubles. */
export type AvroAttributes = Record<string, null | string | boolean | number | bigint | Buffer | string[]>;

export const avroSpanCodec = avroCodec<AvroSpan>('span');

/** One span as an Avro record of ours, in its Confluent frame, as an OTLP request. */
export function otlpFromAvroSpan(bytes: Buffer): Converted {
  return converting(() => {
    if (bytes.length < FRAME_BYTES || bytes[0] !== 0) throw new Unreadable('The record has no Confluent frame');
    const id = bytes.readUInt32BE(1);
    if (id !== avroSpanCodec.schemaId) throw new Unreadable(`Schema id ${id} is not that of Span`);
    const end = checkAvroBounds(avroSpanCodec.schema as AvroSchema, bytes, FRAME_BYTES);
    if (end !== bytes.length) throw new Unreadable('The Avro record is followed by other bytes');
    const span = decode(bytes);
    const out = new OtlpRequestWriter(bytes.length);
    const resource: Attribute[] = span.service === '' ? [] : [['service.name', span.service]];
    out.under(
      '',
      () => [...resource, ...attributesOf(span.resource)],
      span.scope === '' ? undefined : { name: span.scope, version: '' },
    );
    out.span({
      traceId: traceIdFromHex(span.traceId),
      spanId: spanIdFromHex(span.spanId),
      parentSpanId: span.parentSpanId ? spanIdFromHex(span.parentSpanId) : undefined,
      traceState: span.traceState,
      name: span.name,
      kind: KINDS.indexOf(span.kind),
      startNanos: span.startTimeUnixNano,
      endNanos: span.endTimeUnixNano,
      attributes: attributesOf(span.attributes),
      events: span.events.map(({ timeUnixNano, name, attributes }) => ({
        timeNanos: timeUnixNano,
        name,
        attributes: attributesOf(attributes),
      })),
      links: span.links.map(({ traceId, spanId, attributes }) => ({
        traceId: traceIdFromHex(traceId),
        spanId: spanIdFromHex(spanId),
        attributes: attributesOf(attributes),
      })),
      status: { code: STATUS[span.status], message: span.statusMessage },
    });
    return out.finish();
  });
}

/** The walk has checked lengths; what avsc still refuses are values, such as an enum's. */
function decode(bytes: Buffer): AvroSpan {
  try {
    return avroSpanCodec.decode(bytes);
  } catch (error) {
    if (!(error instanceof SpanloomError)) throw error;
    throw new Unreadable('The Avro record does not fit the schema of Span');
  }
}

function attributesOf(map: AvroAttributes): Attribute[] {
  return Object.entries(map).map(([key, value]) => [key, value ?? '']);
}

const FRAME_BYTES = 5;
const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
