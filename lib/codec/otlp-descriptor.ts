/**
 * The messages of an OTLP trace request as field facts: number, type and JSON name, from opentelemetry-proto
 * (`collector/trace/v1`, `trace/v1`, `resource/v1`, `common/v1`). Both directions of OTLP/JSON are driven by this table.
 */
export interface Field {
  readonly number: number;
  /** lowerCamelCase, as OTLP/JSON has it. */
  readonly name: string;
  /** snake_case, as protobuf has it; JSON parsers accept both. */
  readonly protoName: string;
  readonly type: FieldType;
  readonly repeated: boolean;
  /** Member of a oneof: written even when it is the type's default. */
  readonly oneof: boolean;
}

export type ScalarType =
  | 'string'
  /** base64 in JSON. */
  | 'bytes'
  /** Bytes that OTLP/JSON writes as hex, unlike protobuf's JSON mapping. */
  | 'id'
  | 'bool'
  /** Decimal string in JSON. */
  | 'int64'
  | 'uint32'
  | 'fixed32'
  /** Decimal string in JSON. */
  | 'fixed64'
  | 'double';

export type FieldType = ScalarType | { readonly enum: readonly string[] } | { readonly message: string };

export type Message = readonly Field[];

/** @throws Error for a name that is not in the table: a programming error. */
export function messageNamed(name: string): Message {
  const message = MESSAGES.get(name);
  if (message === undefined) throw new Error(`OTLP has no message ${name} here`);
  return message;
}

export const ROOT_MESSAGE = 'ExportTraceServiceRequest';

const SPAN_KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map((n) => `SPAN_KIND_${n}`);
const STATUS_CODES = ['UNSET', 'OK', 'ERROR'].map((name) => `STATUS_CODE_${name}`);

function one(number: number, protoName: string, type: FieldType): Field {
  const name = protoName.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return { number, name, protoName, type, repeated: false, oneof: false };
}

function many(number: number, protoName: string, type: FieldType): Field {
  return { ...one(number, protoName, type), repeated: true };
}

function choice(number: number, protoName: string, type: FieldType): Field {
  return { ...one(number, protoName, type), oneof: true };
}

const ATTRIBUTE = { message: 'KeyValue' };

const MESSAGES: ReadonlyMap<string, Message> = new Map(
  Object.entries({
    [ROOT_MESSAGE]: [many(1, 'resource_spans', { message: 'ResourceSpans' })],
    ResourceSpans: [
      one(1, 'resource', { message: 'Resource' }),
      many(2, 'scope_spans', { message: 'ScopeSpans' }),
      one(3, 'schema_url', 'string'),
      // OTLP before 0.15; the same layout as ScopeSpans.
      many(1000, 'instrumentation_library_spans', { message: 'InstrumentationLibrarySpans' }),
    ],
    Resource: [
      many(1, 'attributes', ATTRIBUTE),
      one(2, 'dropped_attributes_count', 'uint32'),
      many(3, 'entity_refs', { message: 'EntityRef' }),
    ],
    EntityRef: [
      one(1, 'schema_url', 'string'),
      one(2, 'type', 'string'),
      many(3, 'id_keys', 'string'),
      many(4, 'description_keys', 'string'),
    ],
    ScopeSpans: [
      one(1, 'scope', { message: 'InstrumentationScope' }),
      many(2, 'spans', { message: 'Span' }),
      one(3, 'schema_url', 'string'),
    ],
    InstrumentationLibrarySpans: [
      one(1, 'instrumentation_library', { message: 'InstrumentationScope' }),
      many(2, 'spans', { message: 'Span' }),
      one(3, 'schema_url', 'string'),
    ],
    InstrumentationScope: [
      one(1, 'name', 'string'),
      one(2, 'version', 'string'),
      many(3, 'attributes', ATTRIBUTE),
      one(4, 'dropped_attributes_count', 'uint32'),
    ],
    Span: [
      one(1, 'trace_id', 'id'),
      one(2, 'span_id', 'id'),
      one(3, 'trace_state', 'string'),
      one(4, 'parent_span_id', 'id'),
      one(5, 'name', 'string'),
      one(6, 'kind', { enum: SPAN_KINDS }),
      one(7, 'start_time_unix_nano', 'fixed64'),
      one(8, 'end_time_unix_nano', 'fixed64'),
      many(9, 'attributes', ATTRIBUTE),
      one(10, 'dropped_attributes_count', 'uint32'),
      many(11, 'events', { message: 'Event' }),
      one(12, 'dropped_events_count', 'uint32'),
      many(13, 'links', { message: 'Link' }),
      one(14, 'dropped_links_count', 'uint32'),
      one(15, 'status', { message: 'Status' }),
      one(16, 'flags', 'fixed32'),
    ],
    Event: [
      one(1, 'time_unix_nano', 'fixed64'),
      one(2, 'name', 'string'),
      many(3, 'attributes', ATTRIBUTE),
      one(4, 'dropped_attributes_count', 'uint32'),
    ],
    Link: [
      one(1, 'trace_id', 'id'),
      one(2, 'span_id', 'id'),
      one(3, 'trace_state', 'string'),
      many(4, 'attributes', ATTRIBUTE),
      one(5, 'dropped_attributes_count', 'uint32'),
      one(6, 'flags', 'fixed32'),
    ],
    Status: [one(2, 'message', 'string'), one(3, 'code', { enum: STATUS_CODES })],
    KeyValue: [one(1, 'key', 'string'), one(2, 'value', { message: 'AnyValue' })],
    AnyValue: [
      choice(1, 'string_value', 'string'),
      choice(2, 'bool_value', 'bool'),
      choice(3, 'int_value', 'int64'),
      choice(4, 'double_value', 'double'),
      choice(5, 'array_value', { message: 'ArrayValue' }),
      choice(6, 'kvlist_value', { message: 'KeyValueList' }),
      choice(7, 'bytes_value', 'bytes'),
    ],
    ArrayValue: [many(1, 'values', { message: 'AnyValue' })],
    KeyValueList: [many(1, 'values', ATTRIBUTE)],
  }),
);
