import type {
  Graph,
  GraphEdge,
  GraphNode,
  Health,
  Incident,
  IncidentSummary,
  NodeKind,
  Series,
  Span,
  Stats,
  Trace,
  TraceSummary,
} from '../../services/console/page/core/api-types.ts';

/** A fixed moment, so that every run and every picture shows the same: 2026-11-25, 10:00 UTC. */
export const NOW_MS = Date.UTC(2026, 10, 25, 10, 0, 0);
const BROKE_MS = NOW_MS - 262_000;

const SERVICES: readonly (readonly [
  name: string,
  kind: NodeKind,
  team: string | null,
  rate: number,
  p95Ms: number,
  errorRatio: number,
  health: Health,
])[] = [
  ['user', 'external', null, 0, 0, 0, 'unknown'],
  ['api-gateway', 'service', 'edge', 148, 92, 0.112, 'failing'],
  ['checkout', 'service', 'shop', 31, 420, 0.31, 'failing'],
  ['catalog', 'service', 'shop', 96, 24, 0.001, 'healthy'],
  ['search', 'service', 'discovery', 44, 61, 0.002, 'healthy'],
  ['cart', 'service', 'shop', 52, 18, 0.004, 'healthy'],
  ['payment', 'service', 'payments', 12, 610, 0.44, 'failing'],
  ['fraud-check', 'service', 'payments', 11, 180, 0.01, 'degraded'],
  ['shipping', 'service', 'logistics', 9, 44, 0, 'healthy'],
  ['mailer', 'service', 'logistics', 8, 130, 0, 'healthy'],
  ['orders-db', 'database', 'platform', 40, 21, 0.36, 'failing'],
  ['catalog-db', 'database', 'platform', 18, 9, 0, 'healthy'],
  ['session-cache', 'cache', 'platform', 210, 1.2, 0, 'healthy'],
  ['order-events', 'queue', 'platform', 9, 3, 0, 'healthy'],
  ['card-network', 'external', null, 11, 240, 0.02, 'healthy'],
];

const EDGES: readonly (readonly [client: string, server: string, rate: number, errorRatio: number, health: Health])[] =
  [
    ['user', 'api-gateway', 148, 0.112, 'failing'],
    ['api-gateway', 'checkout', 31, 0.31, 'failing'],
    ['api-gateway', 'catalog', 70, 0.001, 'healthy'],
    ['api-gateway', 'search', 44, 0.002, 'healthy'],
    ['api-gateway', 'cart', 52, 0.004, 'healthy'],
    ['api-gateway', 'session-cache', 148, 0, 'healthy'],
    ['checkout', 'payment', 12, 0.44, 'failing'],
    ['checkout', 'cart', 21, 0.002, 'healthy'],
    ['checkout', 'orders-db', 28, 0.36, 'failing'],
    ['checkout', 'order-events', 9, 0, 'healthy'],
    ['payment', 'fraud-check', 11, 0.01, 'degraded'],
    ['payment', 'card-network', 11, 0.02, 'healthy'],
    ['payment', 'orders-db', 12, 0.41, 'failing'],
    ['catalog', 'catalog-db', 18, 0, 'healthy'],
    ['search', 'catalog', 26, 0, 'healthy'],
    ['cart', 'session-cache', 62, 0, 'healthy'],
    ['order-events', 'shipping', 9, 0, 'healthy'],
    ['order-events', 'mailer', 0.02, 0, 'unknown'],
  ];

function stats(rate: number, p95Ms: number, errorRatio: number, seconds = 600): Stats {
  const calls = Math.round(rate * seconds);
  const known = calls > 0;
  return {
    calls,
    errors: Math.round(calls * errorRatio),
    errorRatio: known ? Math.round(calls * errorRatio) / calls : null,
    callsPerSecond: rate,
    p50Ms: known ? p95Ms * 0.31 : null,
    p95Ms: known ? p95Ms : null,
    p99Ms: known ? p95Ms * 2.2 : null,
    meanMs: known ? p95Ms * 0.4 : null,
  };
}

const before = (rate: number, p95Ms: number, health: Health) =>
  health === 'unknown'
    ? null
    : stats(rate * 1.04, health === 'healthy' ? p95Ms : p95Ms / 3, health === 'healthy' ? 0.001 : 0.003);

