import protobuf from 'protobufjs';

/**
 * Formats of other tracers as protobufjs writes them: an implementation that shares nothing with ours. The declarations
 * state the same facts as the formats' own files, in the fields' numbers and types.
 */
const DECLARATIONS = `
syntax = "proto3";
message Time { int64 seconds = 1; int32 nanos = 2; }
message BoolValue { bool value = 1; }
message UInt32Value { uint32 value = 1; }

message JaegerSpan {
  bytes trace_id = 1; bytes span_id = 2; string operation_name = 3; repeated JaegerRef references = 4; uint32 flags = 5;
  Time start_time = 6; Time duration = 7; repeated JaegerKeyValue tags = 8; repeated JaegerLog logs = 9;
  JaegerProcess process = 10; string process_id = 11; repeated string warnings = 12;
}
message JaegerRef { bytes trace_id = 1; bytes span_id = 2; int32 ref_type = 3; }
message JaegerKeyValue { string key = 1; int32 v_type = 2; string v_str = 3; bool v_bool = 4; int64 v_int64 = 5; double v_float64 = 6; bytes v_binary = 7; }
message JaegerLog { Time timestamp = 1; repeated JaegerKeyValue fields = 2; }
message JaegerProcess { string service_name = 1; repeated JaegerKeyValue tags = 2; }

message ZipkinList { repeated ZipkinSpan spans = 1; }
message ZipkinSpan {
  bytes trace_id = 1; bytes parent_id = 2; bytes id = 3; int32 kind = 4; string name = 5; fixed64 timestamp = 6; uint64 duration = 7;
  ZipkinEndpoint local_endpoint = 8; ZipkinEndpoint remote_endpoint = 9; repeated ZipkinAnnotation annotations = 10;
  map<string, string> tags = 11; bool debug = 12; bool shared = 13;
}
message ZipkinEndpoint { string service_name = 1; bytes ipv4 = 2; bytes ipv6 = 3; int32 port = 4; }
message ZipkinAnnotation { fixed64 timestamp = 1; string value = 2; }

message CensusRequest { CensusNode node = 1; repeated CensusSpan spans = 2; CensusResource resource = 3; }
message CensusNode { CensusProcess identifier = 1; CensusLibrary library_info = 2; CensusService service_info = 3; map<string, string> attributes = 4; }
message CensusProcess { string host_name = 1; uint32 pid = 2; Time start_timestamp = 3; }
message CensusLibrary { int32 language = 1; string exporter_version = 2; string core_library_version = 3; }
message CensusService { string name = 1; }
message CensusResource { string type = 1; map<string, string> labels = 2; }
message CensusSpan {
  bytes trace_id = 1; bytes span_id = 2; CensusState tracestate = 15; bytes parent_span_id = 3; CensusText name = 4; int32 kind = 14;
  Time start_time = 5; Time end_time = 6; CensusAttributes attributes = 7; CensusStack stack_trace = 8; CensusEvents time_events = 9;
  CensusLinks links = 10; CensusStatus status = 11; BoolValue same_process_as_parent_span = 12; UInt32Value child_span_count = 13;
  CensusResource resource = 16;
}
message CensusText { string value = 1; int32 truncated_byte_count = 2; }
message CensusState { repeated CensusEntry entries = 1; }
message CensusEntry { string key = 1; string value = 2; }
message CensusAttributes { map<string, CensusValue> attribute_map = 1; int32 dropped_attributes_count = 2; }
message CensusValue { oneof value { CensusText string_value = 1; int64 int_value = 2; bool bool_value = 3; double double_value = 4; } }
message CensusStack { CensusFrames stack_frames = 1; uint64 stack_trace_hash_id = 2; }
message CensusFrames { repeated CensusFrame frame = 1; int32 dropped_frames_count = 2; }
message CensusFrame { CensusText function_name = 1; CensusText original_function_name = 2; CensusText file_name = 3; int64 line_number = 4; }
message CensusEvents { repeated CensusEvent time_event = 1; int32 dropped_annotations_count = 2; int32 dropped_message_events_count = 3; }
message CensusEvent { Time time = 1; oneof value { CensusAnnotation annotation = 2; CensusMessage message_event = 3; } }
message CensusAnnotation { CensusText description = 1; CensusAttributes attributes = 2; }
message CensusMessage { int32 type = 1; uint64 id = 2; uint64 uncompressed_size = 3; uint64 compressed_size = 4; }
message CensusLinks { repeated CensusLink link = 1; int32 dropped_links_count = 2; }
message CensusLink { bytes trace_id = 1; bytes span_id = 2; int32 type = 3; CensusAttributes attributes = 4; CensusState tracestate = 5; }
message CensusStatus { int32 code = 1; string message = 2; }
`;

const root = protobuf.parse(DECLARATIONS).root;

/** @param message in camelCase, ids as bytes, 64-bit numbers as decimal strings. */
export function encodeForeign(type: 'JaegerSpan' | 'ZipkinList' | 'CensusRequest', message: object): Buffer {
  const found = root.lookupType(type);
  return Buffer.from(found.encode(found.fromObject(message)).finish());
}
