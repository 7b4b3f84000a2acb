import { describe, expect, it } from '@jest/globals';
import { convert } from '../../testkit/formats/convert.ts';
import { encodeForeign } from '../../testkit/formats/proto-reference.ts';
import { i32, i64, list, struct, text } from '../../testkit/formats/thrift-writer.ts';
import { otlpFromJaegerJson } from './jaeger-json.ts';
import { otlpFromJaegerProto } from './jaeger-proto.ts';
import { otlpFromJaegerThrift } from './jaeger-thrift.ts';

const TRACE = Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex');
const OTHER = Buffer.from('11111111111111111111111111111111', 'hex');
const ID = Buffer.from('b7ad6b7169203331', 'hex');
const id = (digit: number) => Buffer.alloc(8, digit);

function fromProto(span: object) {
  const [found] = convert(otlpFromJaegerProto, encodeForeign('JaegerSpan', { traceId: TRACE, spanId: ID, ...span }));
  if (found === undefined) throw new Error('no span');
  return found;
}

function plain(bytes: Uint8Array | undefined): Buffer {
  return Buffer.from(bytes ?? []);
}

describe("Jaeger's span in protobuf", () => {
  it('keeps every field', () => {
    const span = fromProto({
      operationName: 'GET /',
      flags: 3,
      startTime: { seconds: '1700000000', nanos: 123_456_789 },
      duration: { seconds: '1', nanos: 5 },
      tags: [
        { key: 'span.kind', vStr: 'consumer' },
        { key: 'w3c.tracestate', vStr: 'a=b' },
        { key: 'otel.scope.name', vStr: 'http' },
        { key: 'otel.scope.version', vStr: '1.2' },
        { key: 'text', vStr: 't' },
        { key: 'bool', vType: 1, vBool: true },
        { key: 'false', vType: 1 },
        { key: 'int', vType: 2, vInt64: '-9223372036854775808' },
        { key: 'double', vType: 3, vFloat64: 0.5 },
        { key: 'bytes', vType: 4, vBinary: Buffer.from([9]) },
      ],
      logs: [
        {
          timestamp: { seconds: '1700000000' },
          fields: [
            { key: 'event', vStr: 'e' },
            { key: 'k', vStr: 'v' },
          ],
        },
        { timestamp: { seconds: '1700000001' }, fields: [{ key: 'k', vStr: 'v' }] },
      ],
      process: { serviceName: 'web', tags: [{ key: 'hostname', vStr: 'h1' }] },
      warnings: ['clock skew'],
    });
    expect(plain(span.traceId)).toEqual(TRACE);
    expect(span).toMatchObject({
      name: 'GET /',
      kind: 5,
      traceState: 'a=b',
      startTimeUnixNano: '1700000000123456789',
      endTimeUnixNano: '1700000001123456794',
      scope: { name: 'http', version: '1.2' },
      resource: { 'service.name': 'web', hostname: 'h1' },
      attributes: {
        text: 't',
        bool: true,
        false: false,
        int: '-9223372036854775808',
        double: 0.5,
        'jaeger.flags': '3',
      },
      events: [{ name: 'e', attributes: { k: 'v' } }, { attributes: { k: 'v' } }],
      flags: 1,
    });
    expect(span.attributes).not.toHaveProperty('span.kind');
    expect(span.attributes['jaeger.warnings']).toMatchObject({ values: [{ stringValue: 'clock skew' }] });
  });

  const child = (traceId: Buffer, spanId: Buffer) => ({ traceId, spanId, refType: 0 });
  const follows = (traceId: Buffer, spanId: Buffer) => ({ traceId, spanId, refType: 1 });
  it.each<[string, object[], Buffer | undefined, [string, number][]]>([
    ['none', [], undefined, []],
    ['one parent', [child(TRACE, id(1))], id(1), []],
    ['a second parent', [child(TRACE, id(1)), child(TRACE, id(2))], id(1), [['child_of', 2]]],
    ['only what it follows', [follows(TRACE, id(3))], id(3), [['follows_from', 3]]],
    ['a parent behind what it follows', [follows(TRACE, id(3)), child(TRACE, id(1))], id(1), [['follows_from', 3]]],
    ['a span of another trace', [child(OTHER, id(4))], undefined, [['child_of', 4]]],
  ])('references: %s', (_, references, parent, links) => {
    const span = fromProto({ references });
    expect(plain(span.parentSpanId)).toEqual(parent ?? Buffer.alloc(0));
    expect(span.links.map((link) => [link.attributes['opentracing.ref_type'], link.spanId?.[0]])).toEqual(links);
  });

  it.each<[string, object[], object | undefined, string[]]>([
    ['error=true', [{ key: 'error', vType: 1, vBool: true }], { code: 2 }, []],
    ['error=false', [{ key: 'error', vType: 1, vBool: false }], undefined, ['error']],
    ['error with a text', [{ key: 'error', vStr: 'boom' }], { code: 2 }, ['error']],
    [
      'OpenTelemetry said OK',
      [
        { key: 'otel.status_code', vStr: 'OK' },
        { key: 'error', vType: 1, vBool: true },
      ],
      { code: 1 },
      ['error'],
    ],
    [
      'OpenTelemetry said ERROR and why',
      [
        { key: 'otel.status_code', vStr: 'ERROR' },
        { key: 'otel.status_description', vStr: 'why' },
      ],
      { code: 2, message: 'why' },
      [],
    ],
  ])('status by tags: %s', (_, tags, status, left) => {
    const span = fromProto({ tags });
    expect(span.status).toEqual(status);
    expect(Object.keys(span.attributes)).toEqual(left);
  });

  it('pads trace ids of 64 bits', () => {
    const [span] = convert(
      otlpFromJaegerProto,
      encodeForeign('JaegerSpan', { traceId: TRACE.subarray(8), spanId: ID }),
    );
    expect(plain(span?.traceId)).toEqual(Buffer.concat([Buffer.alloc(8), TRACE.subarray(8)]));
  });
});

