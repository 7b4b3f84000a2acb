import { describe, expect, it } from '@jest/globals';
import type { ErrorOrigin, FailingTrace } from '../../../lib/codec/records.ts';
import type { ResourceLiteral, SpanLiteral } from '../../../lib/testkit/otlp-builder.ts';
import { LiteralFold } from './testing/fold-literal.ts';

interface Case {
  readonly name: string;
  readonly trace: readonly ResourceLiteral[];
  /** Origins in words, see `told`; one line per failing subtree and origin. */
  readonly origins: readonly string[];
}

const of = (service: string, ...spans: SpanLiteral[]): ResourceLiteral => ({ service, spans });
/** A server span of 100 ms that fails unless it says otherwise. */
const server = (id: number, parent: number, more: Partial<SpanLiteral> = {}): SpanLiteral => ({
  ...{ id, parent, kind: 'server', start: id, duration: 100 - 2 * id, error: true },
  ...more,
});
const client = (id: number, parent: number, more: Partial<SpanLiteral> = {}): SpanLiteral => ({
  ...server(id, parent, more),
  kind: 'client',
});
const to = (address: string) => ({ attributes: { 'server.address': address } });
const FINE = { error: false } as const;

const WHO_IS_BLAMED: Case[] = [
  {
    name: 'the deepest failing server',
    trace: [of('web', server(1, 0), client(2, 1)), of('app', server(3, 2))],
    origins: ['web failed: server_self app via web app'],
  },
  {
    name: 'the failing span below an INTERNAL span that says nothing',
    trace: [of('web', server(1, 0), { id: 2, parent: 1 }, client(3, 2)), of('app', server(4, 3))],
    origins: ['web failed: server_self app via web app'],
  },
  {
    name: 'the peer, when nothing answered a call',
    trace: [of('web', server(1, 0), client(2, 1, to('db')))],
    origins: ['web failed: client_no_server web>db via web db'],
  },
  {
    name: 'the way, when nothing answered and nothing says who should have',
    trace: [of('web', server(1, 0), client(2, 1))],
    origins: ['web failed: edge web via web'],
  },
  {
    name: 'the way, when the callee was fine and in time',
    trace: [of('web', server(1, 0), client(2, 1)), of('app', server(3, 2, FINE))],
    origins: ['web failed: edge web>app via web app'],
  },
  {
    name: 'the callee, when it was fine but ended after the caller had given up',
    trace: [of('web', server(1, 0), client(2, 1, { duration: 10 })), of('app', server(3, 2, FINE))],
    origins: ['web failed: timeout_latency web>app via web app'],
  },
  {
    name: 'what the callee waited for, when the caller gave up',
    trace: [
      of('web', server(1, 0), client(2, 1, { duration: 50 })),
      of('app', server(3, 2, FINE), client(4, 3, FINE)),
      of('stock', server(5, 4, FINE)),
    ],
    origins: ['web failed: timeout_latency web>stock via web stock'],
  },
  {
    name: 'a gateway that called nobody',
    trace: [of('web', server(1, 0, { attributes: { 'http.response.status_code': 503 } }))],
    origins: ['web failed: gateway web via web'],
  },
  {
    name: 'each of two causes, by half, each with whom its own failure went through',
    trace: [
      of('web', server(1, 0), client(2, 1), client(4, 1)),
      of('app', server(3, 2)),
      of('shop', server(5, 4), client(6, 5, to('db'))),
    ],
    origins: [
      'web failed: server_self app ×0.5 via web app',
      'web failed: client_no_server shop>db ×0.5 via web shop db',
    ],
  },
];

const MASKED: Case[] = [
  {
    name: 'a later attempt went well',
    trace: [
      of(
        'web',
        server(1, 0, FINE),
        client(2, 1, { ...to('db'), name: 'query', duration: 5 }),
        client(9, 1, { ...to('db'), name: 'query', ...FINE }),
      ),
    ],
    origins: ['web fine: client_no_server web>db masked via web db'],
  },
  {
    name: 'the caller goes on without it',
    trace: [of('web', server(1, 0, FINE), client(2, 1)), of('app', server(3, 2))],
    origins: ['web fine: server_self app masked via web app'],
  },
  {
    name: 'not: every attempt failed',
    trace: [
      of(
        'web',
        server(1, 0),
        client(2, 1, { ...to('db'), name: 'query', duration: 5 }),
        client(9, 1, { ...to('db'), name: 'query' }),
      ),
    ],
    origins: ['web failed: client_no_server web>db via web db'],
  },
  {
    name: 'not: a consumer works for itself, and the sender is not blamed',
    trace: [
      of('web', server(1, 0, FINE), { id: 2, parent: 1, kind: 'producer', start: 2 }),
      of('mail', { ...server(3, 2), kind: 'consumer' }),
    ],
    origins: ['web fine: server_self mail via mail'],
  },
];

