import { describe, expect, it } from '@jest/globals';
import { otlpFromJson } from '../../../lib/codec/otlp-json.ts';
import { assembledTrace } from '../../../lib/testkit/assembled-trace.ts';
import { clickHouseJson, clickHouseRows } from './clickhouse-rows.ts';

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const SPAN = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentSpanId: '00f067aa0ba902b7',
  traceState: 'ot=th:c',
  name: 'GET /cart',
  kind: 2,
  startTimeUnixNano: '1760000000123456789',
  endTimeUnixNano: '1760000000223456790',
  attributes: [
    text('http.route', '/cart'),
    { key: 'retries', value: { intValue: '3' } },
    { key: 'big', value: { intValue: '9007199254740993' } },
    { key: 'ok', value: { boolValue: true } },
    { key: 'sampling.weight', value: { doubleValue: 2.5 } },
    { key: 'list', value: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '1' }] } } },
    text('__proto__', 'x'),
  ],
  events: [{ timeUnixNano: '1760000000200000001', name: 'exception', attributes: [text('exception.type', 'E')] }],
  links: [{ traceId: '1af7651916cd43dd8448eb211c80319c', spanId: 'a7ad6b7169203331', traceState: 'a=b' }],
  status: { code: 2, message: 'boom' },
};

function request(...spans: object[]): Buffer {
  const scope = { name: 'lib', version: '1' };
  const resource = { attributes: [text('service.name', 'web'), text('host.name', 'h1')] };
  const resourceSpans = [{ resource, scopeSpans: [{ scope, spans }] }];
  const converted = otlpFromJson(Buffer.from(JSON.stringify({ resourceSpans })));
  if (!converted.ok) throw new Error('not OTLP/JSON');
  return converted.bytes;
}

describe('clickHouseRows', () => {
  it('has every field of a span', () => {
    expect(clickHouseRows(request(SPAN))).toEqual([
      {
        Timestamp: '1760000000.123456789',
        TraceId: SPAN.traceId,
        SpanId: SPAN.spanId,
        ParentSpanId: SPAN.parentSpanId,
        TraceState: 'ot=th:c',
        SpanName: 'GET /cart',
        SpanKind: 'Server',
        ServiceName: 'web',
        ResourceAttributes: { 'service.name': 'web', 'host.name': 'h1' },
        ScopeName: 'lib',
        ScopeVersion: '1',
        SpanAttributes: {
          'http.route': '/cart',
          retries: '3',
          big: '9007199254740993',
          ok: 'true',
          'sampling.weight': '2.5',
          list: '["a",1]',
        },
        Duration: '100000001',
        StatusCode: 'Error',
        StatusMessage: 'boom',
        'Events.Timestamp': ['1760000000.200000001'],
        'Events.Name': ['exception'],
        'Events.Attributes': [{ 'exception.type': 'E' }],
        'Links.TraceId': ['1af7651916cd43dd8448eb211c80319c'],
        'Links.SpanId': ['a7ad6b7169203331'],
        'Links.TraceState': ['a=b'],
        'Links.Attributes': [{}],
      },
    ]);
  });

  it.each([
    ['0', '0000000000.000000000'],
    ['12500000000', '0000000012.500000000'],
    ['18446744073709551615', '9223372036.854775807'],
  ])('writes the time %s so that ClickHouse can hold it', (startTimeUnixNano, timestamp) => {
    const [row] = clickHouseRows(request({ ...SPAN, startTimeUnixNano, endTimeUnixNano: '1' }));
    expect(row).toMatchObject({ Timestamp: timestamp });
  });

  it('makes no duration of an end before the start', () => {
    expect(clickHouseRows(request({ ...SPAN, endTimeUnixNano: '5' }))).toMatchObject([{ Duration: '0' }]);
  });

  it('writes one line for each span of a batch', () => {
    const trace = assembledTrace(request(SPAN, { ...SPAN, spanId: 'c7ad6b7169203331' }));
    const lines = clickHouseJson([{ trace, offset: 0, appendMs: 0 }])
      .toString()
      .split('\n');
    expect(lines.map((line) => (line === '' ? '' : JSON.parse(line).SpanId))).toEqual([
      'b7ad6b7169203331',
      'c7ad6b7169203331',
      '',
    ]);
  });
});
