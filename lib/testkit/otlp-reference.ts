import protobuf from 'protobufjs';

/**
 * OTLP traces as protobufjs reads and writes them: an implementation that shares nothing with ours, for tests to compare
 * with. The declarations state the same facts as opentelemetry-proto, in the fields' numbers and types.
 */
const DECLARATIONS = `
syntax = "proto3";
message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; repeated ScopeSpans library_spans = 1000; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; repeated EntityRef entity_refs = 3; }
message EntityRef { string schema_url = 1; string type = 2; repeated string id_keys = 3; repeated string description_keys = 4; }
message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message InstrumentationScope { string name = 1; string version = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; SpanKind kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  uint32 dropped_attributes_count = 10; repeated Event events = 11; uint32 dropped_events_count = 12;
  repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15; fixed32 flags = 16;
}
enum SpanKind { SPAN_KIND_UNSPECIFIED = 0; SPAN_KIND_INTERNAL = 1; SPAN_KIND_SERVER = 2; SPAN_KIND_CLIENT = 3; SPAN_KIND_PRODUCER = 4; SPAN_KIND_CONSUMER = 5; }
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; uint32 dropped_attributes_count = 5; fixed32 flags = 6; }
message Status { string message = 2; StatusCode code = 3; }
enum StatusCode { STATUS_CODE_UNSET = 0; STATUS_CODE_OK = 1; STATUS_CODE_ERROR = 2; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
`;

const root = protobuf.parse(DECLARATIONS).root;
const requestType = root.lookupType('ExportTraceServiceRequest');
const spanType = root.lookupType('Span');

/** Plain objects: bytes as lower hex (ids) or base64, 64-bit numbers as decimal strings, defaults left out. */
export interface ReferenceRequest {
  resourceSpans?: ReferenceResourceSpans[];
}

export interface ReferenceResourceSpans {
  resource?: { attributes?: ReferenceKeyValue[]; droppedAttributesCount?: number };
  scopeSpans?: ReferenceScopeSpans[];
  librarySpans?: ReferenceScopeSpans[];
  schemaUrl?: string;
}

export interface ReferenceScopeSpans {
  scope?: { name?: string; version?: string; attributes?: ReferenceKeyValue[]; droppedAttributesCount?: number };
  spans?: ReferenceSpan[];
  schemaUrl?: string;
}

export interface ReferenceSpan {
  traceId?: Uint8Array;
  spanId?: Uint8Array;
  parentSpanId?: Uint8Array;
  traceState?: string;
  name?: string;
  kind?: number;
  startTimeUnixNano?: string;
  endTimeUnixNano?: string;
  attributes?: ReferenceKeyValue[];
  droppedAttributesCount?: number;
  events?: { timeUnixNano?: string; name?: string; attributes?: ReferenceKeyValue[] }[];
  links?: {
    traceId?: Uint8Array;
    spanId?: Uint8Array;
    traceState?: string;
    attributes?: ReferenceKeyValue[];
    flags?: number;
  }[];
  status?: { message?: string; code?: number };
  flags?: number;
}

export interface ReferenceKeyValue {
  key: string;
  value?: ReferenceValue;
}

export interface ReferenceValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string;
  doubleValue?: number;
  arrayValue?: { values: ReferenceValue[] };
  kvlistValue?: { values: ReferenceKeyValue[] };
  bytesValue?: Uint8Array;
}

export function encodeReference(request: ReferenceRequest): Buffer {
  return Buffer.from(requestType.encode(requestType.fromObject(request)).finish());
}

export function encodeReferenceSpan(span: ReferenceSpan): Buffer {
  return Buffer.from(spanType.encode(spanType.fromObject(span)).finish());
}

/** @throws when the bytes are not protobuf. */
export function decodeReference(bytes: Uint8Array): ReferenceRequest {
  return requestType.toObject(requestType.decode(bytes), { longs: String }) as ReferenceRequest;
}

/** @param body a Span message. */
export function decodeReferenceSpan(body: Uint8Array): ReferenceSpan {
  return spanType.toObject(spanType.decode(body), { longs: String }) as ReferenceSpan;
}
