import { avroSpanCodec } from '../../codec/ingest/avro-span.ts';
import type { SpanEncoding } from '../../codec/ingest/decoders.ts';
import { encodeReference } from '../otlp-reference.ts';
import { encodeForeign } from './proto-reference.ts';
import { bool, i16, i32, i64, list, struct, type ThriftValue, text } from './thrift-writer.ts';

/**
 * One call: `web` asks `shop`, which fails. Two spans with ids of their own, written as each format would have them,
 * one entry per encoding with its records.
 */
export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
export const CLIENT_ID = 'b7ad6b7169203331';
export const SERVER_ID = '00f067aa0ba902b7';
const START_MICROS = 1_760_000_000_000_000n;
const CLIENT_MICROS = 9_000n;
const SERVER_OFFSET_MICROS = 2_000n;
const SERVER_MICROS = 5_000n;

/** What each becomes, as OTLP/JSON has it, with the service and the method beside. */
export const TRACE = [
  {
    traceId: TRACE_ID,
    spanId: CLIENT_ID,
    name: 'get /cart',
    kind: 3,
    service: 'web',
    method: 'GET',
    startTimeUnixNano: nanos(START_MICROS),
    endTimeUnixNano: nanos(START_MICROS + CLIENT_MICROS),
    status: { code: 2 },
  },
  {
    traceId: TRACE_ID,
    spanId: SERVER_ID,
    parentSpanId: CLIENT_ID,
    name: 'get /cart',
    kind: 2,
    service: 'shop',
    method: 'GET',
    startTimeUnixNano: nanos(START_MICROS + SERVER_OFFSET_MICROS),
    endTimeUnixNano: nanos(START_MICROS + SERVER_OFFSET_MICROS + SERVER_MICROS),
    status: { code: 2 },
    events: [{ name: 'retry' }],
  },
];

interface Call {
  readonly trace: string;
  readonly id: string;
  readonly parent: string | undefined;
  readonly service: string;
  readonly kind: 'client' | 'server';
  readonly start: bigint;
  readonly duration: bigint;
  /** Time of an event, if there is one. */
  readonly event: bigint | undefined;
}

function callsOf(trace: string): readonly Call[] {
  return [
    {
      trace,
      id: CLIENT_ID,
      parent: undefined,
      service: 'web',
      kind: 'client',
      start: START_MICROS,
      duration: CLIENT_MICROS,
      event: undefined,
    },
    {
      trace,
      id: SERVER_ID,
      parent: CLIENT_ID,
      service: 'shop',
      kind: 'server',
      start: START_MICROS + SERVER_OFFSET_MICROS,
      duration: SERVER_MICROS,
      event: START_MICROS + SERVER_OFFSET_MICROS,
    },
  ];
}

/** The call in every encoding. @param traceId 32 hex digits; each makes a trace of its own. */
export function encodedCall(traceId: string): [SpanEncoding, Buffer[]][] {
  const calls = callsOf(traceId);
  return [
    ['otlp_proto', calls.map((call) => encodeReference({ resourceSpans: [otlpOf(call, bytesOf)] } as never))],
    ['otlp_json', calls.map((call) => json({ resourceSpans: [otlpOf(call, (hex) => hex)] }))],
    ['zipkin_json', [json(calls.map(zipkinV2))]],
    ['zipkin_json', [json(calls.map(zipkinV1))]],
    ['zipkin_proto', [encodeForeign('ZipkinList', { spans: calls.map(zipkinProto) })]],
    ['zipkin_thrift', [list(calls.map(zipkinThrift)).bytes]],
    ['jaeger_proto', calls.map((call) => encodeForeign('JaegerSpan', jaegerProto(call)))],
    ['jaeger_json', calls.map((call) => json(jaegerProtoJson(call)))],
    ['jaeger_json', [json({ data: [jaegerTrace(calls)] })]],
    ['jaeger_thrift', calls.map((call) => jaegerThrift(call).bytes)],
    ['opencensus_proto', calls.map((call) => encodeForeign('CensusRequest', openCensus(call)))],
    ['avro', calls.map(avroOf)],
  ];
}

export const ENCODED_CALL = encodedCall(TRACE_ID);

function otlpOf(call: Call, id: (hex: string) => unknown): object {
  return {
    resource: { attributes: [{ key: 'service.name', value: { stringValue: call.service } }] },
    scopeSpans: [
      {
        spans: [
          {
            traceId: id(call.trace),
            spanId: id(call.id),
            ...(call.parent === undefined ? {} : { parentSpanId: id(call.parent) }),
            name: 'get /cart',
            kind: call.kind === 'client' ? 3 : 2,
            startTimeUnixNano: nanos(call.start),
            endTimeUnixNano: nanos(call.start + call.duration),
            attributes: [{ key: 'http.request.method', value: { stringValue: 'GET' } }],
            events: call.event === undefined ? [] : [{ timeUnixNano: nanos(call.event), name: 'retry' }],
            status: { code: 2 },
          },
        ],
      },
    ],
  };
}

