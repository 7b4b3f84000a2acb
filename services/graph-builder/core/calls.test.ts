import { describe, expect, it } from '@jest/globals';
import type { ResourceLiteral, SpanLiteral } from '../../../lib/testkit/otlp-builder.ts';
import { edgesOf, LiteralFold } from './testing/fold-literal.ts';

interface Case {
  readonly name: string;
  readonly trace: readonly ResourceLiteral[];
  readonly edges: readonly string[];
}

/** A service that got a request from outside, so that `user →` need not stand in every case. */
const ENTERED = 'user → web (virtual_node virtual)';
const web = (...spans: SpanLiteral[]): ResourceLiteral => ({
  service: 'web',
  spans: [{ id: 1, kind: 'server', name: 'GET /' }, ...spans],
});
const of = (service: string, ...spans: SpanLiteral[]): ResourceLiteral => ({ service, spans });

const RPC: Case[] = [
  {
    name: 'pairs a client and a server span',
    trace: [web({ id: 2, parent: 1, kind: 'client' }), of('app', { id: 3, parent: 2, kind: 'server' })],
    edges: [ENTERED, 'web → app'],
  },
  {
    name: 'pairs the two halves of a shared id, also when the server lost its parent id',
    trace: [web({ id: 2, parent: 1, kind: 'client' }), of('app', { id: 2, kind: 'server' })],
    edges: [ENTERED, 'web → app'],
  },
  {
    name: 'passes over INTERNAL spans on both sides',
    trace: [
      web({ id: 2, parent: 1 }, { id: 3, parent: 2, kind: 'client' }),
      of('app', { id: 4, parent: 3 }, { id: 5, parent: 4 }, { id: 6, parent: 5, kind: 'server' }),
    ],
    edges: [ENTERED, 'web → app'],
  },
  {
    name: 'back-fills a call whose client span is missing',
    trace: [web({ id: 2, parent: 1 }), of('app', { id: 3, parent: 2, kind: 'server' })],
    edges: [ENTERED, 'web → app (back_filled)'],
  },
  {
    name: 'back-fills a call whose server span is missing, once for all that is below it',
    trace: [
      web({ id: 2, parent: 1, kind: 'client' }),
      of('app', { id: 3, parent: 2 }, { id: 4, parent: 2 }, { id: 5, parent: 2, kind: 'client' }),
    ],
    edges: [ENTERED, 'web → app (back_filled)'],
  },
  {
    name: 'back-fills a call of which both spans are missing, once per caller and service',
    trace: [web(), of('app', { id: 3, parent: 1 }, { id: 4, parent: 1 }), of('search', { id: 5, parent: 1 })],
    edges: [ENTERED, 'web → app (back_filled)', 'web → search (back_filled)'],
  },
  {
    name: 'prefers the server span to an INTERNAL span of the same service under one client span',
    trace: [
      web({ id: 2, parent: 1, kind: 'client' }),
      of('app', { id: 3, parent: 2 }, { id: 4, parent: 2, kind: 'server' }),
    ],
    edges: [ENTERED, 'web → app'],
  },
  {
    name: 'keeps calls of a service to itself',
    trace: [web({ id: 2, parent: 1, kind: 'client' }, { id: 3, parent: 2, kind: 'server' })],
    edges: [ENTERED, 'web → web'],
  },
  {
    name: 'keeps a loop-back without a client span, as Zipkin does',
    trace: [web({ id: 3, parent: 1, kind: 'server' })],
    edges: [ENTERED, 'web → web (back_filled)'],
  },
  {
    name: 'counts each server that answered one client span',
    trace: [
      web({ id: 2, parent: 1, kind: 'client' }),
      of('app', { id: 3, parent: 2, kind: 'server' }, { id: 4, parent: 2, kind: 'server' }),
    ],
    edges: [ENTERED, 'web → app 2 calls'],
  },
  {
    name: 'pairs a PRODUCER span with a SERVER span as RPC',
    trace: [web({ id: 2, parent: 1, kind: 'producer' }), of('app', { id: 3, parent: 2, kind: 'server' })],
    edges: [ENTERED, 'web → app'],
  },
  {
    name: 'links what is left of a trace whose root is lost, and guesses no caller',
    trace: [
      of('app', { id: 3, parent: 99, kind: 'server' }, { id: 4, parent: 3, kind: 'client' }),
      of('stock', { id: 5, parent: 4, kind: 'server' }),
    ],
    edges: ['app → stock'],
  },
  {
    name: 'invents no edge between two roots',
    trace: [web(), of('app', { id: 3, kind: 'server' })],
    edges: ['user → app (virtual_node virtual)', ENTERED],
  },
  {
    name: 'has no caller for what only runs inside',
    trace: [of('job', { id: 1 }, { id: 2, parent: 1 })],
    edges: [],
  },
  {
    name: 'names an external caller, also of an orphan',
    trace: [
      of('web', { id: 1, kind: 'server', attributes: { 'peer.service': 'partner' } }),
      of('app', { id: 3, parent: 99, kind: 'server', attributes: { 'peer.service': 'edge-proxy' } }),
    ],
    edges: ['edge-proxy → app (virtual_node orphan)', 'partner → web (virtual_node virtual)'],
  },
  {
    name: 'survives a span that is its own parent and a cycle',
    trace: [
      of('web', { id: 1, parent: 1, kind: 'server' }),
      of('a', { id: 3, parent: 4, kind: 'client' }),
      of('b', { id: 4, parent: 3, kind: 'server', start: 5 }),
    ],
    edges: ['a → b', ENTERED],
  },
];

