import { describe, expect, it } from '@jest/globals';
import type { ServiceEdgeDelta } from '../../../lib/codec/records.ts';
import { Ownership, readOwnership } from '../../../lib/owners/ownership.ts';
import { AlerterRun, edgeDelta, shopRequests, T0 } from './scenario.testkit.ts';

const SECOND = 1000;
const FAULT = { fromMs: T0 + 300 * SECOND, untilMs: T0 + 340 * SECOND, fastShare: 0.8 };
const UNTIL = T0 + 400 * SECOND;

const service = (server: string, atMs: number, fields: Partial<ServiceEdgeDelta>) =>
  edgeDelta({ subject: 'service', client: '', server, windowStart: atMs * 1000, calls: 0, traces: 0, ...fields });

/** The shop with the database failing over, and what else is known of its services. */
function run(facts: readonly [atMs: number, ServiceEdgeDelta][] = [], ownership?: Ownership): AlerterRun {
  const shop = new AlerterRun({}, ownership).add(
    shopRequests({ seed: 7, seconds: 380, perSecond: 10, faults: [FAULT] }),
  );
  for (const [atMs, delta] of facts) shop.addDeltas(atMs, [delta]);
  return shop;
}

describe('whom an incident concerns', () => {
  it('is declared for services and peers, or said by the resources of services', () => {
    const declared = new Ownership(
      new Map([
        ['orders-db', 'storage'],
        ['gate*', 'edge'],
      ]),
    );
    const shop = run([[T0, service('backend', T0, { owner: 'shop' })]], declared).runUntil(UNTIL);
    expect(shop.announced.at(-1)).toMatchObject({ ownerTeam: 'storage', hitTeams: ['edge', 'shop'] });
    expect(shop.announced.at(-1)?.summary).toContain('Storage owns the cause; edge, shop are hit.');
  });

  it('is left open when nobody says so', () => {
    expect(run().runUntil(UNTIL).announced.at(-1)).toMatchObject({ ownerTeam: '', hitTeams: [] });
  });

  it.each<[string, unknown, RegExp]>([
    ['no mapping', ['a'], /must have 'services:'/],
    ['something else besides', { services: {}, teams: {} }, /does not take teams/],
    ['a star in the middle', { services: { 'a*b': 'x' } }, /'a\*b' is no name/],
    ['a team that is no text', { services: { a: 7, b: '' } }, /the team of a must be[\s\S]*the team of b must be/],
  ])('refuses a declaration with %s', (_, declared, sentence) => {
    expect(readOwnership(declared).mistakes.join('\n')).toMatch(sentence);
  });

  it('prefers the name to its beginnings, and the longest of these', () => {
    const { teams, mistakes } = readOwnership({ services: { 'pay*': 'a', 'payments-*': 'b', 'payments-eu': 'c' } });
    expect(mistakes).toEqual([]);
    const ownership = new Ownership(teams);
    expect(['payments-eu', 'payments-us', 'payroll', 'shop'].map((name) => ownership.teamOf(name))).toEqual([
      'c',
      'b',
      'a',
      '',
    ]);
  });
});

describe('a new version nearby', () => {
  const seen = (name: string, atMs: number, ...versions: string[]): [number, ServiceEdgeDelta] => [
    atMs,
    service(name, atMs, { versions }),
  ];
  const changes = (...facts: [number, ServiceEdgeDelta][]) =>
    run(facts)
      .runUntil(UNTIL)
      .announced.at(-1)
      ?.changes.map(({ service: name, version }) => `${name} ${version}`);

  it('is one that was first met shortly before, of a service on the failing path', () => {
    const at = FAULT.fromMs - 40 * SECOND;
    const shop = run([seen('backend', T0, '1.0'), seen('backend', at, '1.0', '1.1'), seen('other', at, '9')]);
    const last = shop.runUntil(UNTIL).announced.at(-1);
    expect(last?.changes).toEqual([{ service: 'backend', version: '1.1', firstSeen: Math.floor(at / 10_000) * 1e7 }]);
    expect(last?.summary).toMatch(/Version 1\.1 of backend was first seen \d\d s before\./);
  });

  it('is none that was there all the time, came long after, or is of another service', () => {
    expect(changes(seen('backend', T0, '1.0'), seen('backend', FAULT.fromMs, '1.0'))).toEqual([]);
    expect(changes(seen('backend', T0, '1.0'), seen('backend', FAULT.fromMs + 75 * SECOND, '1.1'))).toEqual([]);
    expect(changes(seen('other', T0, '1.0'), seen('other', FAULT.fromMs, '1.1'))).toEqual([]);
  });

  it('is known after restarts', () => {
    const facts = [seen('backend', T0, '1.0'), seen('backend', FAULT.fromMs, '1.1')];
    const whole = run(facts).runUntil(UNTIL);
    const split = run(facts);
    split.runUntil(UNTIL, (second) => {
      if (second % 37 === 0) split.restart();
    });
    expect(split.announced).toEqual(whole.announced);
    expect(whole.announced.at(-1)?.changes).toHaveLength(1);
  });
});

describe('what else helps to judge', () => {
  it('are traces of the same entry operations that went well', () => {
    const exemplar = (traceId: string, kind: string) => ({ traceId, spanId: 'ab', kind, durationMicros: 50_000 });
    const shop = run();
    const entry = (operation: string, atMs: number, traceId: string) =>
      edgeDelta({
        ...{ subject: 'entry', client: '', server: 'gateway', serverOperation: operation, windowStart: atMs * 1000 },
        ...{ calls: 0, traces: 0, exemplars: [exemplar('f1', 'failed'), exemplar(traceId, 'normal')] },
        failures: [{ traceId: 'f', sign: 1, userVisible: false, startTime: atMs * 1000, origins: [], path: [] }],
      });
    shop.addDeltas(FAULT.fromMs + 12 * SECOND, [entry('GET /orders', FAULT.fromMs, 'good')]);
    shop.addDeltas(FAULT.fromMs + 12 * SECOND, [entry('GET /products', FAULT.fromMs, 'not-hit')]);
    const last = shop.runUntil(UNTIL).announced.at(-1);
    expect(last?.healthyExemplars.map(({ traceId, entryOperation }) => [traceId, entryOperation])).toEqual([
      ['good', 'GET /orders'],
    ]);
  });

  it('is how many spans are missing in that time, corrections taken off', () => {
    const lacking = (atMs: number, incompleteTraces: number, orphanSpans: number): [number, ServiceEdgeDelta] => [
      Math.max(T0, atMs) + 11 * SECOND,
      service('backend', atMs, { incompleteTraces, orphanSpans }),
    ];
    const shop = run([
      lacking(T0, 100, 200),
      lacking(FAULT.fromMs, 5, 9),
      lacking(FAULT.fromMs, -2, -3),
      lacking(FAULT.fromMs + 10 * SECOND, 1, 1),
    ]);
    expect(shop.runUntil(UNTIL).announced.at(-1)?.dataQuality).toMatchObject({ incompleteTraces: 4, orphanSpans: 7 });
  });
});