function zipkinV2({ trace, id, parent, service, kind, start, duration, event }: Call): object {
  return {
    traceId: trace,
    id,
    parentId: parent,
    name: 'get /cart',
    kind: kind.toUpperCase(),
    timestamp: Number(start),
    duration: Number(duration),
    localEndpoint: { serviceName: service, ipv4: '10.0.0.1', port: 80 },
    annotations: event === undefined ? [] : [{ timestamp: Number(event), value: 'retry' }],
    tags: { 'http.request.method': 'GET', error: '' },
  };
}

function zipkinV1({ trace, id, parent, service, kind, start, duration, event }: Call): object {
  const endpoint = { serviceName: service, ipv4: '10.0.0.1', port: 80 };
  const [begin, end] = kind === 'client' ? ['cs', 'cr'] : ['sr', 'ss'];
  return {
    traceId: trace,
    id,
    parentId: parent,
    name: 'get /cart',
    timestamp: Number(start),
    duration: Number(duration),
    annotations: [
      { timestamp: Number(start), value: begin, endpoint },
      { timestamp: Number(start + duration), value: end, endpoint },
      ...(event === undefined ? [] : [{ timestamp: Number(event), value: 'retry', endpoint }]),
    ],
    binaryAnnotations: [
      { key: 'http.request.method', value: 'GET', endpoint },
      { key: 'error', value: '', endpoint },
    ],
  };
}

function zipkinProto({ trace, id, parent, service, kind, start, duration, event }: Call): object {
  return {
    traceId: bytesOf(trace),
    id: bytesOf(id),
    ...(parent === undefined ? {} : { parentId: bytesOf(parent) }),
    name: 'get /cart',
    kind: kind === 'client' ? 1 : 2,
    timestamp: String(start),
    duration: String(duration),
    localEndpoint: { serviceName: service, ipv4: Buffer.from([10, 0, 0, 1]), port: 80 },
    annotations: event === undefined ? [] : [{ timestamp: String(event), value: 'retry' }],
    tags: { 'http.request.method': 'GET', error: '' },
  };
}

function zipkinThrift({ trace, id, parent, service, kind, start, duration, event }: Call): ThriftValue {
  const endpoint = struct({ 1: i32(0x0a000001), 2: i16(80), 3: text(service) });
  const annotation = (time: bigint, value: string) => struct({ 1: i64(time), 2: text(value), 3: endpoint });
  const tag = (key: string, value: string) => struct({ 1: text(key), 2: text(value), 3: i32(6), 4: endpoint });
  const [begin, end] = kind === 'client' ? ['cs', 'cr'] : ['sr', 'ss'];
  return struct({
    1: i64(BigInt(`0x${trace.slice(16)}`)),
    3: text('get /cart'),
    4: i64(BigInt(`0x${id}`)),
    5: parent === undefined ? undefined : i64(BigInt(`0x${parent}`)),
    6: list([
      annotation(start, begin as string),
      annotation(start + duration, end as string),
      ...(event === undefined ? [] : [annotation(event, 'retry')]),
    ]),
    8: list([tag('http.request.method', 'GET'), tag('error', '')]),
    9: bool(false),
    10: i64(start),
    11: i64(duration),
    12: i64(BigInt(`0x${trace.slice(0, 16)}`)),
  });
}

function jaegerProto({ trace, id, parent, service, kind, start, duration, event }: Call): object {
  return {
    traceId: bytesOf(trace),
    spanId: bytesOf(id),
    operationName: 'get /cart',
    references: parent === undefined ? [] : [{ traceId: bytesOf(trace), spanId: bytesOf(parent), refType: 0 }],
    flags: 1,
    startTime: timeOf(start),
    duration: timeOf(duration),
    tags: [
      { key: 'span.kind', vType: 0, vStr: kind },
      { key: 'error', vType: 1, vBool: true },
      { key: 'http.request.method', vType: 0, vStr: 'GET' },
    ],
    logs: event === undefined ? [] : [{ timestamp: timeOf(event), fields: [{ key: 'event', vStr: 'retry' }] }],
    process: { serviceName: service, tags: [{ key: 'hostname', vStr: 'h1' }] },
  };
}