export function shopGraph(fromMs: number, toMs: number): Graph {
  const nodes = SERVICES.map(
    ([name, kind, team, rate, p95Ms, errorRatio, health]): GraphNode => ({
      name,
      kind,
      team,
      stats: stats(rate, p95Ms, errorRatio),
      baseline: before(rate, p95Ms, health),
      verdict: { health, because: becauseOf(health) },
    }),
  );
  const p95Of = new Map(SERVICES.map(([name, , , , p95Ms]) => [name, p95Ms]));
  const edges = EDGES.map(
    ([client, server, rate, errorRatio, health]): GraphEdge => ({
      client,
      server,
      connectionType: server.endsWith('-db') || server.endsWith('-cache') ? 'database' : '',
      stats: stats(rate, p95Of.get(server) ?? 10, errorRatio),
      baseline: before(rate, p95Of.get(server) ?? 10, health),
      verdict: { health, because: becauseOf(health) },
    }),
  );
  const held = { fromMs: NOW_MS - 6 * 3_600_000, toMs: NOW_MS };
  return { range: { fromMs, toMs }, baseline: { fromMs: held.fromMs, toMs: fromMs }, held, nodes, edges, notices: [] };
}

function becauseOf(health: Health): ('errors' | 'latency')[] {
  return health === 'failing' ? ['errors'] : health === 'degraded' ? ['latency'] : [];
}

export function shopSeries(fromMs: number, toMs: number, name: string): Series {
  const stepMs = Math.max(10_000, Math.ceil((toMs - fromMs) / 120 / 10_000) * 10_000);
  const own = SERVICES.find(([service]) => service === name);
  const [rate, p95Ms, errorRatio] = own === undefined ? [20, 40, 0.1] : [own[3], own[4], own[5]];
  const points = Array.from({ length: Math.max(1, Math.floor((toMs - fromMs) / stepMs)) }, (_, at) => {
    const atMs = fromMs + at * stepMs;
    const wave = 1 + 0.18 * Math.sin(at / 7) + 0.06 * Math.sin(at * 2.3);
    const calls = Math.round((rate * wave * stepMs) / 1_000);
    const isBroken = atMs + stepMs > BROKE_MS;
    return {
      atMs,
      calls,
      errors: isBroken ? Math.round(calls * errorRatio * (1 + 0.2 * Math.sin(at))) : at % 17 === 0 ? 1 : 0,
      p50Ms: p95Ms * 0.3 * wave,
      p95Ms: p95Ms * wave * (isBroken ? 1 : 0.4),
      p99Ms: p95Ms * 2 * wave,
    };
  });
  const operations = ['POST /orders', 'POST /cart/items', 'GET /products/{id}', 'GET /cart'].map((operation, at) => ({
    operation,
    stats: stats(rate / (at + 2), p95Ms / (at + 1), errorRatio / (at * at + 1)),
  }));
  const exemplars = Array.from({ length: 12 }, (_, at) => ({
    traceId: traceIdOf(at),
    spanId: '00000000000000a1',
    kind: (['failed', 'slow', 'normal'] as const)[at % 3] as 'failed',
    durationMs: [412, 30_004, 18][at % 3] as number,
    atMs: toMs - at * 9_000,
  }));
  return {
    range: { fromMs, toMs },
    stepMs,
    points,
    total: stats(rate, p95Ms, errorRatio),
    operations,
    exemplars,
    notices: [],
  };
}

export const traceIdOf = (at: number) => (0x4bf92f3577b3 + at * 7_919).toString(16).padStart(32, 'c3a91e');

const ENTRIES = ['POST /orders', 'GET /products/{id}', 'POST /cart/items', 'GET /search', 'GET /cart'] as const;

export function shopTraces(countMax: number): TraceSummary[] {
  return Array.from({ length: Math.min(70, countMax) }, (_, at): TraceSummary => {
    const failed = at % 6 === 0 || at % 11 === 3;
    const slow = at % 13 === 0;
    const durationMs = slow ? 30_000 + at * 8 : failed ? 380 + ((at * 37) % 300) : 6 + ((at * 53) % 90);
    const services = ['api-gateway', 'checkout', 'orders-db', 'payment', 'cart', 'fraud-check', 'card-network'].slice(
      0,
      2 + (at % 6),
    );
    return {
      traceId: traceIdOf(at),
      startMs: NOW_MS - 4_000 - at * 8_300 - ((at * 977) % 5_000),
      durationMs,
      rootService: at === 8 ? null : 'api-gateway',
      rootOperation: at === 8 ? null : (ENTRIES[at % ENTRIES.length] as string),
      spanCount: 4 + ((at * 7) % 40),
      errorCount: failed ? 1 + (at % 4) : 0,
      orphanCount: at === 8 ? 2 : 0,
      services: services.map((name, place) => ({
        name,
        spanCount: 1 + ((at + place) % 6),
        errorCount: failed && place < 3 ? 1 : 0,
      })),
      complete: at !== 8,
      open: at === 0,
      source: at > 60 ? 'archive' : 'hot',
    };
  });
}

