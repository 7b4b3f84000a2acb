import type { AssembledTrace, ServiceEdgeDelta } from '../../../lib/codec/records.ts';
import { DurationHistogram } from '../../../lib/stats/duration-histogram.ts';
import { assembledTrace } from '../../../lib/testkit/assembled-trace.ts';
import { EPOCH_MS, otlp } from '../../../lib/testkit/otlp-builder.ts';

/** When the shop's traces begin. */
export const SHOP_MS = EPOCH_MS;
export const FAILED_ID = '0af7651916cd43dd8448eb211c80319c';
/** Of 64 bits, as Zipkin's older tracers make them. */
export const SHORT_ID = '00000000000000005af7183fb1d4cf5f';

/** An order that fails in the database: gateway, payment and its call to orders-db, with an event and a link. */
export function failedOrder(): AssembledTrace {
  const bytes = otlp(
    [
      {
        service: 'gateway',
        resource: { 'host.name': 'node-1' },
        spans: [
          {
            id: 1,
            kind: 'server',
            name: 'POST /orders',
            duration: 120,
            error: true,
            attributes: { 'http.response.status_code': 503, 'http.request.method': 'POST', sampled: true },
          },
        ],
      },
      {
        service: 'payment',
        spans: [
          { id: 2, parent: 1, kind: 'server', name: 'Charge', start: 10, duration: 100, error: 'no connection' },
          {
            id: 3,
            parent: 2,
            kind: 'client',
            name: 'UPDATE stock',
            start: 20,
            duration: 80.5,
            error: 'server closed the connection',
            attributes: {
              'db.system.name': 'postgresql',
              'peer.service': 'orders-db',
              'network.peer.address': '10.0.0.7',
              'network.peer.port': 5432,
              ratio: 0.25,
            },
            events: [{ name: 'exception', at: 80, attributes: { 'exception.type': 'ConnectionResetError' } }],
            links: [{ id: 9, trace: SHORT_ID }],
          },
        ],
      },
    ],
    { trace: FAILED_ID },
  );
  return assembledTrace(bytes, {
    durationNano: 120_000_000n,
    rootService: 'gateway',
    rootOperation: 'POST /orders',
    errorCount: 3,
    services: [
      { service: 'gateway', spanCount: 1, errorCount: 1 },
      { service: 'payment', spanCount: 2, errorCount: 2 },
    ],
  });
}

/** A quick search a second later, which nothing went wrong in. */
export function healthySearch(): AssembledTrace {
  const startMs = SHOP_MS + 1_000;
  const spans = [{ id: 5, kind: 'server' as const, name: 'GET /search', duration: 3, error: false }];
  return assembledTrace(otlp([{ service: 'gateway', spans }], { trace: SHORT_ID, epochMs: startMs }), {
    startTimeUnixNano: BigInt(startMs) * 1_000_000n,
    durationNano: 3_000_000n,
    rootService: 'gateway',
    rootOperation: 'GET /search',
    services: [{ service: 'gateway', spanCount: 1, errorCount: 0 }],
  });
}

/** Calls of ten seconds: gateway to payment, and payment to its database, which fails. */
export function shopCalls(windowMs = SHOP_MS): ServiceEdgeDelta[] {
  return [
    delta({ subject: 'service', server: 'gateway', calls: 60, errors: 20 }),
    delta({ subject: 'entry', server: 'gateway', serverOperation: 'POST /orders', calls: 60, errors: 20 }),
    delta({ subject: 'service', server: 'payment', calls: 40, errors: 20 }),
    delta({ client: 'gateway', server: 'payment', serverOperation: 'Charge', calls: 40, errors: 20 }),
    delta({ client: 'payment', server: 'orders-db', peerKind: 'database', connectionType: 'database', errors: 20 }),
  ].map((each) => ({ ...each, windowStart: windowMs * 1000 }));
}

function delta(fields: Partial<ServiceEdgeDelta>): ServiceEdgeDelta {
  const durations = new DurationHistogram();
  for (let i = 0; i < (fields.calls ?? 40); i++) durations.record(5_000 + i * 100);
  return {
    subject: 'edge',
    windowStart: 0,
    client: '',
    server: '',
    connectionType: '',
    peerKind: 'service',
    clientOperation: '',
    serverOperation: '',
    confidence: 'exact',
    calls: 40,
    errors: 0,
    errors4xx: 0,
    traces: 40,
    clientDuration: null,
    serverDuration: durations.sparse(),
    networkGap: null,
    queueDelay: null,
    exemplars: [{ traceId: FAILED_ID, spanId: '0000000000000002', kind: 'failed', durationMicros: 100_000 }],
    failures: [],
    slowTraces: [],
    incompleteTraces: 0,
    orphanSpans: 0,
    versions: [],
    owner: '',
    ...fields,
  };
}