const NAMELESS: Case[] = [
  {
    name: 'counts a span that names no service to the service above it',
    trace: [
      web(),
      {
        spans: [
          { id: 2, parent: 1 },
          { id: 3, parent: 2, kind: 'client', attributes: { 'peer.service': 'app' } },
        ],
      },
    ],
    edges: [ENTERED, 'web → app (virtual_node external virtual)'],
  },
  {
    name: 'but not one that was called',
    trace: [web({ id: 2, parent: 1, kind: 'client' }), { spans: [{ id: 3, parent: 2, kind: 'server' }] }],
    edges: [ENTERED, 'web → unknown_service'],
  },
  {
    name: 'takes parts of a span without kind or service for the span of their id',
    trace: [
      web({ id: 2, parent: 1, kind: 'client' }, { id: 2, parent: 1, kind: 'unspecified', duration: 40 }),
      { spans: [{ id: 2, parent: 1, kind: 'unspecified', duration: 10, attributes: { error: 'late' } }] },
      of('app', { id: 3, parent: 2, kind: 'server' }),
    ],
    edges: [ENTERED, 'web → app 1 error'],
  },
  {
    name: 'takes spans without a kind that name their peer for calls, not only leaves',
    trace: [
      of('a', { id: 1, kind: 'unspecified', attributes: { 'peer.service': 'b' } }),
      of('b', { id: 2, parent: 1, kind: 'unspecified', attributes: { 'peer.service': 'c', error: 'x' } }),
      of('c', { id: 3, parent: 2, kind: 'unspecified' }),
    ],
    edges: ['a → b (back_filled)', 'b → c 1 error (back_filled)'],
  },
];

