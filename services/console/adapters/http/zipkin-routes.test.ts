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

describe("Zipkin's API v2", () => {
  it.each([
    ['services', ['gateway', 'payment']],
    ['spans?serviceName=payment', ['Charge', 'UPDATE stock']],
    ['spans?serviceName=nobody', []],
    ['remoteServices?serviceName=payment', ['orders-db']],
    ['autocompleteKeys', []],
    ['autocompleteValues?key=environment', []],
    [
      `dependencies?endTs=${SHOP_MS + 60_000}&lookback=3600000`,
      [
        { parent: 'gateway', child: 'payment', callCount: 40, errorCount: 20 },
        { parent: 'payment', child: 'orders-db', callCount: 40, errorCount: 20 },
      ],
    ],
  ])('answers %s', async (path, expected) => {
    expect(await world.get(`/api/v2/${path}`)).toEqual({ status: 200, json: expected });
  });

  it('gives a trace with endpoints, tags and annotations', async () => {
    const { json } = await world.get(`/api/v2/trace/${FAILED_ID}`);
    const scope = { 'otel.scope.name': 'test', 'otel.scope.version': '1', 'otel.status_code': 'ERROR' };
    expect(json).toEqual([
      {
        traceId: FAILED_ID,
        id: '0000000000000001',
        name: 'POST /orders',
        kind: 'SERVER',
        timestamp: SHOP_MICROS,
        duration: 120_000,
        localEndpoint: { serviceName: 'gateway' },
        tags: {
          'host.name': 'node-1',
          'http.response.status_code': '503',
          'http.request.method': 'POST',
          sampled: 'true',
          error: '',
          ...scope,
        },
      },
      {
        traceId: FAILED_ID,
        id: '0000000000000002',
        parentId: '0000000000000001',
        name: 'Charge',
        kind: 'SERVER',
        timestamp: SHOP_MICROS + 10_000,
        duration: 100_000,
        localEndpoint: { serviceName: 'payment' },
        tags: { error: 'no connection', ...scope },
      },
      {
        traceId: FAILED_ID,
        id: '0000000000000003',
        parentId: '0000000000000002',
        name: 'UPDATE stock',
        kind: 'CLIENT',
        timestamp: SHOP_MICROS + 20_000,
        duration: 80_500,
        localEndpoint: { serviceName: 'payment' },
        remoteEndpoint: { serviceName: 'orders-db', ipv4: '10.0.0.7', port: 5432 },
        annotations: [
          { timestamp: SHOP_MICROS + 100_000, value: '{"exception":{"exception.type":"ConnectionResetError"}}' },
        ],
        tags: { 'db.system.name': 'postgresql', ratio: '0.25', error: 'server closed the connection', ...scope },
      },
    ]);
  });

  it.each([
    ['traces?serviceName=gateway', [SHORT, FAILED_ID]],
    ['traces?serviceName=gateway&limit=1', [SHORT]],
    ['traces?serviceName=gateway&spanName=GET%20%2Fsearch', [SHORT]],
    ['traces?serviceName=payment&remoteServiceName=orders-db', [FAILED_ID]],
    ['traces?serviceName=payment&remoteServiceName=other-db', []],
    ['traces?annotationQuery=error', [FAILED_ID]],
    ['traces?annotationQuery=http.response.status_code%3D503%20and%20sampled', [FAILED_ID]],
    ['traces?annotationQuery=never', []],
    ['traces?minDuration=100000', [FAILED_ID]],
    ['traces?minDuration=1&maxDuration=100000', [SHORT]],
    [`traces?endTs=${SHOP_MS}&lookback=60000`, [FAILED_ID]],
    [`traceMany?traceIds=${SHORT},${FAILED_ID},${'9'.repeat(32)}`, [SHORT, FAILED_ID]],
  ])('finds by %s', async (path, expected) => {
    const { json } = await world.get(`/api/v2/${path}`);
    expect((json as { traceId: string }[][]).map(([span]) => span?.traceId)).toEqual(expected);
  });

  it.each([
    ['spans', 400, 'serviceName'],
    ['remoteServices', 400, 'serviceName'],
    ['autocompleteValues', 400, 'key'],
    ['dependencies', 400, 'endTs'],
    ['traceMany', 400, 'traceIds'],
    [`traceMany?traceIds=${SHORT},${SHORT_ID}`, 400, 'traceIds'],
    ['traces?annotationQuery=%3Dx', 400, 'annotationQuery'],
    ['traces?minDuration=5&maxDuration=4', 400, 'maxDuration'],
    ['trace/xyz', 400, 'traceId'],
    [`trace/${'9'.repeat(32)}`, 404, undefined],
  ])('answers %s with %i', async (path, status, field) => {
    const answer = await world.get(`/api/v2/${path}`);
    expect([answer.status, (answer.json as { error: { field?: string } }).error.field]).toEqual([status, field]);
  });
});