describe("Jaeger's JSON", () => {
  it.each<[string, unknown, RegExp]>([
    ['a text', 'x', /no Jaeger span/],
    ['a time that is none', { traceID: '1', startTime: 'noon' }, /startTime is not a time/],
    ['a duration that is none', { traceID: '1', duration: '5 minutes' }, /duration is not a duration/],
    [
      'a tag that is an object',
      { traceID: '1', tags: [{ key: 'k', type: 'string', value: {} }] },
      /neither text nor number/,
    ],
  ])('refuses %s', (_, json, message) => {
    expect(() => convert(otlpFromJaegerJson, Buffer.from(JSON.stringify(json)))).toThrow(message);
  });

  it('reads tags of each type in the form of the interface', () => {
    const tag = (key: string, type: string, value: unknown) => ({ key, type, value });
    const [span] = convert(otlpFromJaegerJson, {
      traceID: 'abc',
      spanID: 'def',
      startTime: 1_700_000_000_000_001,
      duration: 5,
      tags: [
        tag('i', 'int64', '9007199254740993'),
        tag('f', 'float64', 2),
        tag('b', 'bool', 'true'),
        tag('s', 'string', 't'),
      ],
    });
    expect(span?.attributes).toEqual({ i: '9007199254740993', f: 2, b: true, s: 't' });
    expect(span?.startTimeUnixNano).toBe('1700000000000001000');
  });
});

describe("Jaeger's batch in Thrift", () => {
  it('takes the parent field and references apart', () => {
    const reference = (kind: number, spanId: bigint) =>
      struct({ 1: i32(kind), 2: i64(2n), 3: i64(1n), 4: i64(spanId) });
    const span = struct({
      1: i64(2n),
      2: i64(1n),
      3: i64(9n),
      4: i64(5n),
      5: text('op'),
      6: list([reference(0, 5n), reference(1, 6n)]),
    });
    const [found] = convert(otlpFromJaegerThrift, struct({ 1: struct({ 1: text('web') }), 2: list([span]) }).bytes);
    expect(plain(found?.traceId).toString('hex')).toBe('00000000000000010000000000000002');
    expect(plain(found?.parentSpanId).readBigInt64BE()).toBe(5n);
    expect(found?.links.map(({ attributes }) => attributes['opentracing.ref_type'])).toEqual(['follows_from']);
  });
});