/** [depth, service, operation, kind, start ms, duration ms, failed] of a checkout, failing or not. */
type Line = readonly [number, string, string, Span['kind'], number, number, boolean?];

const line = (failed: boolean): readonly Line[] => [
  [0, 'api-gateway', 'POST /orders', 'server', 0, failed ? 438 : 92, failed],
  [1, 'api-gateway', 'GET session', 'client', 1, 1.1],
  [1, 'api-gateway', 'checkout/PlaceOrder', 'client', 4, failed ? 430 : 85, failed],
  [2, 'checkout', 'PlaceOrder', 'server', 5.2, failed ? 427 : 82, failed],
  [3, 'checkout', 'cart/GetCart', 'client', 6, 9],
  [4, 'cart', 'GetCart', 'server', 6.8, 7.4],
  [5, 'cart', 'HGETALL cart', 'client', 7.5, 0.9],
  [3, 'checkout', 'reserveStock', 'internal', 16, 22],
  [4, 'checkout', 'UPDATE products', 'client', 17, 8],
  [4, 'checkout', 'UPDATE reservations', 'client', 26, 11],
  [3, 'checkout', 'payment/Charge', 'client', 40, failed ? 388 : 36, failed],
  [4, 'payment', 'Charge', 'server', 41, failed ? 385 : 34, failed],
  [5, 'payment', 'fraud-check/Score', 'client', 42, 12],
  [6, 'fraud-check', 'Score', 'server', 43, 10.5],
  [7, 'fraud-check', 'load model', 'internal', 43.4, 3.2],
  [7, 'fraud-check', 'evaluate', 'internal', 47, 6],
  [5, 'payment', 'POST card-network', 'client', 55, 14],
  ...(failed
    ? ([
        [5, 'payment', 'INSERT payments', 'client', 70, 118, true],
        [5, 'payment', 'INSERT payments', 'client', 198, 108, true],
        [5, 'payment', 'INSERT payments', 'client', 316, 109, true],
      ] as const)
    : ([[5, 'payment', 'INSERT payments', 'client', 70, 4]] as const)),
  ...(failed
    ? []
    : ([
        [3, 'checkout', 'order-events publish', 'producer', 78, 3],
        [4, 'shipping', 'order-events process', 'consumer', 96, 24],
      ] as const)),
];

export function shopTrace(traceId: string, failed: boolean): Trace {
  return traceOf(traceId, line(failed));
}

/** @param lines in waterfall order. */
export function traceOf(traceId: string, lines: readonly Line[], details = true): Trace {
  const stack: number[] = [];
  const spans = lines.map(([depth, service, operation, kind, startMs, durationMs, failed = false], row): Span => {
    stack.length = depth;
    const parent = depth === 0 ? -1 : (stack[depth - 1] as number);
    stack[depth] = row;
    return {
      spanId: (0xa1 + row).toString(16).padStart(16, '0'),
      parentSpanId: parent < 0 ? null : (0xa1 + parent).toString(16).padStart(16, '0'),
      parent,
      depth,
      service,
      resource: 0,
      operation,
      kind,
      offsetNs: startMs * 1e6,
      durationNs: durationMs * 1e6,
      status: failed ? 'error' : 'unset',
      statusMessage: failed ? 'server closed the connection unexpectedly' : '',
      warnings: [],
      ...(details ? { detail: detailOf(operation, failed, startMs + durationMs) } : {}),
    };
  });
  const names = Map.groupBy(spans, ({ service }) => service);
  const services = [...names].map(([name, own]) => ({
    name,
    spanCount: own.length,
    errorCount: own.filter(({ status }) => status === 'error').length,
  }));
  const root = spans[0] as Span;
  return {
    traceId,
    startMs: NOW_MS - 61_000,
    durationNs: Math.max(...spans.slice(0, 50_000).map((span) => span.offsetNs + span.durationNs)),
    rootService: root.service,
    rootOperation: root.operation,
    spanCount: spans.length,
    errorCount: spans.filter(({ status }) => status === 'error').length,
    orphanCount: 0,
    services: services.sort((a, b) => b.spanCount - a.spanCount),
    complete: true,
    open: false,
    sources: ['hot'],
    revisions: 1,
    details,
    resources: [
      {
        service: root.service,
        attributes: [
          { key: 'service.name', type: 'string', value: root.service },
          { key: 'service.version', type: 'string', value: '4.12.0' },
          { key: 'host.name', type: 'string', value: 'node-7' },
        ],
      },
    ],
    spans,
    notices: [],
  };
}

