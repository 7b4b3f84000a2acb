/** A span as an SDK holds it, before it is encoded. Only what the generator uses of opentelemetry-proto trace/v1. */
export interface GeneratedSpan {
  /** 16 bytes. */
  readonly traceId: Uint8Array;
  /** 8 bytes. */
  readonly spanId: Uint8Array;
  /** 8 bytes. */
  readonly parentSpanId?: Uint8Array;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startUnixNano: bigint;
  readonly endUnixNano: bigint;
  readonly attributes: Attributes;
  readonly events?: readonly GeneratedEvent[];
  readonly links?: readonly { readonly traceId: Uint8Array; readonly spanId: Uint8Array }[];
  readonly status?: { readonly code: 'ok' | 'error'; readonly message?: string };
}

export interface GeneratedEvent {
  readonly timeUnixNano: bigint;
  readonly name: string;
  readonly attributes: Attributes;
}

export type SpanKind = 'unspecified' | 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** Whole numbers become int values, other numbers doubles; undefined entries are left out. */
export type Attributes = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface Scope {
  readonly name: string;
  readonly version: string;
}

/** Encodes one resource's spans, grouped by scope, as an OTLP `ExportTraceServiceRequest`. */
export function encodeTraceRequest(
  resource: Attributes,
  scopes: readonly { readonly scope: Scope; readonly spans: readonly GeneratedSpan[] }[],
): Buffer {
  const scopeSpans = scopes.map(({ scope, spans }) =>
    message(2, [
      message(1, [text(1, scope.name), text(2, scope.version)]),
      ...spans.map((span) => message(2, spanFields(span))),
    ]),
  );
  return message(1, [message(1, attributeFields(1, resource)), ...scopeSpans, text(3, SCHEMA_URL)]);
}

const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.37.0';
const KINDS: Record<SpanKind, number> = { unspecified: 0, internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const STATUS_CODES = { ok: 1, error: 2 };
/** W3C sampled bit, and "whether the parent is remote is known". */
const SPAN_FLAGS = 0x101;

function spanFields(span: GeneratedSpan): Buffer[] {
  return [
    bytes(1, span.traceId),
    bytes(2, span.spanId),
    ...(span.parentSpanId === undefined ? [] : [bytes(4, span.parentSpanId)]),
    text(5, span.name),
    varint(6, KINDS[span.kind]),
    fixed64(7, span.startUnixNano),
    fixed64(8, span.endUnixNano),
    ...attributeFields(9, span.attributes),
    ...(span.events ?? []).map((event) =>
      message(11, [fixed64(1, event.timeUnixNano), text(2, event.name), ...attributeFields(3, event.attributes)]),
    ),
    ...(span.links ?? []).map((link) => message(13, [bytes(1, link.traceId), bytes(2, link.spanId)])),
    ...(span.status === undefined ? [] : [message(15, statusFields(span.status))]),
    fixed32(16, SPAN_FLAGS),
  ];
}

function statusFields(status: { code: 'ok' | 'error'; message?: string }): Buffer[] {
  return [...(status.message === undefined ? [] : [text(2, status.message)]), varint(3, STATUS_CODES[status.code])];
}

function attributeFields(field: number, attributes: Attributes): Buffer[] {
  const fields: Buffer[] = [];
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) fields.push(message(field, [text(1, key), message(2, anyValue(value))]));
  }
  return fields;
}

function anyValue(value: string | number | boolean | readonly string[]): Buffer[] {
  if (typeof value === 'string') return [text(1, value)];
  if (typeof value === 'boolean') return [varint(2, value ? 1 : 0)];
  if (typeof value === 'number')
    return [Number.isSafeInteger(value) && value >= 0 ? varint(3, value) : double(4, value)];
  return [
    message(
      5,
      value.map((item) => message(1, anyValue(item))),
    ),
  ];
}

// ---- protobuf wire format: a tag is `field number × 8 + wire type` --------------------------------------------------

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_LENGTH = 2;
const WIRE_FIXED32 = 5;

function message(field: number, parts: readonly Buffer[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  return Buffer.concat([varintBytes(field * 8 + WIRE_LENGTH), varintBytes(length), ...parts]);
}

function bytes(field: number, value: Uint8Array): Buffer {
  return Buffer.concat([varintBytes(field * 8 + WIRE_LENGTH), varintBytes(value.length), value]);
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value, 'utf8'));
}

function varint(field: number, value: number): Buffer {
  return Buffer.concat([varintBytes(field * 8 + WIRE_VARINT), varintBytes(value)]);
}

function double(field: number, value: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeDoubleLE(value);
  return Buffer.concat([varintBytes(field * 8 + WIRE_FIXED64), body]);
}

function fixed64(field: number, value: bigint): Buffer {
  const body = Buffer.alloc(8);
  body.writeBigUInt64LE(value);
  return Buffer.concat([varintBytes(field * 8 + WIRE_FIXED64), body]);
}

function fixed32(field: number, value: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32LE(value);
  return Buffer.concat([varintBytes(field * 8 + WIRE_FIXED32), body]);
}

function varintBytes(value: number): Buffer {
  const out: number[] = [];
  let left = value;
  while (left >= 0x80) {
    out.push((left % 0x80) | 0x80);
    left = Math.floor(left / 0x80);
  }
  out.push(left);
  return Buffer.from(out);
}
