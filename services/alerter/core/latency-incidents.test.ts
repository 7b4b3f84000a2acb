import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import { AlerterRun, originOf, type Request, T0 } from './scenario.testkit.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const FAULT = { fromMs: T0 + 8 * MINUTE, untilMs: T0 + 11 * MINUTE };

interface Slowness {
  /** Added to the database's answer, the backend's own work, and the way from gateway to backend. */
  database?: number;
  backend?: number;
  way?: number;
}

/** gateway → backend → orders-db and cache; `GET /products` needs the cache only. Times scatter by a third. */
function* requests(options: { minutes: number; slow?: Slowness; failing?: boolean }): Generator<Request> {
  const random = new SeededRandom(11);
  for (let ms = T0; ms < T0 + options.minutes * MINUTE; ms += 200) {
    const isHit = ms >= FAULT.fromMs && ms < FAULT.untilMs;
    const added: Slowness = isHit ? (options.slow ?? {}) : {};
    const usesDatabase = random.float() < 0.5;
    const failed = isHit && usesDatabase && options.failing === true;
    const cache = random.logNormal(1, 0.3);
    const database = usesDatabase ? random.logNormal(10, 0.35) + (added.database ?? 0) : 0;
    const backend = cache + database + random.logNormal(5, 0.3) + (added.backend ?? 0);
    const gapMs = 1 + (added.way ?? 0);
    const tookMs = backend + gapMs + random.logNormal(2, 0.2);
    const store = { client: 'backend', connectionType: 'database' };
    yield {
      traceId: ms.toString(16).padStart(32, '0'),
      startMs: ms,
      arrivesMs: Math.ceil(ms + tookMs) + 11 * SECOND,
      entry: { service: 'gateway', operation: usesDatabase ? 'GET /orders' : 'GET /products' },
      calls: [
        { client: 'gateway', server: 'backend', failed, tookMs: backend + gapMs, gapMs },
        { ...store, server: 'cache', peerKind: 'cache', failed: false, tookMs: cache },
        ...(usesDatabase ? [{ ...store, server: 'orders-db', peerKind: 'database', failed, tookMs: database }] : []),
      ],
      failed,
      tookMs,
      ...(failed ? { origins: [originOf()], path: ['gateway', 'backend'] } : {}),
    };
  }
}

const told = (run: AlerterRun) => run.announced.filter(({ state }) => state !== 'updated').map(({ state }) => state);

describe('a database that answers slowly', () => {
  const all = [...requests({ minutes: 20, slow: { database: 80 } })];
  const run = new AlerterRun().add(all).runUntil(T0 + 20 * MINUTE);
  const last = run.announced.at(-1);

  it('opens one incident of kind latency within a minute, and ends it', () => {
    expect(told(run)).toEqual(['open', 'resolved']);
    expect(new Set(run.announced.map(({ incidentId }) => incidentId)).size).toBe(1);
    expect(run.announced.every(({ kind }) => kind === 'latency')).toBe(true);
    expect(Number(run.announced[0]?.updatedAt) / 1000 - FAULT.fromMs).toBeLessThanOrEqual(MINUTE);
  });

  it('names the deepest slow edge, though edges, services and entries above it alert as well', () => {
    expect(last?.cause).toMatchObject({ service: 'orders-db', caller: 'backend', class: 'slow', kind: 'peer' });
    expect(last?.cause.operation).toBe('work of orders-db');
    expect(last?.propagationPath).toEqual(['gateway', 'backend', 'orders-db']);
    expect(new Set(last?.alerts.map(({ kind, signal }) => `${kind} ${signal}`))).toEqual(
      new Set(['edge latency', 'entry latency', 'service latency']),
    );
  });

  it('counts the requests that were slow, and only those', () => {
    const hit = all.filter(
      ({ entry, startMs }) => entry.operation === 'GET /orders' && startMs >= FAULT.fromMs && startMs < FAULT.untilMs,
    ).length;
    expect(last?.blast.entryOperations.map(({ operation }) => operation)).toEqual(['GET /orders']);
    expect(Math.abs(Number(last?.blast.affectedRequests) / hit - 1)).toBeLessThan(0.05);
    expect(last?.blast.upstreamServices).toEqual(['backend', 'gateway']);
    expect(last?.severity).toBe('major');
  });

  it('reads as a person would tell it', () => {
    expect(run.announced[0]?.summary).toMatch(
      /^The database orders-db is slow on work of orders-db since \d\d:\d\d:\d\d UTC\. \d+ requests took longer than usual: gateway GET \/orders \(\d+ of \d+, \d+ %\)\. The delay travels orders-db → backend → gateway\. When it was noticed, \d+ % took longer than \d+ ms; usually \d+ % do\. Alerted: gateway GET \/orders\.$/,
    );
    expect(last?.summary).toMatch(/was slow on work of orders-db from .* to .*; it is over\./);
  });
});

it.each<[string, Slowness, object, string[]]>([
  [
    'a service whose own work takes longer',
    { backend: 80 },
    { service: 'backend', class: 'slow', kind: 'service' },
    ['GET /orders', 'GET /products'],
  ],
  [
    'the way between two services',
    { way: 80 },
    { service: 'backend', caller: 'gateway', class: 'slow_edge', kind: 'edge' },
    ['GET /orders', 'GET /products'],
  ],
])('blames %s', (_, slow, cause, operations) => {
  const run = new AlerterRun().add(requests({ minutes: 16, slow })).runUntil(T0 + 16 * MINUTE);
  expect(told(run)).toEqual(['open', 'resolved']);
  expect(run.announced.at(-1)?.cause).toMatchObject(cause);
  expect(
    run.announced
      .at(-1)
      ?.blast.entryOperations.map(({ operation }) => operation)
      .sort(),
  ).toEqual(operations);
});

it('is quiet about times that scatter as they always do', () => {
  const run = new AlerterRun().add(requests({ minutes: 20 })).runUntil(T0 + 20 * MINUTE);
  expect(run.announced).toEqual([]);
});

it('is one incident, of errors, when calls hang before they fail and others wait behind them', () => {
  const run = new AlerterRun()
    .add(requests({ minutes: 16, slow: { database: 3_000, backend: 40 }, failing: true }))
    .runUntil(T0 + 16 * MINUTE);
  expect(told(run)).toEqual(['open', 'resolved']);
  expect(run.announced.every(({ kind, cause }) => kind === 'errors' && cause.service === 'orders-db')).toBe(true);
  expect(run.announced.at(-1)?.alerts.some(({ signal }) => signal === 'latency')).toBe(true);
});

it.each([1, 2])('changes nothing of it by restarts (seed %i)', (seed) => {
  const options = { minutes: 15, slow: { database: 60 } };
  const whole = new AlerterRun().add(requests(options)).runUntil(T0 + 15 * MINUTE);
  const split = new AlerterRun().add(requests(options));
  const random = new SeededRandom(seed);
  split.runUntil(T0 + 15 * MINUTE, (second) => {
    if (second % 10 === 0) split.checkpoint();
    if (random.float() < 0.02) split.restart();
  });
  expect(whole.announced.length).toBeGreaterThan(1);
  expect(split.announced).toEqual(whole.announced);
});
