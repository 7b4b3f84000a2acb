import { describe, expect, it } from '@jest/globals';
import type { AssembledTrace } from '../../codec/records.ts';
import { assembledTrace } from '../../testkit/assembled-trace.ts';
import { queryParquet } from '../../testkit/duckdb.ts';
import { EPOCH_MS, otlp, type ResourceLiteral } from '../../testkit/otlp-builder.ts';
import { encodeReference } from '../../testkit/otlp-reference.ts';
import { encodeParquet } from '../encode-parquet.ts';
import { SpanRows } from './span-rows.ts';
import { TraceRows } from './trace-rows.ts';

async function rowsOf(traces: readonly AssembledTrace[], select = '*'): Promise<Record<string, unknown>[]> {
  const rows = new SpanRows();
  for (const trace of traces) expect(rows.add(trace)).toBe(true);
  return queryParquet(
    [await encodeParquet([{ columns: rows.columns(), rows: rows.count }])],
    `SELECT ${select} FROM ?files`,
  );
}

const one = (resources: readonly ResourceLiteral[], facts: Partial<AssembledTrace> = {}) => [
  assembledTrace(otlp(resources), facts),
];

describe('the spans dataset, as DuckDB reads it', () => {
  it('has one row per span with what it says and facts of its trace', async () => {
    const rows = await rowsOf(
      one(
        [
          {
            service: 'shop-web',
            resource: { 'service.version': '1.2', 'telemetry.sdk.name': 'test' },
            scope: 'express',
            spans: [
              {
                id: 1,
                kind: 'server',
                name: 'GET /cart',
                duration: 30,
                attributes: { 'http.route': '/cart', 'http.response.status_code': 503, custom: true },
                error: 'no stock',
              },
              { id: 2, parent: 1, kind: 'client', start: 5, duration: 0.001 },
            ],
          },
        ],
        {
          rootService: 'shop-web',
          rootOperation: 'GET /cart',
          errorCount: 1,
          revision: 2,
          complete: false,
          closeReason: 'late',
          durationNano: 30_000_000n,
        },
      ),
    );
    expect(rows).toHaveLength(2);
    const startNs = BigInt(EPOCH_MS) * 1_000_000n;
    expect(rows[0]).toMatchObject({
      trace_id: '00000000000000000000000000000001',
      span_id: '0000000000000001',
      parent_span_id: null,
      service: 'shop-web',
      operation: 'GET /cart',
      kind: 'server',
      start_time: new Date(EPOCH_MS),
      start_ns: startNs,
      duration_ns: 30_000_000n,
      status_code: 'error',
      status_message: 'no stock',
      root_service: 'shop-web',
      root_operation: 'GET /cart',
      trace_start: new Date(EPOCH_MS),
      trace_duration_ns: 30_000_000n,
      trace_span_count: 2,
      trace_error: true,
      trace_complete: false,
      trace_revision: 2,
      close_reason: 'late',
      scope_name: 'express',
      scope_version: '1',
      http_route: '/cart',
      http_response_status_code: 503,
      service_version: '1.2',
      attributes: '{"custom":true}',
      resource_attributes: '{"service.name":"shop-web","telemetry.sdk.name":"test"}',
      events: null,
      links: null,
    });
    expect(rows[1]).toMatchObject({
      parent_span_id: '0000000000000001',
      kind: 'client',
      duration_ns: 1_000n,
      status_code: 'unset',
      http_route: null,
    });
  });

  it.each<[string, Record<string, unknown>, string, unknown, string[]]>([
    ['a value under the current name, and nowhere else', { 'http.route': '/a', x: 1 }, 'http_route', '/a', ['x']],
    [
      'the current name before the older one, which stays',
      { 'http.method': 'GET', 'http.request.method': 'POST' },
      'http_request_method',
      'POST',
      ['http.method'],
    ],
    [
      'the current name also when it comes first',
      { 'http.request.method': 'POST', 'http.method': 'GET' },
      'http_request_method',
      'POST',
      ['http.method'],
    ],
    ['an older name, which stays too', { 'http.method': 'GET' }, 'http_request_method', 'GET', ['http.method']],
    [
      'the older name when the current one has no value that fits',
      { 'http.response.status_code': 'teapot', 'http.status_code': 418 },
      'http_response_status_code',
      418,
      ['http.response.status_code', 'http.status_code'],
    ],
    [
      'a number given as text, which stays as text',
      { 'http.response.status_code': '404' },
      'http_response_status_code',
      404,
      ['http.response.status_code'],
    ],
    [
      'no number of more than 31 bits',
      { 'http.status_code': 2 ** 31 },
      'http_response_status_code',
      null,
      ['http.status_code'],
    ],
    ['no negative number', { 'http.status_code': -1 }, 'http_response_status_code', null, ['http.status_code']],
    ['no empty text', { 'http.route': '' }, 'http_route', null, ['http.route']],
    ['a number as text, and keeps the number', { 'db.system.name': 7 }, 'db_system_name', '7', ['db.system.name']],
    ['a truth value likewise', { 'rpc.method': true }, 'rpc_method', 'true', ['rpc.method']],
  ])('promotes %s', async (_, attributes, column, value, left) => {
    const literal = { service: 's', spans: [{ id: 1, attributes: attributes as Record<string, string | number> }] };
    const [row] = await rowsOf(one([literal]), `${column} AS value, attributes`);
    expect(row?.['value']).toBe(value);
    expect(Object.keys(JSON.parse(String(row?.['attributes'])) as object)).toEqual(left);
  });

  it('keeps every kind of attribute value as JSON that parses', async () => {
    const trace = assembledTrace(
      encodeReference({
        resourceSpans: [
          {
            resource: {},
            scopeSpans: [
              {
                spans: [
                  {
                    traceId: new Uint8Array(16).fill(1),
                    spanId: new Uint8Array(8).fill(2),
                    name: 'ünïcode “name”',
                    attributes: [
                      { key: 'text', value: { stringValue: 'quote " slash \\ line\n bell\u0007 ü €' } },
                      { key: 'int', value: { intValue: '-9223372036854775808' } },
                      { key: 'small', value: { intValue: '-5' } },
                      { key: 'double', value: { doubleValue: 1.5e300 } },
                      { key: 'nan', value: { doubleValue: Number.NaN } },
                      { key: 'bytes', value: { bytesValue: Buffer.from('hi') } },
                      {
                        key: 'list',
                        value: {
                          arrayValue: {
                            values: [{ intValue: '1' }, { stringValue: 'b' }, { arrayValue: { values: [] } }],
                          },
                        },
                      },
                      { key: 'map', value: { kvlistValue: { values: [{ key: 'k"', value: { boolValue: false } }] } } },
                      { key: 'none', value: {} },
                    ],
                    events: [
                      {
                        timeUnixNano: '1700000000000000001',
                        name: 'exception',
                        attributes: [{ key: 'a', value: { stringValue: 'b' } }],
                      },
                      { timeUnixNano: '2', name: '' },
                    ],
                    links: [{ traceId: new Uint8Array(16).fill(3), spanId: new Uint8Array(8).fill(4) }],
                  },
                ],
              },
            ],
          },
        ],
      }),
    );
    const [row] = await rowsOf([trace]);
    expect(row?.['operation']).toBe('ünïcode “name”');
    expect(row?.['service']).toBe('unknown_service');
    expect(row?.['scope_name']).toBeNull();
    expect(String(row?.['attributes'])).toContain('"int":-9223372036854775808');
    expect(JSON.parse(String(row?.['attributes']))).toMatchObject({
      text: 'quote " slash \\ line\n bell\u0007 ü €',
      small: -5,
      double: 1.5e300,
      nan: 'NaN',
      bytes: Buffer.from('hi').toString('base64'),
      list: [1, 'b', []],
      map: { 'k"': false },
      none: null,
    });
    expect(String(row?.['events'])).toContain('"time_ns":1700000000000000001');
    expect(JSON.parse(String(row?.['events']))).toMatchObject([
      { name: 'exception', attributes: { a: 'b' } },
      { name: '', time_ns: 2 },
    ]);
    expect(JSON.parse(String(row?.['links']))).toEqual([
      { trace_id: '03'.repeat(16), span_id: '04'.repeat(8), attributes: {} },
    ]);
  });

  it('repairs bytes that are no UTF-8 instead of making a file that nobody can read', async () => {
    const bytes = otlp([{ service: 's', spans: [{ id: 1, name: 'name-XX', attributes: { key: 'value-XX' } }] }]);
    const broken = Buffer.from(bytes.latin1Slice().replaceAll('XX', '\xff\xfe'), 'latin1');
    const [row] = await rowsOf([assembledTrace(broken)]);
    expect(row?.['operation']).toBe('name-\ufffd\ufffd');
    expect(JSON.parse(String(row?.['attributes']))).toEqual({ key: 'value-\ufffd\ufffd' });
  });

  it('takes times that no calendar expects', async () => {
    const spans = [{ id: 1, start: 10, duration: -5 }];
    for (const epochMs of [0, 4_090_000_000_000]) {
      const trace = assembledTrace(otlp([{ service: 's', spans }], { epochMs }));
      expect(await rowsOf([trace], 'start_ns, duration_ns')).toEqual([
        { start_ns: BigInt(epochMs + 10) * 1_000_000n, duration_ns: -5_000_000n },
      ]);
    }
  });

  it('can be filled again after it was cleared, and equal rows give equal bytes', async () => {
    const rows = new SpanRows();
    const encode = () => {
      rows.clear();
      for (let trace = 1; trace <= 5_000; trace++) {
        rows.add(
          assembledTrace(
            otlp([{ service: `s${trace % 7}`, spans: [{ id: 1 }, { id: 2, parent: 1, error: trace % 2 === 0 }] }], {
              trace,
            }),
          ),
        );
      }
      return encodeParquet([{ columns: rows.columns(), rows: rows.count }]);
    };
    const encoded = [await encode(), await encode()];
    expect(Buffer.compare(encoded[0] as Uint8Array, encoded[1] as Uint8Array)).toBe(0);
  });
});

describe('the traces dataset', () => {
  it('has one row per trace record and names the object with its spans', async () => {
    const rows = new TraceRows();
    const [trace] = one([{ service: 'a', spans: [{ id: 1 }] }], {
      services: [{ service: 'a', spanCount: 1, errorCount: 0 }],
      complete: false,
      incompleteReasons: ['no_root'],
    });
    rows.add(trace as AssembledTrace, 'p/spans/v1/x.parquet');
    const [row] = await queryParquet(
      [await encodeParquet([{ columns: rows.columns(), rows: rows.count }])],
      'SELECT * FROM ?files',
    );
    expect(row).toMatchObject({
      trace_id: '00000000000000000000000000000001',
      span_count: 1,
      root_service: null,
      complete: false,
      incomplete_reasons: 'no_root',
      spans_object: 'p/spans/v1/x.parquet',
    });
    expect(JSON.parse(String(row?.['services']))).toEqual([{ service: 'a', spans: 1, errors: 0 }]);
  });
});
