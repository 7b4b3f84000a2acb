import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConsoleWorld } from '../../testing/console-world.ts';
import { FAILED_ID, failedOrder, healthySearch, SHOP_MS, SHORT_ID, shopCalls } from '../../testing/shop.ts';

const SHOP_MICROS = SHOP_MS * 1000;
const SHORT = SHORT_ID.slice(16);
let world: ConsoleWorld;

beforeAll(async () => {
  world = await new ConsoleWorld({ nowMs: SHOP_MS + 60_000 }).listen();
  world.addTrace(failedOrder());
  world.addTrace(healthySearch());
  world.addDeltas(shopCalls());
});
afterAll(() => world.close());

function data(list: unknown[]) {
  return { data: list, total: list.length, limit: 0, offset: 0, errors: null };
}

async function traceIds(query: string): Promise<unknown> {
  const { status, json } = await world.get(`/api/traces?${query}`);
  const { data: traces } = json as { data: { traceID: string }[] | null };
  return status === 200 ? traces?.map(({ traceID }) => traceID) : status;
}

describe("Jaeger's classic JSON, as Grafana's data source asks it", () => {
  it('lists services and operations', async () => {
    expect((await world.get('/api/services')).json).toEqual(data(['gateway', 'payment']));
    expect((await world.get('/api/services/gateway/operations')).json).toEqual(data(['GET /search', 'POST /orders']));
    expect((await world.get('/api/operations?service=payment&spanKind=client')).json).toEqual(
      data([{ name: 'UPDATE stock', spanKind: 'client' }]),
    );
  });

  it('gives a trace with its processes, tags, logs and references', async () => {
    const { status, json } = await world.get(`/api/traces/${FAILED_ID.toUpperCase()}?start=1&end=2`);
    expect(status).toBe(200);
    const fields = { traceID: FAILED_ID, flags: 1, warnings: null };
    const scope = [
      { key: 'otel.scope.name', type: 'string', value: 'test' },
      { key: 'otel.scope.version', type: 'string', value: '1' },
    ];
    const failed = [
      { key: 'otel.status_code', type: 'string', value: 'ERROR' },
      { key: 'error', type: 'bool', value: true },
    ];
    expect(json).toEqual(
      data([
        {
          traceID: FAILED_ID,
          warnings: null,
          processes: {
            p1: { serviceName: 'gateway', tags: [{ key: 'host.name', type: 'string', value: 'node-1' }] },
            p2: { serviceName: 'payment', tags: [] },
          },
          spans: [
            {
              ...fields,
              spanID: '0000000000000001',
              operationName: 'POST /orders',
              references: [],
              startTime: SHOP_MICROS,
              duration: 120_000,
              tags: [
                { key: 'http.response.status_code', type: 'int64', value: 503 },
                { key: 'http.request.method', type: 'string', value: 'POST' },
                { key: 'sampled', type: 'bool', value: true },
                { key: 'span.kind', type: 'string', value: 'server' },
                ...failed,
                ...scope,
              ],
              logs: [],
              processID: 'p1',
            },
            {
              ...fields,
              spanID: '0000000000000002',
              operationName: 'Charge',
              references: [{ refType: 'CHILD_OF', traceID: FAILED_ID, spanID: '0000000000000001' }],
              startTime: SHOP_MICROS + 10_000,
              duration: 100_000,
              tags: [
                { key: 'span.kind', type: 'string', value: 'server' },
                ...failed,
                { key: 'otel.status_description', type: 'string', value: 'no connection' },
                ...scope,
              ],
              logs: [],
              processID: 'p2',
            },
            {
              ...fields,
              spanID: '0000000000000003',
              operationName: 'UPDATE stock',
              references: [
                { refType: 'CHILD_OF', traceID: FAILED_ID, spanID: '0000000000000002' },
                { refType: 'FOLLOWS_FROM', traceID: SHORT, spanID: '0000000000000009' },
              ],
              startTime: SHOP_MICROS + 20_000,
              duration: 80_500,
              tags: [
                { key: 'db.system.name', type: 'string', value: 'postgresql' },
                { key: 'peer.service', type: 'string', value: 'orders-db' },
                { key: 'network.peer.address', type: 'string', value: '10.0.0.7' },
                { key: 'network.peer.port', type: 'int64', value: 5432 },
                { key: 'ratio', type: 'float64', value: 0.25 },
                { key: 'span.kind', type: 'string', value: 'client' },
                ...failed,
                { key: 'otel.status_description', type: 'string', value: 'server closed the connection' },
                ...scope,
              ],
              logs: [
                {
                  timestamp: SHOP_MICROS + 100_000,
                  fields: [
                    { key: 'event', type: 'string', value: 'exception' },
                    { key: 'exception.type', type: 'string', value: 'ConnectionResetError' },
                  ],
                },
              ],
              processID: 'p2',
            },
          ],
        },
      ]),
    );
  });

  const range = `start=${SHOP_MICROS - 1_000_000}&end=${SHOP_MICROS + 60_000_000}`;
  it.each([
    [`service=gateway&${range}&limit=20`, [SHORT, FAILED_ID]],
    [`service=gateway&${range}&limit=1`, [SHORT]],
    [`service=gateway&operation=POST+%2Forders&${range}`, [FAILED_ID]],
    [`service=payment&tags=${encodeURIComponent('{"db.system.name":"postgresql"}')}&${range}`, [FAILED_ID]],
    [`service=gateway&tags=${encodeURIComponent('{"error":"true"}')}&${range}`, [FAILED_ID]],
    [`service=gateway&tags=${encodeURIComponent('{"error":"false"}')}&${range}`, [SHORT]],
    [`service=gateway&tag=http.response.status_code:503&${range}`, [FAILED_ID]],
    [`service=payment&tags=${encodeURIComponent('{"span.kind":"client"}')}&${range}`, [FAILED_ID]],
    [`service=gateway&tags=${encodeURIComponent('{"span.kind":"client"}')}&${range}`, []],
    [`service=gateway&minDuration=100ms&${range}`, [FAILED_ID]],
    [`service=gateway&maxDuration=1.5s&minDuration=1us&${range}`, [SHORT, FAILED_ID]],
    [`service=gateway&start=${SHOP_MICROS + 500_000}&end=${SHOP_MICROS + 60_000_000}&lookback=custom`, [SHORT]],
    [`traceID=${SHORT}&traceID=${FAILED_ID}`, [SHORT, FAILED_ID]],
    ['service=gateway', [SHORT, FAILED_ID]],
  ])('searches by %s', async (query, expected) => {
    expect(await traceIds(query)).toEqual(expected);
  });

  it.each([
    ['limit=20', 'service'],
    ['service=gateway&limit=0', 'limit'],
    ['service=gateway&limit=2000', 'limit'],
    ['service=gateway&minDuration=fast', 'minDuration'],
    ['service=gateway&minDuration=2s&maxDuration=1s', 'maxDuration'],
    ['service=gateway&tags=error', 'tags'],
    ['service=gateway&start=2000&end=1000', 'start'],
    ['traceID=xyz', 'traceID'],
  ])('refuses %s and names %s', async (query, field) => {
    const { status, json } = await world.get(`/api/traces?${query}`);
    const message = expect.stringMatching(new RegExp(`^${field}\\b`));
    expect([status, json]).toEqual([
      400,
      { data: null, total: 0, limit: 0, offset: 0, errors: [{ code: 400, msg: message }] },
    ]);
  });

  it('has no trace for an unknown id, and none for what is no id', async () => {
    expect(await world.get(`/api/traces/${'9'.repeat(32)}`)).toEqual({
      status: 404,
      json: { data: null, total: 0, limit: 0, offset: 0, errors: [{ code: 404, msg: 'trace not found' }] },
    });
    expect((await world.get('/api/traces/0')).status).toBe(400);
  });

  it('counts calls between services, those of databases as well', async () => {
    const expected = data([
      { parent: 'gateway', child: 'payment', callCount: 40 },
      { parent: 'payment', child: 'orders-db', callCount: 40 },
    ]);
    const { json } = await world.get(`/api/dependencies?endTs=${SHOP_MS + 60_000}&lookback=3600000`);
    expect(json).toEqual(expected);
    expect((await world.get(`/api/dependencies?endTs=${SHOP_MS - 60_000}&lookback=3600000`)).json).toEqual(data([]));
  });
});

