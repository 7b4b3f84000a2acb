import { describe, expect, it } from '@jest/globals';
import { convert } from '../../testkit/formats/convert.ts';
import { encodeForeign } from '../../testkit/formats/proto-reference.ts';
import { bool, double, i16, i32, i64, list, struct, text } from '../../testkit/formats/thrift-writer.ts';
import { otlpFromZipkinJson } from './zipkin-json.ts';
import { otlpFromZipkinProto } from './zipkin-proto.ts';
import { otlpFromZipkinThrift } from './zipkin-thrift.ts';

const SPAN = {
  traceId: '463ac35c9f6413ad',
  id: 'a2fb4a1d1a96d312',
  name: 'get',
  timestamp: 1_700_000_000_000_001,
  duration: 5,
};
const WEB = { serviceName: 'web', ipv4: '10.0.0.1', port: 80 };
const SHOP = { serviceName: 'shop', ipv4: '10.0.0.2', port: 8080 };

function fromJson(...spans: object[]) {
  return convert(otlpFromZipkinJson, spans);
}

function hex(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('hex');
}

describe("Zipkin's second model", () => {
  it('keeps every field, what OTLP has none for as attributes', () => {
    const [span] = fromJson({
      ...SPAN,
      parentId: 'f00',
      kind: 'SERVER',
      shared: true,
      debug: true,
      localEndpoint: { ...WEB, ipv6: '2001:db8::1' },
      remoteEndpoint: SHOP,
      annotations: [{ timestamp: 1_700_000_000_000_003, value: 'wr' }],
      tags: { 'http.path': '/a', error: 'timeout' },
    });
    expect(hex(span?.traceId)).toBe('0000000000000000463ac35c9f6413ad');
    expect(hex(span?.parentSpanId)).toBe('0000000000000f00');
    expect(span).toMatchObject({
      name: 'get',
      kind: 2,
      startTimeUnixNano: '1700000000000001000',
      endTimeUnixNano: '1700000000000006000',
      resource: { 'service.name': 'web' },
      attributes: {
        'http.path': '/a',
        error: 'timeout',
        'network.local.address': '10.0.0.1',
        'zipkin.local.ipv6': '2001:db8::1',
        'network.local.port': '80',
        'peer.service': 'shop',
        'network.peer.address': '10.0.0.2',
        'network.peer.port': '8080',
        'zipkin.shared': true,
        'zipkin.debug': true,
      },
      events: [{ timeUnixNano: '1700000000000003000', name: 'wr' }],
      status: { code: 2, message: 'timeout' },
      flags: 1,
    });
  });

  it.each<[string, Record<string, string>, object | undefined]>([
    ['no tag', {}, undefined],
    ['error, empty', { error: '' }, { code: 2 }],
    ['error=true', { error: 'true' }, { code: 2 }],
    ['error with a reason', { error: 'refused' }, { code: 2, message: 'refused' }],
    ['error=false', { error: 'false' }, undefined],
    ['OpenTelemetry said OK', { 'otel.status_code': 'OK' }, { code: 1 }],
    ['OpenTelemetry said ERROR', { 'otel.status_code': 'ERROR', error: 'why' }, { code: 2, message: 'why' }],
  ])('status by tags: %s', (_, tags, status) => {
    expect(fromJson({ ...SPAN, tags })[0]?.status).toEqual(status);
  });

  it('groups neighbours of one service under one resource', () => {
    const spans = [WEB, WEB, SHOP, undefined].map((localEndpoint, i) => ({ ...SPAN, id: `${i + 1}`, localEndpoint }));
    expect(fromJson(...spans).map(({ resource }) => resource['service.name'])).toEqual([
      'web',
      'web',
      'shop',
      undefined,
    ]);
  });

  it('takes the first annotation for a start that is missing, and says so', () => {
    const [span] = fromJson({
      ...SPAN,
      timestamp: 0,
      duration: undefined,
      annotations: [{ timestamp: 7, value: 'x' }],
    });
    expect(span).toMatchObject({
      startTimeUnixNano: '7000',
      endTimeUnixNano: '7000',
      attributes: { 'zipkin.timestamp_absent': true, 'zipkin.duration_absent': true },
    });
  });

  it.each([
    ['letters', { id: 'xyz' }],
    ['none', { id: undefined }],
    ['too long', { id: '0123456789abcdef0' }],
  ])('an id of %s costs its span, not the others', (_, wrong) => {
    const spans = fromJson({ ...SPAN, ...wrong }, SPAN);
    expect(spans[0]?.spanId?.length).not.toBe(8);
    expect(hex(spans[1]?.spanId)).toBe(SPAN.id);
  });

  it.each<[string, unknown, RegExp]>([
    ['a number', 7, /Span 0 is not an object/],
    ['a list of numbers', [7], /^Span 0 is not an object/],
    ['a time that is a word', [{ ...SPAN, timestamp: 'soon' }], /timestamp is not a whole number/],
    ['tags that are a list', [SPAN, { ...SPAN, tags: ['a'] }], /^Span 1's tags is not an object/],
    ['a name that is an object', [{ ...SPAN, name: {} }], /name is not a string/],
  ])('refuses %s', (_, json, message) => {
    expect(() => convert(otlpFromZipkinJson, json as object)).toThrow(message);
  });

  it('does not quote the text it refuses', () => {
    const refused = otlpFromZipkinJson(Buffer.from('[{"password": "canary'));
    expect(refused).toMatchObject({ ok: false, detail: expect.not.stringContaining('canary') });
  });
});

describe("Zipkin's first model", () => {
  const at = (timestamp: number, value: string, endpoint: object) => ({ timestamp, value, endpoint });
  const identity = { traceId: '1', id: '2', name: 'get' };

  it('makes two spans of one that both sides wrote into; the server half is shared', () => {
    const [client, server] = fromJson({
      ...identity,
      timestamp: 10,
      duration: 90,
      annotations: [at(10, 'cs', WEB), at(30, 'sr', SHOP), at(40, 'log', SHOP), at(80, 'ss', SHOP), at(100, 'cr', WEB)],
      binaryAnnotations: [
        { key: 'http.path', value: '/a', endpoint: WEB },
        { key: 'error', value: 'boom', endpoint: SHOP },
      ],
    });
    expect(client).toMatchObject({
      kind: 3,
      startTimeUnixNano: '10000',
      endTimeUnixNano: '100000',
      resource: { 'service.name': 'web' },
      attributes: { 'http.path': '/a' },
      events: [],
    });
    expect(client?.status).toBeUndefined();
    expect(server).toMatchObject({
      kind: 2,
      startTimeUnixNano: '30000',
      endTimeUnixNano: '80000',
      resource: { 'service.name': 'shop' },
      attributes: { 'zipkin.shared': true, error: 'boom' },
      events: [{ name: 'log' }],
      status: { code: 2, message: 'boom' },
    });
  });

  it.each([
    ['cs', 'sa', 3],
    ['sr', 'ca', 2],
    ['ms', 'ma', 4],
    ['mr', 'ma', 5],
  ])('%s with %s names the other side', (value, key, kind) => {
    const [span] = fromJson({
      ...identity,
      annotations: [at(10, value, WEB)],
      binaryAnnotations: [{ key, value: true, endpoint: SHOP }],
    });
    expect(span).toMatchObject({ kind, attributes: { 'peer.service': 'shop' } });
    expect(span?.attributes).not.toHaveProperty(key);
  });

  it('has no kind for a span without these marks', () => {
    const [span] = fromJson({ ...identity, binaryAnnotations: [{ key: 'lc', value: 'job', endpoint: WEB }] });
    expect(span).toMatchObject({ resource: { 'service.name': 'web' }, attributes: { lc: 'job' } });
    expect(span?.kind ?? 0).toBe(0);
  });

  it('keeps the types of binary annotations in Thrift', () => {
    const endpoint = struct({
      1: i32(0x0a000001),
      2: i16(80),
      3: text('web'),
      4: text(Buffer.from('20010db8000000000000000000000001', 'hex')),
    });
    const binary = (key: string, value: Buffer, type: number) =>
      struct({ 1: text(key), 2: text(value), 3: i32(type), 4: endpoint });
    const span = struct({
      1: i64(0x463ac35c9f6413adn),
      4: i64(-1n),
      6: list([struct({ 1: i64(10n), 2: text('sr'), 3: endpoint })]),
      8: list([
        binary('bool', Buffer.from([1]), 0),
        binary('bytes', Buffer.from([1, 2]), 1),
        binary('i16', Buffer.from([0xff, 0xfe]), 2),
        binary('i32', Buffer.from([0, 0, 1, 0]), 3),
        binary('i64', Buffer.from('7fffffffffffffff', 'hex'), 4),
        binary('double', double(1.5).bytes, 5),
        binary('text', Buffer.from('ü'), 6),
      ]),
      9: bool(true),
    });
    const [found] = convert(otlpFromZipkinThrift, list([span]).bytes);
    expect(hex(found?.spanId)).toBe('ffffffffffffffff');
    expect(found?.attributes).toMatchObject({
      bool: true,
      i16: '-2',
      i32: '256',
      i64: '9223372036854775807',
      double: 1.5,
      text: 'ü',
      'network.local.address': '10.0.0.1',
      'zipkin.local.ipv6': '2001:db8::1',
      'zipkin.debug': true,
    });
    expect(Buffer.from(found?.attributes['bytes'] as Uint8Array)).toEqual(Buffer.from([1, 2]));
  });

  it('reads one Thrift span alone, as the oldest tracers write it', () => {
    const span = struct({ 1: i64(1n), 4: i64(2n), 3: text('alone') });
    expect(convert(otlpFromZipkinThrift, span.bytes)).toMatchObject([{ name: 'alone' }]);
  });
});

describe("Zipkin's protobuf", () => {
  it('reads addresses, and 64-bit trace ids', () => {
    const [span] = convert(
      otlpFromZipkinProto,
      encodeForeign('ZipkinList', {
        spans: [
          {
            traceId: Buffer.from('463ac35c9f6413ad', 'hex'),
            id: Buffer.from('a2fb4a1d1a96d312', 'hex'),
            kind: 4,
            shared: true,
            remoteEndpoint: {
              serviceName: 'kafka',
              ipv6: Buffer.from('20010db8000000000000000000000001', 'hex'),
              port: 9092,
            },
          },
        ],
      }),
    );
    expect(hex(span?.traceId)).toBe('0000000000000000463ac35c9f6413ad');
    expect(span).toMatchObject({
      kind: 5,
      attributes: {
        'peer.service': 'kafka',
        'network.peer.address': '2001:db8::1',
        'network.peer.port': '9092',
        'zipkin.shared': true,
      },
    });
  });
});
