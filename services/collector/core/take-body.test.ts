import { describe, expect, it } from '@jest/globals';
import { otlpToJson } from '../../../lib/codec/otlp-json.ts';
import { ENCODED_CALL } from '../../../lib/testkit/formats/one-call.ts';
import { otlp, type SpanLiteral } from '../../../lib/testkit/otlp-builder.ts';
import { takeBody } from './take-body.ts';

const RECORD_BYTES_MAX = 10_000;
const take = (body: Buffer, encoding: Parameters<typeof takeBody>[1] = 'otlp_proto') =>
  takeBody(body, encoding, RECORD_BYTES_MAX);
const web = (...spans: SpanLiteral[]) => otlp([{ service: 'web', scope: 'tracer', spans }]);

interface Found {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { readonly value: { readonly stringValue: string } }[] };
    readonly scopeSpans: readonly { readonly scope?: { name: string }; readonly spans: readonly { name: string }[] }[];
  }[];
}
const spansIn = (record: Buffer) =>
  (otlpToJson(record) as unknown as Found).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map(({ name }) => `${resource.attributes[0]?.value.stringValue}/${scope?.name}/${name}`),
    ),
  );

describe('takeBody', () => {
  it('passes OTLP in protobuf on as it is', () => {
    const body = web({ id: 1 }, { id: 2, parent: 1 });
    const taken = take(body);
    expect(taken).toMatchObject({ ok: true, spans: 2, rejected: 0, reason: '' });
    expect(taken.ok && taken.records[0]).toBe(body);
  });

  it.each(ENCODED_CALL)('takes two spans in %s', (encoding, bodies) => {
    const taken = bodies.map((body) => take(body, encoding));
    expect(taken.reduce((sum, each) => sum + (each.ok ? each.spans : 0), 0)).toBe(2);
  });

  it('splits what is larger than a record: every span once, with its resource and scope', () => {
    const spans = Array.from({ length: 400 }, (_, i) => ({ id: i + 1, name: `operation ${i}`.padEnd(100, '.') }));
    const taken = take(web(...spans));
    if (!taken.ok) throw new Error(taken.detail);
    expect(taken).toMatchObject({ spans: 400, rejected: 0 });
    expect(taken.records.length).toBeGreaterThan(4);
    for (const { length } of taken.records) expect(length).toBeLessThanOrEqual(RECORD_BYTES_MAX);
    expect(taken.records.flatMap(spansIn)).toEqual(spans.map(({ name }) => `web/tracer/${name}`));
  });

  it('rejects the spans alone that fit into no record', () => {
    const body = web({ id: 1, name: 'a' }, { id: 2, name: 'b'.repeat(RECORD_BYTES_MAX) }, { id: 3, name: 'c' });
    const taken = take(body);
    if (!taken.ok) throw new Error(taken.detail);
    expect(taken).toMatchObject({ spans: 2, rejected: 1, reason: expect.stringMatching(/1 spans are larger/) });
    expect(taken.records.flatMap(spansIn)).toEqual(['web/tracer/a', 'web/tracer/c']);
  });

  it('counts spans whose ids are none as rejected, and leaves them to the dead letters', () => {
    const body = web({ id: 1 }, { id: '0000000000000000' }, { id: 3, trace: '00'.repeat(16) });
    expect(take(body)).toMatchObject({ ok: true, records: [body], spans: 3, rejected: 2 });
  });

  it.each([
    ['otlp_json', { resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: 'a'.repeat(9_000), spanId: '1' }] }] }] }],
    ['zipkin_json', [{ traceId: 'a'.repeat(9_000), id: '1' }]],
    ['jaeger_json', [{ traceID: 'a'.repeat(9_000), spanID: 'x' }]],
  ] as const)('rejects a span with a huge id in %s alone, and says so', (encoding, body) => {
    const taken = take(Buffer.from(JSON.stringify(body)), encoding);
    expect(taken).toMatchObject({
      ok: true,
      spans: 1,
      rejected: 1,
      reason: expect.stringMatching(/an id that is none/),
    });
  });

  it('goes by the last of two keys of one name, as JSON has it', () => {
    const [first, last] = ['1'.repeat(32), '2'.repeat(32)];
    const span = `"spanId":"${'3'.repeat(16)}","name":"a","name":"b"`;
    const spans = `[{"traceId":"${first}","traceId":"${last}",${span}}]`;
    const taken = take(
      Buffer.from(`{"resourceSpans":[],"resourceSpans":[{"scopeSpans":[{"spans":${spans}}]}]}`),
      'otlp_json',
    );
    expect(taken).toMatchObject({ ok: true, spans: 1, rejected: 0 });
    const [record] = taken.ok ? taken.records : [];
    expect(JSON.stringify(otlpToJson(record as Buffer))).toMatch(new RegExp(`"traceId":"${last}".*"name":"b"`));
  });

  it('makes no record of a request without spans', () => {
    expect(take(Buffer.alloc(0))).toMatchObject({ ok: true, records: [], spans: 0 });
    expect(take(Buffer.from('[]'), 'zipkin_json')).toMatchObject({ ok: true, records: [] });
  });

  it('refuses more spans than a row each is worth: two bytes of input must not become fifty', () => {
    const spans = Buffer.alloc(2 * 300_000, Buffer.from([0x12, 0x00]));
    expect(take(field(0x0a, field(0x12, spans)))).toMatchObject({ ok: false, status: 413 });
    expect(take(field(0x0a, spans))).toMatchObject({ ok: false, status: 413 });
  });

  it.each([
    ['a cut request', web({ id: 1 }).subarray(0, -1), 'otlp_proto', /truncated/],
    ['text', Buffer.from('hello'), 'otlp_proto', /no OTLP request/],
    ['JSON with a trailing comma', Buffer.from('{"resourceSpans":[],}'), 'otlp_json', /./],
    ['JSON that is not UTF-8', Buffer.from('{"resourceSpans":[],"x":"\xff"}', 'latin1'), 'otlp_json', /JSON/],
    ['a span that is no object', Buffer.from('[7]'), 'zipkin_json', /./],
    ['half a list', Buffer.from('[{"traceId":"1"'), 'zipkin_json', /./],
    ['Thrift that ends early', Buffer.from([0x0c, 0x00, 0x00, 0x00]), 'zipkin_thrift', /./],
  ] as const)('refuses %s with a sentence', (_name, body, encoding, sentence) => {
    expect(take(body, encoding)).toMatchObject({ ok: false, status: 400, detail: expect.stringMatching(sentence) });
  });
});

function field(tag: number, body: Buffer): Buffer {
  const length: number[] = [];
  for (let rest = body.length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      length.push(rest);
      break;
    }
    length.push((rest % 128) + 128);
  }
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}