const ERRORS: Case[] = [
  {
    name: 'counts a failed call once when both sides failed',
    trace: [
      web({ id: 2, parent: 1, kind: 'client', error: true }),
      of('app', { id: 3, parent: 2, kind: 'server', error: true }),
    ],
    edges: [ENTERED, 'web → app 1 error'],
  },
  {
    name: 'counts it when only the client saw it, also with shared ids',
    trace: [web({ id: 2, parent: 1, kind: 'client', error: true }), of('app', { id: 2, kind: 'server' })],
    edges: [ENTERED, 'web → app 1 error'],
  },
  {
    name: 'counts it when only the server saw it',
    trace: [web({ id: 2, parent: 1, kind: 'client' }), of('app', { id: 3, parent: 2, kind: 'server', error: true })],
    edges: [ENTERED, 'web → app 1 error'],
  },
  {
    name: 'counts a 4xx apart, whatever status the client gave it',
    trace: [
      web({ id: 2, parent: 1, kind: 'client', error: true, attributes: { 'http.response.status_code': 404 } }),
      of('app', { id: 3, parent: 2, kind: 'server', attributes: { 'http.response.status_code': 404 } }),
    ],
    edges: [ENTERED, 'web → app 1 4xx'],
  },
  {
    name: 'sees a 5xx, a gRPC code and an error attribute without a status, in old and new names',
    trace: [
      web(
        { id: 2, parent: 1, kind: 'client', attributes: { 'server.address': 'a', 'http.status_code': 503 } },
        { id: 3, parent: 1, kind: 'client', attributes: { 'server.address': 'b', 'rpc.grpc.status_code': 14 } },
        { id: 4, parent: 1, kind: 'client', attributes: { 'server.address': 'c', 'rpc.grpc.status_code': 5 } },
        { id: 5, parent: 1, kind: 'client', attributes: { 'server.address': 'd', error: true } },
        { id: 6, parent: 1, kind: 'client', attributes: { 'server.address': 'e', error: 'false' } },
        { id: 7, parent: 1, kind: 'client', attributes: { 'server.address': 'f', 'rpc.grpc.status_code': 1 } },
        {
          id: 8,
          parent: 1,
          kind: 'client',
          error: false,
          attributes: { 'server.address': 'g', 'http.status_code': 500 },
        },
      ),
    ],
    edges: [
      ENTERED,
      'web → a 1 error (virtual_node external virtual)',
      'web → b 1 error (virtual_node external virtual)',
      'web → c (virtual_node external virtual)',
      'web → d 1 error (virtual_node external virtual)',
      'web → e (virtual_node external virtual)',
      'web → f 1 error (virtual_node external virtual)',
      'web → g (virtual_node external virtual)',
    ],
  },
  {
    name: 'blames a caller that gave up on one of two servers only when no server failed',
    trace: [
      web({ id: 2, parent: 1, kind: 'client', error: true }),
      of('app', { id: 3, parent: 2, kind: 'server' }, { id: 4, parent: 2, kind: 'server', error: true }),
    ],
    edges: [ENTERED, 'web → app 2 calls 1 error'],
  },
  {
    name: 'takes an error that any part of a span tells',
    trace: [
      web({ id: 2, parent: 1, kind: 'client', duration: 9 }, { id: 2, parent: 1, kind: 'client', error: true }),
      of('app', { id: 3, parent: 2, kind: 'server' }),
    ],
    edges: [ENTERED, 'web → app 1 error'],
  },
];

const database = (attributes: Record<string, string | number>): readonly ResourceLiteral[] => [
  web({ id: 2, parent: 1, kind: 'client', attributes }),
];

const PEERS: Case[] = [
  {
    name: 'names a database by its server address',
    trace: database({ 'db.system.name': 'postgresql', 'db.namespace': 'shop', 'server.address': 'orders-db' }),
    edges: [ENTERED, 'web → orders-db (database database virtual)'],
  },
  {
    name: 'prefers peer.service',
    trace: database({ 'db.system': 'mysql', 'server.address': '10.0.0.1', 'peer.service': 'orders' }),
    edges: [ENTERED, 'web → orders (database database virtual)'],
  },
  {
    name: 'falls back to the peer address with its port',
    trace: database({
      'db.system': 'mysql',
      'network.peer.address': '10.0.0.1',
      'network.peer.port': 3306,
      'db.name': 'x',
    }),
    edges: [ENTERED, 'web → 10.0.0.1:3306 (database database virtual)'],
  },
  {
    name: 'falls back to the name of the database, then to its system',
    trace: [
      web(
        { id: 2, parent: 1, kind: 'client', attributes: { 'db.system': 'mysql', 'db.name': 'orders' } },
        { id: 3, parent: 1, kind: 'client', attributes: { 'db.system.name': 'mongodb' } },
      ),
    ],
    edges: [ENTERED, 'web → mongodb (database database virtual)', 'web → orders (database database virtual)'],
  },
  {
    name: 'tells caches from databases',
    trace: database({ 'db.system': 'Redis', 'net.peer.name': 'sessions' }),
    edges: [ENTERED, 'web → sessions (database cache virtual)'],
  },
  {
    name: 'sees a database behind a client span with local children',
    trace: [
      web(
        { id: 2, parent: 1, kind: 'client', attributes: { 'db.system': 'mysql', 'server.address': 'db' } },
        { id: 3, parent: 2 },
      ),
    ],
    edges: [ENTERED, 'web → db (database database virtual)'],
  },
  {
    name: 'counts a database call once when its driver traces the request below it',
    trace: [
      web(
        { id: 2, parent: 1, kind: 'client', attributes: { 'db.system': 'dynamodb', 'peer.service': 'carts' } },
        { id: 3, parent: 2 },
        { id: 4, parent: 3, kind: 'client', attributes: { 'server.address': 'dynamodb.example' } },
        { id: 5, parent: 3, kind: 'client', attributes: { 'server.address': 'dynamodb.example' } },
      ),
    ],
    edges: [ENTERED, 'web → carts (database database virtual)'],
  },
  {
    name: 'counts the inner of two nested calls when the outer names nothing special, or the inner was answered',
    trace: [
      web(
        { id: 2, parent: 1, kind: 'client', attributes: { 'server.address': 'outer' } },
        { id: 3, parent: 2, kind: 'client', attributes: { 'server.address': 'inner' } },
        { id: 4, parent: 1, kind: 'client', attributes: { 'db.system': 'opensearch', 'server.address': 'outer-db' } },
        { id: 5, parent: 4, kind: 'client' },
      ),
      of('search', { id: 6, parent: 5, kind: 'server' }),
    ],
    edges: [ENTERED, 'web → inner (virtual_node external virtual)', 'web → search'],
  },
  {
    name: 'names other peers by address, and leaves out what has none',
    trace: [
      web(
        { id: 2, parent: 1, kind: 'client', attributes: { 'server.address': 'api.example.com' } },
        { id: 3, parent: 1, kind: 'client', attributes: { 'network.peer.address': '192.0.2.7' } },
        { id: 4, parent: 1, kind: 'client' },
      ),
    ],
    edges: [
      ENTERED,
      'web → 192.0.2.7 (virtual_node external virtual)',
      'web → api.example.com (virtual_node external virtual)',
    ],
  },
  {
    name: 'takes a leaf without a kind for a call when it names its peer',
    trace: [web({ id: 2, parent: 1, kind: 'unspecified', attributes: { 'peer.service': 'legacy' } })],
    edges: [ENTERED, 'web → legacy (virtual_node external virtual)'],
  },
];

