import { describe, expect, it } from '@jest/globals';
import { heapMb } from '../../../lib/testkit/heap.ts';
import { otlp, type ResourceLiteral, type SpanLiteral } from '../../../lib/testkit/otlp-builder.ts';
import { LIMITS, LiteralFold, traceIdOf } from './testing/fold-literal.ts';

const of = (service: string, ...spans: SpanLiteral[]): ResourceLiteral => ({ service, spans });

interface Case {
  readonly name: string;
  readonly trace: readonly ResourceLiteral[];
  readonly edges: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: 'a cycle of three is cut above its earliest span, and each of its calls counts once',
    trace: [
      of('a', { id: 1, parent: 3, kind: 'client', start: 1 }),
      of('b', { id: 2, parent: 1, kind: 'server', start: 2 }, { id: 3, parent: 2, kind: 'client', start: 3 }),
    ],
    edges: ['a → b'],
  },
  {
    name: 'a span that is its own parent is a root',
    trace: [of('a', { id: 1, parent: 1, kind: 'server' })],
    edges: ['user → a (virtual_node virtual)'],
  },
  {
    name: 'two roots are two entries',
    trace: [of('a', { id: 1, kind: 'server' }), of('b', { id: 2, kind: 'server' })],
    edges: ['user → a (virtual_node virtual)', 'user → b (virtual_node virtual)'],
  },
  {
    name: 'a trace without its root has edges but no entry',
    trace: [of('a', { id: 2, parent: 1, kind: 'client' }), of('b', { id: 3, parent: 2, kind: 'server' })],
    edges: ['a → b'],
  },
  {
    name: 'spans of one id, service and kind count once',
    trace: [
      of('a', { id: 1, kind: 'client' }, { id: 1, kind: 'client' }),
      of('b', { id: 2, parent: 1, kind: 'server' }, { id: 2, parent: 1, kind: 'server', duration: 3 }),
    ],
    edges: ['a → b'],
  },
  {
    name: 'a server that seems to work before it was called was called all the same',
    trace: [
      of('a', { id: 1, kind: 'client', start: 5_000, duration: 10 }),
      of('b', { id: 2, parent: 1, kind: 'server', start: -5_000, duration: 8 }),
    ],
    edges: ['a → b'],
  },
  {
    name: 'a service with an empty name is unknown_service',
    trace: [of('', { id: 1, kind: 'server' })],
    edges: ['user → unknown_service (virtual_node virtual)'],
  },
  {
    name: 'control characters and marks that turn text around do not get out',
    trace: [of('a\u0000b\u001b[31m\u202ec', { id: 1, kind: 'server', name: 'GET\n/' })],
    edges: ['user → a\u{fffd}b\u{fffd}[31m\u{fffd}c (virtual_node virtual)'],
  },
];

describe('bad input', () => {
  it.each(CASES.map((one) => [one.name, one] as const))('%s', (_, { trace, edges }) => {
    expect(new LiteralFold().add(trace).edges()).toEqual([...edges].sort());
    const reversed = [...trace].reverse().map((part) => ({ ...part, spans: [...part.spans].reverse() }));
    expect(new LiteralFold().add(reversed).edges()).toEqual([...edges].sort());
  });

  it('a trace without its root is no request of the system', () => {
    const fold = new LiteralFold().add([of('a', { id: 2, parent: 1, kind: 'server', error: true })]);
    expect(fold.records('entry').map(({ calls, confidence }) => [calls, confidence])).toEqual([[0, 'orphan']]);
  });

  it('durations below zero count as none and spoil no sum', () => {
    const fold = new LiteralFold().add([
      of('a', { id: 1, kind: 'client', duration: -50 }),
      of('b', { id: 2, parent: 1, kind: 'server', duration: -70 }),
    ]);
    const [edge] = fold.records('edge');
    const none = { buckets: [], counts: [], zeroCount: 1, sumMicros: 0 };
    expect(edge).toMatchObject({ calls: 1, clientDuration: none, serverDuration: none });
    expect(edge?.exemplars[0]?.durationMicros).toBe(0);
  });

  it.each([0, 4_000_000_000_000])('a span stamped at epoch millisecond %i is a window of its own', (epochMs) => {
    const fold = new LiteralFold().add([of('a', { id: 1, kind: 'server' })], { epochMs });
    expect(fold.records('service').map(({ windowStart }) => windowStart)).toEqual([epochMs * 1000]);
  });

  it('operation names with control characters are cleaned and cut', () => {
    const name = `GET\u0007${'x'.repeat(5_000)}`;
    const [service] = new LiteralFold().add([of('a', { id: 1, kind: 'server', name })]).records('service');
    expect(service?.serverOperation).toMatch(/^GET\u{fffd}x+…$/u);
    expect(service?.serverOperation.length).toBe(200);
  });
});

describe('100 000 names', () => {
  it('of services: what is beyond the limit is __other__, and memory stays flat', () => {
    const fold = new LiteralFold(LIMITS);
    const grownMb = flood(fold, [
      of('service-000000', { id: 1, kind: 'client', name: 'call' }),
      of('peer-000000', { id: 2, parent: 1, kind: 'server', name: 'serve' }),
    ]);
    const edges = fold.records('edge');
    expect(edges.reduce((sum, { calls }) => sum + calls, 0)).toBe(NAMES);
    expect(edges).toHaveLength(LIMITS.services / 2 + 1);
    expect(edges.find(({ client, server }) => client === '__other__' && server === '__other__')?.calls).toBe(
      NAMES - LIMITS.services / 2,
    );
    expect(grownMb).toBeLessThan(FLAT_MB);
  });

  it('of operations of one service: it drowns only itself', () => {
    const fold = new LiteralFold(LIMITS);
    const grownMb = flood(fold, [of('noisy', { id: 1, kind: 'server', name: 'GET /users/000000' })]);
    fold.add([of('quiet', { id: 1, kind: 'server', name: 'GET /' })]);
    const services = fold.records('service');
    expect(services.filter(({ server }) => server === 'noisy')).toHaveLength(LIMITS.operationsPerService + 1);
    expect(services.find(({ server }) => server === 'quiet')?.serverOperation).toBe('GET /');
    expect(services.find(({ serverOperation }) => serverOperation === '__other__')?.calls).toBe(
      NAMES - LIMITS.operationsPerService,
    );
    expect(grownMb).toBeLessThan(FLAT_MB);
  });
});

const NAMES = 100_000;
/** 80 000 names more would be tens of megabytes, were any of them kept. */
const FLAT_MB = 4;

/**
 * Folds a trace once for each name, with the number in place of 000000.
 * @returns by how much the heap grew after the first fifth of them, in MB.
 */
function flood(fold: LiteralFold, trace: readonly ResourceLiteral[]): number {
  const bytes = otlp(trace);
  const places: number[] = [];
  for (let at = bytes.indexOf('000000'); at >= 0; at = bytes.indexOf('000000', at + 6)) places.push(at);
  let before = 0;
  for (let i = 0; i < NAMES; i++) {
    for (const place of places) bytes.write(String(i).padStart(6, '0'), place, 'latin1');
    fold.fold.fold(bytes, traceIdOf(i + 1), 1);
    if (i === NAMES / 5) before = heapMb();
  }
  return heapMb() - before;
}