function detailOf(operation: string, failed: boolean, endMs: number): NonNullable<Span['detail']> {
  const isQuery = /^[A-Z]+ \w+$/.test(operation);
  return {
    attributes: isQuery
      ? [
          { key: 'db.system.name', type: 'string', value: 'postgresql' },
          { key: 'db.query.text', type: 'string', value: queryText(operation) },
          { key: 'server.address', type: 'string', value: 'orders-db' },
          { key: 'server.port', type: 'int', value: '5432' },
        ]
      : [
          { key: 'http.request.method', type: 'string', value: 'POST' },
          { key: 'http.response.status_code', type: 'int', value: failed ? '503' : '200' },
          { key: 'http.route', type: 'string', value: operation },
        ],
    events: failed
      ? [
          {
            name: 'exception',
            offsetNs: endMs * 1e6,
            attributes: [
              { key: 'exception.type', type: 'string', value: 'ConnectionResetError' },
              { key: 'exception.message', type: 'string', value: 'server closed the connection unexpectedly' },
            ],
          },
        ]
      : [],
    links: [],
    scope: '@opentelemetry/instrumentation-http 0.210.0',
  };
}

function queryText(operation: string): string {
  const [verb = '', table = ''] = operation.split(' ');
  if (verb === 'INSERT') return `INSERT INTO ${table} (order_id, amount) VALUES ($1, $2)`;
  if (verb === 'UPDATE') return `UPDATE ${table} SET stock = stock - $1 WHERE id = $2`;
  return `${operation} WHERE id = $1`;
}

export const INCIDENT_ID = 'd8769776447bbc1b';

export function shopIncidents(): IncidentSummary[] {
  const first: IncidentSummary = {
    incidentId: INCIDENT_ID,
    seq: 4,
    state: 'updated',
    active: true,
    severity: 'critical',
    summary:
      'The database orders-db fails since 09:55:38 UTC. 4,315 requests failed: api-gateway POST /orders (2,140 of 4,860, 44 %), api-gateway POST /cart/items (1,602 of 7,920, 20 %) and 2 more entry operations. The error travels orders-db → payment → checkout → api-gateway.',
    openedMs: BROKE_MS,
    detectedMs: BROKE_MS + 21_000,
    updatedMs: NOW_MS - 12_000,
    resolvedMs: null,
    cause: {
      kind: 'peer',
      service: 'orders-db',
      operation: '',
      caller: 'payment',
      peerKind: 'database',
      class: 'client_no_server',
      version: '',
      score: 0.94,
      share: 0.97,
    },
    affectedRequests: 4_315,
    totalRequests: 38_660,
    affectedShare: 4_315 / 38_660,
    services: ['orders-db', 'payment', 'checkout', 'api-gateway'],
    teams: ['platform', 'payments', 'shop', 'edge'],
    acknowledgement: null,
    noteCount: 1,
  };
  const second: IncidentSummary = {
    ...first,
    incidentId: '0a41c9bb12f07e55',
    state: 'resolved',
    active: false,
    severity: 'minor',
    summary:
      'catalog answers slowly since 06:12:10 UTC. 212 requests failed: api-gateway GET /search (212 of 9,801, 2 %). The error travels catalog → search → api-gateway.',
    openedMs: NOW_MS - 13_670_000,
    detectedMs: NOW_MS - 13_650_000,
    resolvedMs: NOW_MS - 12_900_000,
    updatedMs: NOW_MS - 12_900_000,
    cause: {
      ...first.cause,
      kind: 'service',
      service: 'catalog',
      operation: 'ListProducts',
      caller: '',
      class: 'timeout_latency',
      score: 0.71,
      share: 0.8,
    },
    affectedRequests: 212,
    totalRequests: 9_801,
    affectedShare: 212 / 9_801,
    services: ['catalog', 'search', 'api-gateway'],
    teams: ['shop', 'discovery', 'edge'],
    acknowledgement: { by: 'Mira', atMs: NOW_MS - 13_500_000 },
    noteCount: 0,
  };
  return [first, second];
}