describe("Jaeger's API v3", () => {
  const times = 'query.startTimeMin=2023-11-14T21:59:00Z&query.startTimeMax=2023-11-14T22:59:00.5%2B00:00';

  it('lists services and operations', async () => {
    expect((await world.get('/api/v3/services')).json).toEqual({ services: ['gateway', 'payment'] });
    expect((await world.get('/api/v3/operations?service=payment&span_kind=SERVER')).json).toEqual({
      operations: [{ name: 'Charge', spanKind: 'server' }],
    });
  });

  it('gives a trace as OTLP', async () => {
    const { json } = await world.get(`/api/v3/traces/${SHORT}?rawTraces=true`);
    expect(json).toEqual({
      result: {
        resourceSpans: [
          {
            resource: { attributes: [{ key: 'service.name', value: { stringValue: 'gateway' } }] },
            schemaUrl: expect.any(String),
            scopeSpans: [
              {
                scope: { name: 'test', version: '1' },
                spans: [
                  {
                    traceId: SHORT_ID,
                    spanId: '0000000000000005',
                    name: 'GET /search',
                    kind: 2,
                    flags: 257,
                    startTimeUnixNano: String((SHOP_MS + 1000) * 1e6),
                    endTimeUnixNano: String((SHOP_MS + 1003) * 1e6),
                    status: { code: 1 },
                  },
                ],
              },
            ],
          },
        ],
      },
    });
  });

  it.each([
    [`query.serviceName=gateway&${times}`, 2],
    [`query.service_name=gateway&query.num_traces=1&${times}`, 1],
    [`query.serviceName=gateway&query.operationName=GET%20%2Fsearch&query.searchDepth=5&${times}`, 1],
    [`query.attributes=${encodeURIComponent('{"ratio":"0.25"}')}&${times}`, 1],
    [`query.durationMin=0.1s&${times}`, 1],
    [`query.duration_max=0.1s&${times}`, 1],
  ])('finds by %s', async (query, count) => {
    const { json } = await world.get(`/api/v3/traces?${query}`);
    const { resourceSpans } = (
      json as { result: { resourceSpans: { scopeSpans: { spans: { traceId: string }[] }[] }[] } }
    ).result;
    const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(count);
  });

  it('summarises', async () => {
    const { json } = await world.get(`/api/v3/trace-summaries?query.serviceName=payment&${times}`);
    expect(json).toEqual({
      summaries: [
        {
          traceId: FAILED_ID,
          rootServiceName: 'gateway',
          rootOperationName: 'POST /orders',
          minStartTimeUnixNano: String(SHOP_MS * 1e6),
          maxEndTimeUnixNano: String((SHOP_MS + 120) * 1e6),
          spanCount: 3,
          errorSpanCount: 3,
          orphanSpanCount: 0,
          services: [
            { name: 'payment', spanCount: 2, errorSpanCount: 2 },
            { name: 'gateway', spanCount: 1, errorSpanCount: 1 },
          ],
        },
      ],
    });
  });

  it('counts calls, as text', async () => {
    const { json } = await world.get(
      '/api/v3/dependencies?startTime=2023-11-14T21:59:00Z&endTime=2023-11-14T22:59:00.123456789Z',
    );
    expect(json).toEqual({
      dependencies: [
        { parent: 'gateway', child: 'payment', callCount: '40' },
        { parent: 'payment', child: 'orders-db', callCount: '40' },
      ],
    });
  });

  it.each([
    ['/api/v3/operations', 400, 'service is needed.'],
    ['/api/v3/traces?query.serviceName=gateway', 400, 'query.startTimeMin'],
    [`/api/v3/traces?query.startTimeMin=yesterday&query.startTimeMax=today`, 400, 'query.startTimeMin'],
    [`/api/v3/traces?query.filter={}&${times}`, 400, 'query.filter'],
    [`/api/v3/traces?query.serviceName=nobody&${times}`, 404, 'No traces found'],
    [`/api/v3/traces/${'9'.repeat(32)}`, 404, 'trace not found'],
    ['/api/v3/dependencies', 400, 'startTime'],
  ])('answers %s with %i', async (path, status, message) => {
    const answer = await world.get(path);
    expect(answer).toEqual({
      status,
      json: {
        error: { httpCode: status, grpcCode: status === 404 ? 5 : 3, message: expect.stringContaining(message) },
      },
    });
  });
});
