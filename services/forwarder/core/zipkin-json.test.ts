import { describe, expect, it } from '@jest/globals';
import { otlpFromZipkinJson } from '../../../lib/codec/ingest/zipkin-json.ts';
import { EPOCH_MS, otlp } from '../../../lib/testkit/otlp-builder.ts';
import { zipkinSpans } from './zipkin-json.ts';

const MICROS = EPOCH_MS * 1000;

describe('zipkinSpans', () => {
  it('writes what OpenTelemetry says Zipkin is to be told', () => {
    const request = otlp([
      {
        service: 'web',
        resource: { 'host.name': 'a', region: 'resource' },
        spans: [
          {
            id: 2,
            parent: 1,
            kind: 'client',
            name: 'GET',
            start: 1.5,
            duration: 20,
            error: 'no route',
            attributes: { region: 'span', 'http.response.status_code': 503, retry: true, 'server.address': 'shop' },
            events: [
              { name: 'plain', at: 1 },
              { name: 'told', at: 2, attributes: { n: 1, text: 'x' } },
            ],
          },
        ],
      },
    ]);
    expect(zipkinSpans(request)).toEqual([
      {
        traceId: '00000000000000000000000000000001',
        id: '0000000000000002',
        parentId: '0000000000000001',
        kind: 'CLIENT',
        name: 'GET',
        timestamp: MICROS + 1_500,
        duration: 20_000,
        localEndpoint: { serviceName: 'web' },
        remoteEndpoint: { serviceName: 'shop' },
        annotations: [
          { timestamp: MICROS + 2_500, value: 'plain' },
          { timestamp: MICROS + 3_500, value: '"told":{"n":1,"text":"x"}' },
        ],
        tags: {
          'host.name': 'a',
          region: 'span',
          'otel.scope.name': 'test',
          'otel.scope.version': '1',
          'http.response.status_code': '503',
          retry: 'true',
          'server.address': 'shop',
          'otel.status_code': 'ERROR',
          error: 'no route',
        },
      },
    ]);
  });

  it('leaves out what there is not: kind of internal spans, status that nobody set, a parent', () => {
    const [span] = zipkinSpans(otlp([{ spans: [{ id: 1, duration: 0 }] }]));
    expect(Object.keys(span ?? {}).sort()).toEqual(['duration', 'id', 'name', 'tags', 'timestamp', 'traceId']);
    expect(span?.duration).toBe(1);
  });

  it('never makes an error look like none', () => {
    const [span] = zipkinSpans(otlp([{ spans: [{ id: 1, error: true, attributes: { error: 'false' } }] }]));
    expect(span?.tags).toMatchObject({ error: expect.not.stringMatching(/^false$/), 'otel.status_code': 'ERROR' });
  });

  it('gives Zipkin back what came from Zipkin', () => {
    const spans = [
      {
        traceId: '0000000000000000000000000000000a',
        id: '000000000000000b',
        parentId: '000000000000000c',
        kind: 'SERVER',
        name: 'get',
        timestamp: MICROS,
        duration: 7,
        localEndpoint: { serviceName: 'web', ipv4: '10.0.0.1', ipv6: '2001:db8::1', port: 80 },
        remoteEndpoint: { serviceName: 'app', ipv6: '2001:db8::2', port: 443 },
        annotations: [{ timestamp: MICROS + 1, value: 'ws' }],
        tags: { 'http.path': '/a' },
        debug: true,
        shared: true,
      },
      {
        traceId: '0000000000000000000000000000000a',
        id: '000000000000000d',
        kind: 'CLIENT',
        localEndpoint: { serviceName: 'web' },
        remoteEndpoint: { ipv4: '10.0.0.2' },
        tags: { 'server.address': '' },
      },
    ];
    const converted = otlpFromZipkinJson(Buffer.from(JSON.stringify(spans)));
    if (!converted.ok) throw new Error(converted.detail);
    expect(zipkinSpans(converted.bytes)).toEqual(spans);
  });
});
