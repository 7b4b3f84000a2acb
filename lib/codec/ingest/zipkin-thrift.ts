import { type Converted, converting, Unreadable } from './converted.ts';
import { spanIdFromInt64, traceIdFromHalves } from './ids.ts';
import { ipText } from './ip-text.ts';
import { type AttributeValue, OtlpRequestWriter } from './otlp-request-writer.ts';
import { THRIFT, ThriftReader } from './thrift-reader.ts';
import { writeZipkinSpan, type ZipkinEndpoint } from './zipkin-to-otlp.ts';
import { splitV1Span, type V1Annotation, type V1BinaryAnnotation, type ZipkinV1Span } from './zipkin-v1.ts';

/**
 * Zipkin's Thrift (zipkinCore.thrift in the binary protocol) as an OTLP request: a list of spans, which begins with the
 * byte 0x0c, or, as the oldest tracers write it, one span alone.
 */
export function otlpFromZipkinThrift(bytes: Buffer): Converted {
  return converting(() => {
    const out = new OtlpRequestWriter(bytes.length);
    const reader = new ThriftReader(bytes);
    if (bytes[0] !== THRIFT.struct) write(out, readSpan(reader));
    else {
      const { length } = reader.list();
      for (let i = 0; i < length; i++) write(out, readSpan(reader));
    }
    return out.finish();
  });
}

function write(out: OtlpRequestWriter, span: ZipkinV1Span): void {
  for (const half of splitV1Span(span)) writeZipkinSpan(out, half);
}

function readSpan(reader: ThriftReader): ZipkinV1Span {
  let low = 0n;
  let high = 0n;
  let id = 0n;
  let parentId: bigint | undefined;
  let name = '';
  let timestamp: bigint | undefined;
  let duration: bigint | undefined;
  let debug = false;
  let annotations: V1Annotation[] = [];
  let binaryAnnotations: V1BinaryAnnotation[] = [];
  for (let { type, id: field } = reader.field(); type !== THRIFT.stop; { type, id: field } = reader.field()) {
    if (field === 1 && type === THRIFT.i64) low = reader.i64();
    else if (field === 3 && type === THRIFT.string) name = reader.text();
    else if (field === 4 && type === THRIFT.i64) id = reader.i64();
    else if (field === 5 && type === THRIFT.i64) parentId = reader.i64();
    else if (field === 6 && type === THRIFT.list) annotations = reader.structs(readAnnotation);
    else if (field === 8 && type === THRIFT.list) binaryAnnotations = reader.structs(readBinaryAnnotation);
    else if (field === 9 && type === THRIFT.bool) debug = reader.bool();
    else if (field === 10 && type === THRIFT.i64) timestamp = reader.i64();
    else if (field === 11 && type === THRIFT.i64) duration = reader.i64();
    else if (field === 12 && type === THRIFT.i64) high = reader.i64();
    else reader.skip(type);
  }
  return {
    traceId: traceIdFromHalves(high, low),
    id: spanIdFromInt64(id),
    parentId: parentId === undefined || parentId === 0n ? undefined : spanIdFromInt64(parentId),
    name,
    timestamp: timestamp === 0n ? undefined : timestamp,
    duration: duration === 0n ? undefined : duration,
    debug,
    annotations,
    binaryAnnotations,
  };
}

function readAnnotation(reader: ThriftReader): V1Annotation {
  let timestamp = 0n;
  let value = '';
  let endpoint: ZipkinEndpoint | undefined;
  for (let { type, id } = reader.field(); type !== THRIFT.stop; { type, id } = reader.field()) {
    if (id === 1 && type === THRIFT.i64) timestamp = reader.i64();
    else if (id === 2 && type === THRIFT.string) value = reader.text();
    else if (id === 3 && type === THRIFT.struct) endpoint = readEndpoint(reader);
    else reader.skip(type);
  }
  return { timestamp, value, endpoint };
}

function readBinaryAnnotation(reader: ThriftReader): V1BinaryAnnotation {
  let key = '';
  let value: Buffer = Buffer.alloc(0);
  let valueType: number = VALUE.string;
  let endpoint: ZipkinEndpoint | undefined;
  for (let { type, id } = reader.field(); type !== THRIFT.stop; { type, id } = reader.field()) {
    if (id === 1 && type === THRIFT.string) key = reader.text();
    else if (id === 2 && type === THRIFT.string) value = reader.binary();
    else if (id === 3 && type === THRIFT.i32) valueType = reader.i32();
    else if (id === 4 && type === THRIFT.struct) endpoint = readEndpoint(reader);
    else reader.skip(type);
  }
  return { key, value: typedValue(value, valueType), endpoint };
}

function typedValue(value: Buffer, type: number): AttributeValue {
  const wanted = VALUE_BYTES[type];
  if (wanted !== undefined && value.length !== wanted) throw new Unreadable('A binary annotation has a wrong length');
  switch (type) {
    case VALUE.bool:
      return value[0] !== 0;
    case VALUE.bytes:
      return value;
    case VALUE.i16:
      return BigInt(value.readInt16BE());
    case VALUE.i32:
      return BigInt(value.readInt32BE());
    case VALUE.i64:
      return value.readBigInt64BE();
    case VALUE.double:
      return value.readDoubleBE();
    default:
      return value.toString('utf8');
  }
}

function readEndpoint(reader: ThriftReader): ZipkinEndpoint {
  let service = '';
  let ipv4 = '';
  let ipv6 = '';
  let port = 0;
  for (let { type, id } = reader.field(); type !== THRIFT.stop; { type, id } = reader.field()) {
    if (id === 1 && type === THRIFT.i32) ipv4 = ipv4Text(reader.i32());
    else if (id === 2 && type === THRIFT.i16) port = reader.i16() & PORT_MAX;
    else if (id === 3 && type === THRIFT.string) service = reader.text();
    else if (id === 4 && type === THRIFT.string) ipv6 = ipText(reader.binary());
    else reader.skip(type);
  }
  return { service, ipv4, ipv6, port };
}

/** Zero stands for an address that is not known. */
function ipv4Text(address: number): string {
  if (address === 0) return '';
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(address);
  return ipText(bytes);
}

const PORT_MAX = 0xffff;
const VALUE = { bool: 0, bytes: 1, i16: 2, i32: 3, i64: 4, double: 5, string: 6 } as const;
const VALUE_BYTES: Readonly<Record<number, number>> = { 0: 1, 2: 2, 3: 4, 4: 8, 5: 8 };