export function shopIncident(): Incident {
  const incident = shopIncidents()[0] as IncidentSummary;
  const alert = {
    kind: 'entry',
    client: '',
    server: 'api-gateway',
    operation: 'POST /orders',
    connectionType: '',
    firedMs: BROKE_MS + 20_000,
    windowSeconds: 10,
    score: 41.2,
    calls: 180,
    errors: 79,
    baselineRate: 0.002,
  };
  return {
    incident,
    firstErrorMs: BROKE_MS - 1_400,
    lastErrorMs: NOW_MS - 12_000,
    culprits: [
      { cause: incident.cause, erroredTraces: 4_186, expectedTraces: 1.4, masked: 126, firstSeenMs: BROKE_MS - 1_400 },
      {
        cause: {
          ...incident.cause,
          kind: 'service',
          service: 'fraud-check',
          operation: 'Score',
          caller: '',
          peerKind: 'service',
          class: 'timeout_latency',
          score: 0.08,
          share: 0.02,
        },
        erroredTraces: 88,
        expectedTraces: 12.2,
        masked: 0,
        firstSeenMs: BROKE_MS + 41_000,
      },
      {
        cause: {
          ...incident.cause,
          kind: 'edge',
          service: 'card-network',
          operation: '',
          caller: 'payment',
          peerKind: 'external',
          class: 'edge',
          score: 0.02,
          share: 0.01,
        },
        erroredTraces: 41,
        expectedTraces: 30.1,
        masked: 12,
        firstSeenMs: BROKE_MS + 60_000,
      },
    ],
    errorSignatures: [
      { signature: 'ConnectionResetError: server closed the connection unexpectedly', traces: 3_902 },
      { signature: 'TimeoutError', traces: 413 },
    ],
    entryOperations: [
      { service: 'api-gateway', operation: 'POST /orders', affected: 2_140, total: 4_860, share: 0.44, masked: 126 },
      { service: 'api-gateway', operation: 'POST /cart/items', affected: 1_602, total: 7_920, share: 0.202, masked: 0 },
      { service: 'api-gateway', operation: 'GET /orders/{id}', affected: 401, total: 2_210, share: 0.181, masked: 0 },
      {
        service: 'api-gateway',
        operation: 'GET /products/{id}',
        affected: 172,
        total: 23_670,
        share: 0.007,
        masked: 12,
      },
    ],
    upstreamServices: ['payment', 'checkout', 'api-gateway'],
    potentialServices: ['search'],
    maskedRequests: 138,
    path: ['api-gateway', 'checkout', 'payment', 'orders-db'],
    trigger: alert,
    alerts: [alert],
    changes: [{ service: 'payment', version: '4.12.0', firstSeenMs: BROKE_MS - 190_000 }],
    timeline: [
      { atMs: BROKE_MS - 190_000, kind: 'version', text: 'payment 4.12.0 was first seen' },
      { atMs: BROKE_MS - 1_400, kind: 'first_error', text: 'the first request that is known to be hit' },
      { atMs: BROKE_MS, kind: 'opened', text: 'the error rate of payment → orders-db rose from 0.3 % to 41 %' },
      { atMs: BROKE_MS + 20_000, kind: 'alert', text: 'api-gateway POST /orders: 79 of 180 calls failed' },
      { atMs: BROKE_MS + 21_000, kind: 'detected', text: '22 s after the first error' },
      { atMs: NOW_MS - 95_000, kind: 'note', text: 'Mira: failing over by hand' },
    ],
    failing: [0, 3, 6].map((at) => ({
      traceId: traceIdOf(at),
      originSpanId: '00000000000000b2',
      entryService: 'api-gateway',
      entryOperation: 'POST /orders',
    })),
    healthy: shopTraces(20).filter(
      ({ errorCount, rootOperation }) => errorCount === 0 && rootOperation === 'POST /orders',
    ),
    notes: [
      { by: 'Mira', atMs: NOW_MS - 95_000, text: 'The primary of orders-db does not answer. Failing over by hand.' },
    ],
    mergedInto: null,
    dataQuality: { incompleteTraces: 12, orphanSpans: 31, lateDropped: 0, failuresDropped: 0, samplingRatio: 1 },
    during: { fromMs: BROKE_MS, toMs: NOW_MS },
    before: { fromMs: BROKE_MS - 600_000, toMs: BROKE_MS },
    notices: [],
  };
}
