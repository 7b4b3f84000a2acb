import { WireReader } from '../../trace/wire-reader.ts';
import { type Converted, converting, countPart } from './converted.ts';
import { traceIdFromBytes } from './ids.ts';
import {
  type JaegerLog,
  type JaegerProcess,
  type JaegerReference,
  type JaegerSpan,
  writeJaegerSpan,
} from './jaeger-to-otlp.ts';
import { type Attribute, type AttributeValue, OtlpRequestWriter } from './otlp-request-writer.ts';
import { nanosOf, reading } from './proto-values.ts';

/** One Jaeger span in protobuf (`Span` of api_v2/model.proto), as Jaeger's collector writes it to Kafka, as an OTLP request. */
export function otlpFromJaegerProto(bytes: Buffer): Converted {
  return converting(() =>
    reading(() => {
      const out = new OtlpRequestWriter(bytes.length);
      writeJaegerSpan(out, readSpan(new WireReader(bytes)), '');
      return out.finish();
    }),
  );
}

function readSpan(reader: WireReader): JaegerSpan {
  let traceId = EMPTY;
  let spanId = EMPTY;
  let operationName = '';
  let flags = 0;
  let startNanos = 0n;
  let durationNanos = 0n;
  let process: JaegerProcess = { serviceName: '', tags: [] };
  const references: JaegerReference[] = [];
  const tags: Attribute[] = [];
  const logs: JaegerLog[] = [];
  const warnings: string[] = [];
  while (reader.next()) {
    switch (reader.tag) {
      case TAG.traceId:
        traceId = traceIdFromBytes(reader.body());
        break;
      case TAG.spanId:
        spanId = reader.body();
        break;
      case TAG.operationName:
        operationName = reader.text();
        break;
      case TAG.reference:
        countPart();
        references.push(readReference(reader.message()));
        break;
      case TAG.flags:
        flags = reader.number();
        break;
      case TAG.startTime:
        startNanos = nanosOf(reader.message());
        break;
      case TAG.duration:
        durationNanos = nanosOf(reader.message());
        break;
      case TAG.tag:
        countPart();
        tags.push(readKeyValue(reader.message()));
        break;
      case TAG.log:
        countPart();
        logs.push(readLog(reader.message()));
        break;
      case TAG.process:
        process = readProcess(reader.message());
        break;
      case TAG.warning:
        countPart();
        warnings.push(reader.text());
        break;
    }
  }
  return {
    traceId,
    spanId,
    operationName,
    references,
    flags,
    startNanos,
    durationNanos,
    tags,
    logs,
    process,
    warnings,
  };
}

function readReference(reader: WireReader): JaegerReference {
  let traceId = EMPTY;
  let spanId = EMPTY;
  let type: JaegerReference['type'] = 'child_of';
  while (reader.next()) {
    if (reader.tag === TAG.referenceTraceId) traceId = traceIdFromBytes(reader.body());
    else if (reader.tag === TAG.referenceSpanId) spanId = reader.body();
    else if (reader.tag === TAG.referenceType) type = reader.number() === 1 ? 'follows_from' : 'child_of';
  }
  return { type, traceId, spanId };
}

function readLog(reader: WireReader): JaegerLog {
  let timeNanos = 0n;
  const fields: Attribute[] = [];
  while (reader.next()) {
    if (reader.tag === TAG.logTime) timeNanos = nanosOf(reader.message());
    else if (reader.tag === TAG.logField) {
      countPart();
      fields.push(readKeyValue(reader.message()));
    }
  }
  return { timeNanos, fields };
}

function readProcess(reader: WireReader): JaegerProcess {
  let serviceName = '';
  const tags: Attribute[] = [];
  while (reader.next()) {
    if (reader.tag === TAG.processService) serviceName = reader.text();
    else if (reader.tag === TAG.processTag) {
      countPart();
      tags.push(readKeyValue(reader.message()));
    }
  }
  return { serviceName, tags };
}

/** The value's type says which of the fields holds it; proto3 leaves out what is zero. */
function readKeyValue(reader: WireReader): Attribute {
  let key = '';
  let type = 0;
  const values: AttributeValue[] = ['', false, 0n, 0, EMPTY];
  while (reader.next()) {
    if (reader.tag === TAG.key) key = reader.text();
    else if (reader.tag === TAG.valueType) type = reader.number();
    else if (reader.tag === TAG.text) values[0] = reader.text();
    else if (reader.tag === TAG.bool) values[1] = reader.number() !== 0;
    else if (reader.tag === TAG.int) values[2] = BigInt.asIntN(64, reader.bigVarint());
    else if (reader.tag === TAG.double) values[3] = reader.double();
    else if (reader.tag === TAG.binary) values[4] = reader.body();
  }
  return [key, values[type] ?? ''];
}

const EMPTY: Buffer = Buffer.alloc(0);

/** `field number × 8 + wire type`. */
const TAG = {
  traceId: 0x0a,
  spanId: 0x12,
  operationName: 0x1a,
  reference: 0x22,
  flags: 0x28,
  startTime: 0x32,
  duration: 0x3a,
  tag: 0x42,
  log: 0x4a,
  process: 0x52,
  warning: 0x62,
  referenceTraceId: 0x0a,
  referenceSpanId: 0x12,
  referenceType: 0x18,
  logTime: 0x0a,
  logField: 0x12,
  processService: 0x0a,
  processTag: 0x12,
  key: 0x0a,
  valueType: 0x10,
  text: 0x1a,
  bool: 0x20,
  int: 0x28,
  double: 0x31,
  binary: 0x3a,
} as const;