function jaegerProtoJson({ trace, id, parent, service, kind, start, duration, event }: Call): object {
  const base64 = (hex: string) => bytesOf(hex).toString('base64');
  return {
    traceId: base64(trace),
    spanId: base64(id),
    operationName: 'get /cart',
    references: parent === undefined ? [] : [{ traceId: base64(trace), spanId: base64(parent), refType: 'CHILD_OF' }],
    flags: 1,
    startTime: rfc3339(start),
    duration: `0.${String(duration).padStart(6, '0')}s`,
    tags: [
      { key: 'span.kind', vStr: kind },
      { key: 'error', vType: 'BOOL', vBool: true },
      { key: 'http.request.method', vType: 'STRING', vStr: 'GET' },
    ],
    logs: event === undefined ? [] : [{ timestamp: rfc3339(event), fields: [{ key: 'event', vStr: 'retry' }] }],
    process: { serviceName: service },
  };
}

function jaegerTrace(calls: readonly Call[]): object {
  return {
    traceID: calls[0]?.trace,
    processes: Object.fromEntries(calls.map(({ service }, i) => [`p${i}`, { serviceName: service, tags: [] }])),
    spans: calls.map(({ trace, id, parent, kind, start, duration, event }, i) => ({
      traceID: trace,
      spanID: id,
      operationName: 'get /cart',
      references: parent === undefined ? [] : [{ refType: 'CHILD_OF', traceID: trace, spanID: parent }],
      startTime: Number(start),
      duration: Number(duration),
      tags: [
        { key: 'span.kind', type: 'string', value: kind },
        { key: 'error', type: 'bool', value: true },
        { key: 'http.request.method', type: 'string', value: 'GET' },
      ],
      logs:
        event === undefined
          ? []
          : [{ timestamp: Number(event), fields: [{ key: 'event', type: 'string', value: 'retry' }] }],
      processID: `p${i}`,
    })),
  };
}

function jaegerThrift({ trace, id, parent, service, kind, start, duration, event }: Call): ThriftValue {
  const tag = (key: string, value: string) => struct({ 1: text(key), 2: i32(0), 3: text(value) });
  const span = struct({
    1: i64(BigInt(`0x${trace.slice(16)}`)),
    2: i64(BigInt(`0x${trace.slice(0, 16)}`)),
    3: i64(BigInt(`0x${id}`)),
    4: i64(parent === undefined ? 0n : BigInt(`0x${parent}`)),
    5: text('get /cart'),
    7: i32(1),
    8: i64(start),
    9: i64(duration),
    10: list([
      tag('span.kind', kind),
      struct({ 1: text('error'), 2: i32(2), 5: bool(true) }),
      tag('http.request.method', 'GET'),
    ]),
    11: event === undefined ? undefined : list([struct({ 1: i64(event), 2: list([tag('event', 'retry')]) })]),
  });
  return struct({ 1: struct({ 1: text(service) }), 2: list([span]) });
}

function openCensus({ trace, id, parent, service, kind, start, duration, event }: Call): object {
  return {
    node: { serviceInfo: { name: service } },
    spans: [
      {
        traceId: bytesOf(trace),
        spanId: bytesOf(id),
        ...(parent === undefined ? {} : { parentSpanId: bytesOf(parent) }),
        name: { value: 'get /cart' },
        kind: kind === 'client' ? 2 : 1,
        startTime: timeOf(start),
        endTime: timeOf(start + duration),
        attributes: { attributeMap: { 'http.request.method': { stringValue: { value: 'GET' } } } },
        timeEvents:
          event === undefined
            ? {}
            : { timeEvent: [{ time: timeOf(event), annotation: { description: { value: 'retry' } } }] },
        status: { code: 13 },
      },
    ],
  };
}

function avroOf({ trace, id, parent, service, kind, start, duration, event }: Call): Buffer {
  return avroSpanCodec.encode({
    traceId: trace,
    spanId: id,
    parentSpanId: parent ?? null,
    traceState: '',
    name: 'get /cart',
    kind,
    startTimeUnixNano: start * 1000n,
    endTimeUnixNano: (start + duration) * 1000n,
    service,
    resource: {},
    scope: '',
    attributes: { 'http.request.method': 'GET' },
    events: event === undefined ? [] : [{ timeUnixNano: event * 1000n, name: 'retry', attributes: {} }],
    links: [],
    status: 'error',
    statusMessage: '',
  });
}

function nanos(micros: bigint): string {
  return String(micros * 1000n);
}

function timeOf(micros: bigint): object {
  return { seconds: String(micros / 1_000_000n), nanos: Number(micros % 1_000_000n) * 1000 };
}

function rfc3339(micros: bigint): string {
  const seconds = new Date(Number(micros / 1000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(micros % 1_000_000n).padStart(6, '0')}Z`;
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