const cancelled = { attributes: { 'rpc.grpc.status_code': 1 } };
const CANCELLED: Case[] = [
  {
    name: 'all the way down: the one who cancelled is not blamed, and no user is hit',
    trace: [of('web', server(1, 0, cancelled), client(2, 1, cancelled)), of('app', server(3, 2, cancelled))],
    origins: ['web fine: edge web>app masked via web app'],
  },
  {
    name: 'by a caller that then failed: the callee that was still at work',
    trace: [of('web', server(1, 0), client(2, 1, { ...cancelled, duration: 10 })), of('app', server(3, 2, cancelled))],
    origins: ['web failed: timeout_latency web>app via web app'],
  },
  {
    name: 'because another call had failed: that one alone',
    trace: [
      of('web', server(1, 0), client(2, 1), client(5, 1, cancelled)),
      of('app', server(3, 2)),
      of('stock', server(6, 5, cancelled)),
    ],
    origins: ['web failed: server_self app via web app'],
  },
  {
    name: 'beside an error that a retry made good: nothing else explains it',
    trace: [
      of(
        'web',
        server(1, 0),
        client(2, 1, { ...to('db'), name: 'query', duration: 5 }),
        client(9, 1, { ...to('db'), name: 'query', ...FINE }),
        client(12, 1, { attributes: { ...to('slow').attributes, ...cancelled.attributes } }),
      ),
    ],
    origins: [
      'web failed: client_no_server web>db masked ×0.5 via web db',
      'web failed: client_no_server web>slow ×0.5 via web slow',
    ],
  },
  { name: 'only at the server: nothing failed', trace: [of('web', server(1, 0, cancelled))], origins: [] },
];

const LOST_SPANS: Case[] = [
  {
    name: 'the server span was lost, what it called was not',
    trace: [
      of('web', server(1, 0), client(2, 1, to('app'))),
      of('app', client(4, 3, to('stock'))),
      of('stock', server(5, 4)),
    ],
    origins: ['web failed: server_self stock via web app stock'],
  },
  {
    name: 'the client span was lost, the server span was not',
    trace: [of('web', server(1, 0)), of('app', server(3, 2))],
    origins: ['web failed: server_self app via web app'],
  },
  {
    name: 'the lost part was fine: the caller failed of itself',
    trace: [of('web', server(1, 0)), of('app', server(3, 2, FINE))],
    origins: ['web failed: server_self web via web'],
  },
  {
    name: 'a subtree of another time belongs to nobody',
    trace: [of('web', server(1, 0, FINE)), of('app', server(3, 2, { start: 5_000 }))],
    origins: ['web fine: server_self app via app'],
  },
  {
    name: 'two lost spans one below the other',
    trace: [
      of('web', server(1, 0), client(2, 1, to('app'))),
      of('app', client(4, 3, to('stock'))),
      of('stock', client(6, 5, to('db'))),
    ],
    origins: ['web failed: client_no_server stock>db via web app stock db'],
  },
];

describe('where errors begin', () => {
  describe('who is blamed', () => {
    it.each(WHO_IS_BLAMED)('$name', ({ trace, origins }) => expect(told(trace)).toEqual(origins));
  });
  describe('what is masked', () => {
    it.each(MASKED)('$name', ({ trace, origins }) => expect(told(trace)).toEqual(origins));
  });
  describe('when calls are cancelled', () => {
    it.each(CANCELLED)('$name', ({ trace, origins }) => expect(told(trace)).toEqual(origins));
  });
  describe('when spans are lost', () => {
    it.each(LOST_SPANS)('$name', ({ trace, origins }) => expect(told(trace)).toEqual(origins));
  });
});

function told(trace: readonly ResourceLiteral[]): string[] {
  const entries = new LiteralFold().add(trace).records('entry');
  return entries.flatMap(({ server: entry, failures }) =>
    failures.flatMap((failure) => failure.origins.map((origin) => `${entry} ${describeOrigin(failure, origin)}`)),
  );
}

function describeOrigin(failure: FailingTrace, origin: ErrorOrigin): string {
  const { class: errorClass, caller, service, masked, weight, path } = origin;
  const words = [
    failure.userVisible ? 'failed:' : 'fine:',
    errorClass,
    `${caller === '' ? '' : `${caller}>`}${service}`,
    ...(masked ? ['masked'] : []),
    ...(weight === 1 ? [] : [`×${weight}`]),
    'via',
    ...(path.length > 0 ? path : failure.path),
  ];
  return words.join(' ');
}