const kafka = { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' };

const MESSAGING: Case[] = [
  {
    name: 'puts the queue between producer and consumer',
    trace: [
      web({ id: 2, parent: 1, kind: 'producer', attributes: kafka }),
      of('mailer', { id: 3, parent: 2, kind: 'consumer', start: 9e6, attributes: kafka }),
    ],
    edges: [
      'kafka/orders → mailer (messaging_system virtual)',
      ENTERED,
      'web → kafka/orders (messaging_system queue virtual)',
    ],
  },
  {
    name: 'lets either side name it',
    trace: [
      web({ id: 2, parent: 1, kind: 'producer' }, { id: 4, parent: 1, kind: 'producer', attributes: kafka }),
      of('mailer', { id: 3, parent: 2, kind: 'consumer', attributes: kafka }, { id: 5, parent: 4, kind: 'consumer' }),
    ],
    edges: [
      'kafka/orders → mailer 2 calls (messaging_system virtual)',
      ENTERED,
      'web → kafka/orders 2 calls (messaging_system queue virtual)',
    ],
  },
  {
    name: 'links producer and consumer directly when neither names it',
    trace: [web({ id: 2, parent: 1, kind: 'producer' }), of('mailer', { id: 3, parent: 2, kind: 'consumer' })],
    edges: [ENTERED, 'web → mailer (messaging_system)'],
  },
  {
    name: 'counts a receiving and a processing span of one message once',
    trace: [
      of(
        'mailer',
        { id: 3, kind: 'consumer', attributes: kafka },
        { id: 4, parent: 3, kind: 'consumer', attributes: kafka },
      ),
    ],
    edges: ['kafka/orders → mailer (messaging_system virtual)'],
  },
  {
    name: 'knows sending by a CLIENT span, and temporary queues only by their system',
    trace: [
      web({
        id: 2,
        parent: 1,
        kind: 'client',
        attributes: {
          'messaging.system': 'rabbitmq',
          'messaging.destination': 'amq.gen-x',
          'messaging.destination.temporary': true,
        },
      }),
    ],
    edges: [ENTERED, 'web → rabbitmq (messaging_system queue virtual)'],
  },
  {
    name: 'links a consumer of a batch to all whose messages it links to',
    trace: [
      web({ id: 2, parent: 1, kind: 'producer' }),
      of('shop', { id: 3, parent: 1, kind: 'producer' }, { id: 4, parent: 1, kind: 'producer' }),
      of(
        'mailer',
        { id: 5, kind: 'internal' },
        { id: 6, parent: 5, kind: 'consumer', links: [2, 3, 4, 77].map((id) => ({ id })) },
      ),
    ],
    edges: [
      'shop → mailer 2 calls (messaging_system)',
      ENTERED,
      'web → mailer (messaging_system)',
      'web → shop (back_filled)',
    ],
  },
  {
    name: 'puts the queue between a batch and its senders, and knows no span of another trace',
    trace: [
      web(
        { id: 2, parent: 1, kind: 'producer' },
        { id: 3, parent: 1, kind: 'producer' },
        { id: 4, parent: 1, kind: 'producer' },
      ),
      of('mailer', {
        id: 5,
        kind: 'consumer',
        attributes: kafka,
        links: [{ id: 2 }, { id: 3 }, { id: 3 }, { id: 5 }, { id: 4, trace: 99 }],
      }),
    ],
    edges: [
      'kafka/orders → mailer (messaging_system virtual)',
      ENTERED,
      'web → kafka/orders 2 calls (messaging_system queue virtual)',
    ],
  },
  {
    name: 'links a server that no parent leads to by its link',
    trace: [web({ id: 2, parent: 1, kind: 'client' }), of('app', { id: 3, kind: 'server', links: [{ id: 2 }] })],
    edges: [ENTERED, 'web → app'],
  },
  {
    name: 'takes the broker from the address when a message names neither system nor destination',
    trace: [
      web({ id: 2, parent: 1, kind: 'producer', attributes: { 'peer.service': 'broker' } }),
      of('mailer', { id: 3, parent: 2, kind: 'consumer', attributes: { 'peer.service': 'broker' } }),
    ],
    edges: ['broker → mailer (messaging_system virtual)', ENTERED, 'web → broker (messaging_system queue virtual)'],
  },
  {
    name: 'back-fills a consumer of the wrong kind behind the queue',
    trace: [web({ id: 2, parent: 1, kind: 'producer', attributes: kafka }), of('mailer', { id: 3, parent: 2 })],
    edges: [
      'kafka/orders → mailer (messaging_system back_filled)',
      ENTERED,
      'web → kafka/orders (messaging_system queue virtual)',
    ],
  },
];

for (const [group, cases] of Object.entries({ RPC, NAMELESS, ERRORS, PEERS, MESSAGING })) {
  describe(`calls: ${group}`, () => {
    it.each(cases.map((one) => [one.name, one] as const))('%s', (_, { trace, edges }) => {
      expect(edgesOf(trace)).toEqual([...edges].sort());
    });

    it.each(cases.map((one) => [one.name, one] as const))(
      '%s, in whatever order the spans come',
      (_, { trace, edges }) => {
        const reversed = trace.map((part) => ({ ...part, spans: [...part.spans].reverse() })).reverse();
        expect(edgesOf(reversed)).toEqual([...edges].sort());
      },
    );
  });
}

describe('calls', () => {
  it('carries the operations, both durations and the window of the client', () => {
    const fold = new LiteralFold().add([
      web({ id: 2, parent: 1, kind: 'client', name: 'GET', start: 9_999, duration: 20 }),
      of('app', { id: 3, parent: 2, kind: 'server', name: 'GET /items', start: 10_001, duration: 12 }),
    ]);
    const [edge] = fold.records('edge').filter((record) => record.client === 'web');
    expect(edge).toMatchObject({ clientOperation: 'GET /', serverOperation: 'GET /items', calls: 1, traces: 1 });
    expect(edge?.windowStart).toBe(1_699_999_200_000_000);
    expect(edge?.clientDuration?.sumMicros).toBe(20_000);
    expect(edge?.serverDuration?.sumMicros).toBe(12_000);
  });

  it('links a chain of 10 000 services deep', () => {
    const parts = Array.from({ length: 10_000 }, (_, i): ResourceLiteral => {
      const kind = i % 2 === 0 ? 'server' : 'client';
      return of(`s${Math.floor(i / 2) % 10}`, { id: i + 1, parent: i, kind });
    });
    const records = new LiteralFold().add(parts).records('edge');
    expect(records.reduce((sum, record) => sum + record.calls, 0)).toBe(5_000);
  });
});
