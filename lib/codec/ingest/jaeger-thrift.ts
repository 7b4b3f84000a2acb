import { type Converted, converting } from './converted.ts';
import { spanIdFromInt64, traceIdFromHalves } from './ids.ts';
import {
  type JaegerLog,
  type JaegerProcess,
  type JaegerReference,
  type JaegerSpan,
  writeJaegerSpan,
} from './jaeger-to-otlp.ts';
import { type Attribute, type AttributeValue, OtlpRequestWriter } from './otlp-request-writer.ts';
import { THRIFT, ThriftReader } from './thrift-reader.ts';

/** Jaeger's Thrift `Batch` in the binary protocol, as its clients post it to `/api/traces`, as an OTLP request. */
export function otlpFromJaegerThrift(bytes: Buffer): Converted {
  return converting(() => {
    const reader = new ThriftReader(bytes);
    const out = new OtlpRequestWriter(bytes.length);
    let process: JaegerProcess = { serviceName: '', tags: [] };
    // The process comes first, as every encoder writes it; spans before it would have none.
    for (let { type, id } = reader.field(); type !== THRIFT.stop; { type, id } = reader.field()) {
      if (id === 1 && type === THRIFT.struct) process = readProcess(reader);
      else if (id === 2 && type === THRIFT.list) {
        reader.structs((spans) => writeJaegerSpan(out, readSpan(spans, process), ''));
      } else reader.skip(type);
    }
    return out.finish();
  });
}

function readProcess(reader: ThriftReader): JaegerProcess {
  let serviceName = '';
  let tags: Attribute[] = [];
  for (let { type, id } = reader.field(); type !== THRIFT.stop; { type, id } = reader.field()) {
    if (id === 1 && type === THRIFT.string) serviceName = reader.text();
    else if (id === 2 && type === THRIFT.list) tags = reader.structs(readTag);
    else reader.skip(type);
  }
  return { serviceName, tags };
}

function readSpan(reader: ThriftReader, process: JaegerProcess): JaegerSpan {
  let low = 0n;
  let high = 0n;
  let spanId = 0n;
  let parentSpanId = 0n;
  let operationName = '';
  let references: JaegerReference[] = [];
  let flags = 0;
  let startMicros = 0n;
  let durationMicros = 0n;
  let tags: Attribute[] = [];
  let logs: JaegerLog[] = [];
  for (let { type, id } = reader.field(); type !== THRIFT.stop; { type, id } = reader.field()) {
    if (id === 1 && type === THRIFT.i64) low = reader.i64();
    else if (id === 2 && type === THRIFT.i64) high = reader.i64();
    else if (id === 3 && type === THRIFT.i64) spanId = reader.i64();
    else if (id === 4 && type === THRIFT.i64) parentSpanId = reader.i64();
    else if (id === 5 && type === THRIFT.string) operationName = reader.text();
    else if (id === 6 && type === THRIFT.list) references = reader.structs(readReference);
    else if (id === 7 && type === THRIFT.i32) flags = reader.i32();
    else if (id === 8 && type === THRIFT.i64) startMicros = reader.i64();
    else if (id === 9 && type === THRIFT.i64) durationMicros = reader.i64();
    else if (id === 10 && type === THRIFT.list) tags = reader.structs(readTag);
    else if (id === 11 && type === THRIFT.list) logs = reader.structs(readLog);
    else reader.skip(type);
  }
  return {
    traceId: traceIdFromHalves(high, low),
    spanId: spanIdFromInt64(spanId),
    parentSpanId: spanIdFromInt64(parentSpanId),
    operationName,
    references,
    flags,
    startNanos: startMicros * NANOS_PER_MICRO,
    durationNanos: durationMicros * NANOS_PER_MICRO,
    tags,
    logs,
    process,
    warnings: [],
  };
}

function readReference(reader: ThriftReader): JaegerReference {
  let kind = 0;
  let low = 0n;
  let high = 0n;
  let spanId = 0n;
  for (let { type, id } = reader.field(); type !== THRIFT.stop; { type, id } = reader.field()) {
    if (id === 1 && type === THRIFT.i32) kind = reader.i32();
    else if (id === 2 && type === THRIFT.i64) low = reader.i64();
    else if (id === 3 && type === THRIFT.i64) high = reader.i64();
    else if (id === 4 && type === THRIFT.i64) spanId = reader.i64();
    else reader.skip(type);
  }
  return {
    type: kind === 1 ? 'follows_from' : 'child_of',
    traceId: traceIdFromHalves(high, low),
    spanId: spanIdFromInt64(spanId),
  };
}

function readLog(reader: ThriftReader): JaegerLog {
  let micros = 0n;
  let fields: Attribute[] = [];
  for (let { type, id } = reader.field(); type !== THRIFT.stop; { type, id } = reader.field()) {
    if (id === 1 && type === THRIFT.i64) micros = reader.i64();
    else if (id === 2 && type === THRIFT.list) fields = reader.structs(readTag);
    else reader.skip(type);
  }
  return { timeNanos: micros * NANOS_PER_MICRO, fields };
}

/** TagType: 0 string, 1 double, 2 bool, 3 long, 4 binary; each has a field of its own. */
function readTag(reader: ThriftReader): Attribute {
  let key = '';
  let kind = 0;
  const values: AttributeValue[] = ['', 0, false, 0n, Buffer.alloc(0)];
  for (let { type, id } = reader.field(); type !== THRIFT.stop; { type, id } = reader.field()) {
    if (id === 1 && type === THRIFT.string) key = reader.text();
    else if (id === 2 && type === THRIFT.i32) kind = reader.i32();
    else if (id === 3 && type === THRIFT.string) values[0] = reader.text();
    else if (id === 4 && type === THRIFT.double) values[1] = reader.double();
    else if (id === 5 && type === THRIFT.bool) values[2] = reader.bool();
    else if (id === 6 && type === THRIFT.i64) values[3] = reader.i64();
    else if (id === 7 && type === THRIFT.string) values[4] = reader.binary();
    else reader.skip(type);
  }
  return [key, values[kind] ?? ''];
}

const NANOS_PER_MICRO = 1000n;
