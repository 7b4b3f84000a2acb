import { describe, expect, it } from '@jest/globals';
import { readDestinations } from './read-destinations.ts';

const APM = { name: 'apm', kind: 'otlp_http', url: 'https://otlp.example.com' };
const GRPC = { name: 'grpc', kind: 'otlp_grpc', url: 'https://otlp.example.com' };
const TOPIC = { name: 'copy', kind: 'kafka', topic: 'traces-for-others' };

function read(...destinations: readonly object[]) {
  return readDestinations({ destinations }, 'spanloom');
}

function sentences(declared: unknown): string[] {
  return readDestinations(declared, 'spanloom').mistakes.map(({ path, what }) => `${path.join('.')} ${what}`);
}

describe('readDestinations', () => {
  it('fills in what goes without saying', () => {
    const { destinations, mistakes } = read(
      APM,
      { ...APM, name: 'zip', kind: 'zipkin' },
      GRPC,
      { ...APM, name: 'house', kind: 'clickhouse' },
      TOPIC,
    );
    expect(mistakes).toEqual([]);
    expect(destinations).toMatchObject([
      {
        startAt: 'end',
        compression: 'gzip',
        timeoutMs: 10_000,
        deadLetterAfterMs: 86_400_000,
        headers: {},
        batch: { spansMax: 5_000, bytesMax: 2_097_152, waitMs: 500 },
        retry: { firstMs: 1_000, maxMs: 30_000 },
        tls: { verify: true },
      },
      { kind: 'zipkin' },
      { kind: 'otlp_grpc', compression: 'gzip', headers: {}, tls: { verify: true } },
      { kind: 'clickhouse', table: 'otel_traces' },
      { kind: 'kafka', brokers: [], encoding: 'otlp_proto', compression: 'zstd' },
    ]);
  });

  it.each([
    ['otlp_http', 'https://a.example', 'https://a.example/v1/traces'],
    ['otlp_http', 'https://a.example/', 'https://a.example/'],
    ['otlp_http', 'https://a.example/otlp?x=1', 'https://a.example/otlp?x=1'],
    ['clickhouse', 'https://ch.example:8443?database=t', 'https://ch.example:8443/?database=t'],
    ['otlp_grpc', 'http://otel:4317', 'http://otel:4317/'],
    ['zipkin', 'http://zipkin:9411', 'http://zipkin:9411/api/v2/spans'],
  ])('puts the usual path of %s behind an address that has none: %s', (kind, url, expected) => {
    expect((read({ ...APM, kind, url }).destinations[0] as { url: URL }).url.href).toBe(expected);
  });

  it.each<[string, unknown, string]>([
    ['no object', [], ' must have a list `destinations`'],
    ['an empty list', { destinations: [] }, 'destinations names no destination'],
    ['something beside it', { destinations: [APM], retry: 1 }, 'retry is not known here; there are destinations'],
    ['a destination that is text', { destinations: ['apm'] }, 'destinations.0 must be an object with named fields'],
    ['no name', { destinations: [{ ...APM, name: undefined }] }, 'destinations.0.name is missing; it must be 1 to 40'],
    ['a path for a name', { destinations: [{ ...APM, name: '../a' }] }, 'destinations.0.name must be 1 to 40'],
    ['two of a name', { destinations: [APM, APM] }, 'destinations.1.name is taken by another one'],
    ['a misspelt field', { destinations: [{ ...APM, retries: 3 }] }, 'destinations.0.retries is not known here'],
    ['an unknown kind', { destinations: [{ ...APM, kind: 'otlp' }] }, 'destinations.0.kind must be one of otlp_http,'],
    [
      'a file as address',
      { destinations: [{ ...APM, url: 'file:///a' }] },
      'destinations.0.url must be an http or https',
    ],
    [
      'a password in it',
      { destinations: [{ ...APM, url: 'https://u:p@a.b' }] },
      'destinations.0.url must be an http or',
    ],
    [
      'a header in a header',
      { destinations: [{ ...APM, headers: { a: 'x\r\nb: y' } }] },
      'destinations.0.headers must have',
    ],
    [
      'a header of ours',
      { destinations: [{ ...APM, headers: { Host: 'x' } }] },
      'destinations.0.headers must not set host',
    ],
    ['gRPC without a port', { destinations: [{ ...GRPC, url: 'http://otel' }] }, 'destinations.0.url must name a port'],
    [
      'a path in gRPC',
      { destinations: [{ ...GRPC, url: 'https://otel/v1/traces' }] },
      'destinations.0.url must end with the port',
    ],
    [
      "a header of gRPC's own",
      { destinations: [{ ...GRPC, headers: { 'grpc-timeout': '1S' } }] },
      'destinations.0.headers must not set grpc-timeout',
    ],
    [
      'letters that metadata cannot hold',
      { destinations: [{ ...GRPC, headers: { a: 'ü' } }] },
      'destinations.0.headers must have ASCII as the value of a',
    ],
    [
      'bytes that are no base64',
      { destinations: [{ ...GRPC, headers: { 'a-bin': '?' } }] },
      'destinations.0.headers must have base64 as the value of a-bin',
    ],
    [
      'SQL for a table',
      { destinations: [{ ...APM, kind: 'clickhouse', table: 't FORMAT Null' }] },
      'destinations.0.table must be the name of a table',
    ],
    [
      'a key without certificate',
      { destinations: [{ ...APM, tls: { keyPath: 'k' } }] },
      'destinations.0.tls.certPath is',
    ],
    [
      'half a millisecond',
      { destinations: [{ ...APM, timeoutMs: 100.5 }] },
      'destinations.0.timeoutMs must be a whole',
    ],
    [
      'a shrinking pause',
      { destinations: [{ ...APM, retry: { maxMs: 10 } }] },
      'destinations.0.retry.maxMs must not be',
    ],
    [
      'a loop',
      { destinations: [{ ...TOPIC, topic: 'spanloom.traces' }] },
      'destinations.0.topic must not be one of the',
    ],
    ['brokers without port', { destinations: [{ ...TOPIC, brokers: ['a'] }] }, 'destinations.0.brokers must be a list'],
    [
      'half a login',
      { destinations: [{ ...TOPIC, sasl: { username: 'a' } }] },
      'destinations.0.sasl.mechanism must be',
    ],
  ])('refuses %s', (_, declared, sentence) => {
    expect(sentences(declared).join('\n')).toContain(sentence);
  });

  it('tells of every mistake at once', () => {
    expect(sentences({ destinations: [{}, { ...APM, batch: { spansMax: 0, bytes: 1 } }] })).toHaveLength(5);
  });
});
