import { describe, expect, it } from '@jest/globals';
import { heapMb } from '../../../lib/testkit/heap.ts';
import { AlerterRun, edgeDelta, originOf, type Request, shopRequests, T0 } from './scenario.testkit.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const FAILOVER = { fromMs: T0 + 90 * SECOND, untilMs: T0 + 110 * SECOND, fastShare: 0.5 };

describe('a database that fails over behind a gateway', () => {
  const requests = [...shopRequests({ seed: 7, seconds: 600, perSecond: 20, faults: [FAILOVER] })];
  const run = new AlerterRun().add(requests).runUntil(T0 + 600 * SECOND);
  const [first] = run.announced;
  const last = run.announced.at(-1);
  const hit = requests.filter(({ failed }) => failed);

  it('opens one incident, soon after the first fast failures', () => {
    expect(new Set(run.announced.map(({ incidentId }) => incidentId)).size).toBe(1);
    expect(first?.state).toBe('open');
    expect(first?.seq).toBe(1);
    const firstFastArrival = Math.min(...hit.map(({ arrivesMs }) => arrivesMs));
    expect(Number(first?.updatedAt) / 1000 - firstFastArrival).toBeLessThanOrEqual(10 * SECOND);
  });

  it('names the database from the start, though the gateway is what alerts', () => {
    for (const incident of run.announced) {
      expect(incident.cause).toMatchObject({
        kind: 'peer',
        service: 'orders-db',
        operation: 'SELECT orders',
        caller: 'backend',
        peerKind: 'database',
        class: 'client_no_server',
      });
      expect(incident.trigger).toMatchObject({ kind: 'entry', server: 'gateway', operation: 'GET /orders' });
    }
    expect(last?.cause.share).toBe(1);
    expect(last?.propagationPath).toEqual(['gateway', 'backend', 'orders-db']);
  });

  it('counts every request that was hit, the ones that hung too, and no other', () => {
    const [from, until] = [FAILOVER.fromMs, FAILOVER.untilMs];
    const total = requests.filter(
      ({ entry, startMs }) => entry.operation === 'GET /orders' && startMs >= from && startMs < until,
    ).length;
    expect(last?.blast.entryOperations).toEqual([
      {
        service: 'gateway',
        operation: 'GET /orders',
        affected: hit.length,
        total,
        share: hit.length / total,
        masked: 0,
      },
    ]);
    expect(last?.blast.affectedRequests).toBe(hit.length);
    expect(last?.blast.upstreamServices).toEqual(['backend', 'gateway']);
    expect(last?.severity).toBe('critical');
  });

  it('tells updates at most every 30 s and ends resolved, with rising numbers', () => {
    expect(run.announced.map(({ seq }) => seq)).toEqual(run.announced.map((_, i) => i + 1));
    expect(
      run.announced
        .map(({ state }) => state)
        .slice(1, -1)
        .every((state) => state === 'updated'),
    ).toBe(true);
    expect(last?.state).toBe('resolved');
    const times = run.announced.slice(0, -1).map(({ updatedAt }) => updatedAt);
    for (let i = 1; i < times.length; i++) {
      expect(Number(times[i]) - Number(times[i - 1])).toBeGreaterThanOrEqual(30 * SECOND * 1000);
    }
  });

  it('reads as a person would tell it', () => {
    expect(run.announced[1]?.summary).toMatch(
      /^The database orders-db fails on SELECT orders since \d\d:\d\d:\d\d UTC\. \d+ requests failed: gateway GET \/orders \(\d+ of \d+, 100 %\)\. The error travels orders-db → backend → gateway\. Mostly it says "(connection refused|timeout)"\. Alerted: gateway GET \/orders\.$/,
    );
    expect(last?.summary).toMatch(
      /failed on SELECT orders from \d\d:\d\d:\d\d UTC to \d\d:\d\d:\d\d UTC; it is over\./,
    );
  });

  it('carries exemplars of both kinds of failure and the times of the first and last hit', () => {
    const byTrace = new Map(hit.map((request) => [request.traceId, request]));
    const signatures = last?.exemplars.map(({ traceId }) => byTrace.get(traceId)?.origins?.[0]?.signature);
    expect(new Set(signatures)).toEqual(new Set(['connection refused', 'timeout']));
    expect(last?.firstErrorAt).toBe(Math.min(...hit.map(({ startMs }) => startMs)) * 1000);
    expect(last?.lastErrorAt).toBe(FAILOVER.untilMs * 1000);
  });
});

describe('the life of an incident', () => {
  it('reopens the same incident when the fault comes back within 15 minutes, and not after that', () => {
    const faults = [10, 22, 50].map((minute) => ({
      fromMs: T0 + minute * MINUTE,
      untilMs: T0 + minute * MINUTE + 40 * SECOND,
      fastShare: 1,
    }));
    const run = new AlerterRun()
      .add(shopRequests({ seed: 3, seconds: 3600, perSecond: 5, faults }))
      .runUntil(T0 + 60 * MINUTE);
    const states = run.announced.filter(({ state }) => state !== 'updated').map(({ state, flaps }) => [state, flaps]);
    expect(states).toEqual([
      ['open', 0],
      ['resolved', 0],
      ['reopened', 1],
      ['resolved', 1],
      ['open', 0],
      ['resolved', 0],
    ]);
    const ids = run.announced.map(({ incidentId }) => incidentId);
    expect(new Set(ids).size).toBe(2);
    expect(run.announced.find(({ state }) => state === 'reopened')?.incidentId).toBe(ids[0]);
  });

  it('goes stale ten minutes after the last traffic, by ticks alone', () => {
    const fault = { fromMs: T0 + MINUTE, untilMs: T0 + 10 * MINUTE, fastShare: 1 };
    const run = new AlerterRun().add(shopRequests({ seed: 5, seconds: 120, perSecond: 10, faults: [fault] }));
    run.runUntil(T0 + 20 * MINUTE);
    const last = run.announced.at(-1);
    expect(last?.state).toBe('stale');
    const quietSince = T0 + 120 * SECOND + 11.5 * SECOND;
    expect(Number(last?.resolvedAt) / 1000 - quietSince).toBeGreaterThan(9.9 * MINUTE);
    expect(Number(last?.resolvedAt) / 1000 - quietSince).toBeLessThan(10.2 * MINUTE);
  });

  it('ends at the same time when the log jumps hours ahead as when seconds tick', () => {
    const fault = { fromMs: T0 + MINUTE, untilMs: T0 + 10 * MINUTE, fastShare: 1 };
    const ticked = new AlerterRun().add(shopRequests({ seed: 5, seconds: 120, perSecond: 10, faults: [fault] }));
    const jumped = new AlerterRun().add(shopRequests({ seed: 5, seconds: 120, perSecond: 10, faults: [fault] }));
    ticked.runUntil(T0 + 60 * MINUTE);
    jumped.runUntil(T0 + 3 * MINUTE);
    jumped.announced.push(...jumped.core.tick(T0 + 60 * MINUTE));
    expect(jumped.announced).toEqual(ticked.announced);
  });

  it('expires after its limit and takes the new rate for normal', () => {
    const fault = { fromMs: T0 + 20 * MINUTE, untilMs: T0 + 999 * MINUTE, fastShare: 1 };
    const run = new AlerterRun({ expireMs: 30 * MINUTE })
      .add(shopRequests({ seed: 9, seconds: 80 * 60, perSecond: 2, faults: [fault] }))
      .runUntil(T0 + 80 * MINUTE);
    expect(run.announced.filter(({ state }) => state !== 'updated').map(({ state }) => state)).toEqual([
      'open',
      'expired',
    ]);
    const expired = run.announced.at(-1);
    expect(Number(expired?.updatedAt) - Number(expired?.detectedAt)).toBe(30 * MINUTE * 1000);
  });

  it('counts all requests of an incident that lasts longer than detectors remember', () => {
    const fault = { fromMs: T0 + 5 * MINUTE, untilMs: T0 + 45 * MINUTE, fastShare: 1 };
    const requests = [...shopRequests({ seed: 13, seconds: 55 * 60, perSecond: 2, faults: [fault] })];
    const run = new AlerterRun().add(requests).runUntil(T0 + 55 * MINUTE);
    const orders = requests.filter(({ entry }) => entry.operation === 'GET /orders');
    const hit = orders.filter(({ failed }) => failed);
    const last = run.announced.at(-1);
    expect(last?.state).toBe('resolved');
    expect(last?.blast.entryOperations).toEqual([
      expect.objectContaining({
        affected: hit.length,
        total: orders.filter(({ startMs }) => startMs >= fault.fromMs && startMs < fault.untilMs).length,
      }),
    ]);
  });

  it('says nothing about noise that is there all the time', () => {
    const run = new AlerterRun()
      .add(shopRequests({ seed: 21, seconds: 3600, perSecond: 10, noise: 0.02 }))
      .runUntil(T0 + 60 * MINUTE);
    expect(run.announced).toEqual([]);
  });

  it('names the database also when the backend has bugs of its own all the time', () => {
    const requests = [
      ...shopRequests({
        seed: 8,
        seconds: 900,
        perSecond: 20,
        faults: [{ ...FAILOVER, fromMs: T0 + 600 * SECOND, untilMs: T0 + 620 * SECOND }],
        noise: 0.02,
      }),
    ];
    const run = new AlerterRun().add(requests).runUntil(T0 + 900 * SECOND);
    expect(new Set(run.announced.map(({ cause }) => cause.service))).toEqual(new Set(['orders-db']));
    expect(new Set(run.announced.map(({ incidentId }) => incidentId)).size).toBe(1);
  });
});

describe('several faults and signs', () => {
  /** Requests of two unrelated paths through one gateway. */
  function* twoPaths(failingFrom: Record<string, number>): Generator<Request> {
    let id = 0;
    for (let ms = T0; ms < T0 + 5 * MINUTE; ms += 100) {
      for (const service of ['orders', 'billing']) {
        const failed = ms >= (failingFrom[service] ?? Number.POSITIVE_INFINITY) && id % 3 !== 0;
        const traceId = String(id++).padStart(32, '0');
        const origin = originOf({ service, class: 'server_self', caller: '', peerKind: 'service', operation: 'do' });
        yield {
          traceId,
          startMs: ms,
          arrivesMs: ms + 11_000,
          entry: { service: 'gateway', operation: `GET /${service}` },
          calls: [{ client: 'gateway', server: service, failed }],
          failed,
          ...(failed ? { origins: [origin], path: ['gateway', service] } : {}),
        };
      }
    }
  }

  it('keeps two unrelated faults apart', () => {
    const run = new AlerterRun()
      .add(twoPaths({ orders: T0 + 60 * SECOND, billing: T0 + 70 * SECOND }))
      .runUntil(T0 + 5 * MINUTE);
    const causes = new Map(run.announced.map(({ incidentId, cause }) => [incidentId, cause.service]));
    expect([...causes.values()].sort()).toEqual(['billing', 'orders']);
    for (const incident of run.announced) {
      expect(incident.blast.entryOperations.map(({ operation }) => operation)).toEqual([
        `GET /${incident.cause.service}`,
      ]);
    }
  });

  it('takes back a failure that a later revision of its trace corrects', () => {
    const requests = [...shopRequests({ seed: 7, seconds: 300, perSecond: 20, faults: [FAILOVER] })];
    const wrong = requests.filter(({ failed }) => failed).slice(0, 10);
    const corrected = wrong.map((request) => ({ ...request, arrivesMs: T0 + 150 * SECOND }));
    const run = new AlerterRun().add(requests).add(corrected, -1);
    // Their corrected revisions: the same requests, and nothing failed.
    run.add(
      corrected.map(({ origins, path, ...request }) => ({
        ...request,
        failed: false,
        calls: request.calls.map((call) => ({ ...call, failed: false })),
      })),
    );
    run.runUntil(T0 + 300 * SECOND);
    const hit = requests.filter(({ failed }) => failed).length;
    expect(run.announced.at(-1)?.blast.affectedRequests).toBe(hit - 10);
    const wrongIds = new Set(wrong.map(({ traceId }) => traceId));
    expect(run.announced.at(-1)?.exemplars.some(({ traceId }) => wrongIds.has(traceId))).toBe(false);
  });

  it('warns, without calling users hit, when every error is masked by a retry', () => {
    const masked = [...shopRequests({ seed: 17, seconds: 240, perSecond: 20, faults: [FAILOVER] })].map((request) =>
      request.failed
        ? {
            ...request,
            failed: false,
            arrivesMs: request.startMs + 11_000,
            calls: request.calls.map((call) => ({ ...call, failed: call.failed && call.client === 'backend' })),
            origins: [originOf({ masked: true })],
          }
        : request,
    );
    const run = new AlerterRun().add(masked).runUntil(T0 + 200 * SECOND);
    const last = run.announced.at(-1);
    expect(last?.severity).toBe('warning');
    expect(last?.blast.affectedRequests).toBe(0);
    expect(last?.blast.maskedRequests).toBe(masked.filter(({ origins }) => origins !== undefined).length);
    expect(last?.summary).toContain('so far without harm to users');
  });

  it('follows the failing edges when no failing trace is at hand', () => {
    const requests = [
      ...shopRequests({ seed: 7, seconds: 130, perSecond: 20, faults: [{ ...FAILOVER, fastShare: 1 }] }),
    ];
    const run = new AlerterRun()
      .add(requests.map(({ origins, path, ...request }) => request))
      .runUntil(T0 + 130 * SECOND);
    expect(run.announced[0]?.cause).toMatchObject({ service: 'orders-db', class: 'walk', kind: 'peer' });
  });

  it('shows who could be hit apart from who is', () => {
    const requests = [...shopRequests({ seed: 7, seconds: 200, perSecond: 20, faults: [FAILOVER] })];
    const reports: Request[] = Array.from({ length: 50 }, (_, i) => ({
      traceId: `r${i}`,
      startMs: T0 + i * SECOND,
      arrivesMs: T0 + i * SECOND + 11_000,
      entry: { service: 'reports', operation: 'nightly' },
      calls: [
        { client: 'reports', server: 'orders-db', failed: false, connectionType: 'database', peerKind: 'database' },
      ],
      failed: false,
    }));
    const run = new AlerterRun()
      .add(requests)
      .add(reports)
      .runUntil(T0 + 200 * SECOND);
    expect(run.announced.at(-1)?.blast.upstreamServices).toEqual(['backend', 'gateway']);
    expect(run.announced.at(-1)?.blast.potentialServices).toEqual(['reports']);
  });
});

describe('deltas that do not fit', () => {
  it('counts a window far in the future at its arrival, so that a wrong clock hides nothing', () => {
    const run = new AlerterRun();
    const year2099 = Date.UTC(2099, 0, 1) * 1000;
    run.addDeltas(T0 + 1, [edgeDelta({ windowStart: year2099, calls: 50 })]);
    run.addDeltas(T0 + 30_000, [edgeDelta({ windowStart: (T0 + 20_000) * 1000, calls: 20, errors: 20 })]);
    run.runUntil(T0 + 40_000);
    expect(run.announced).toHaveLength(1);
  });

  it('drops what is older than its subject remembers, and says so', () => {
    const run = new AlerterRun();
    expect(run.core.apply(edgeDelta({ windowStart: T0 * 1000 }), T0)).toBe('applied');
    expect(run.core.apply(edgeDelta({ windowStart: (T0 - 600_000) * 1000 }), T0)).toBe('late');
    expect(run.core.positions([]).positions?.lateDropped).toBe(1);
  });

  it('takes a subject first seen in 1970 along without harm', () => {
    const run = new AlerterRun();
    expect(run.core.apply(edgeDelta({ windowStart: 0, calls: 5, errors: 5 }), T0)).toBe('applied');
    expect(run.core.apply(edgeDelta({ windowStart: T0 * 1000, calls: 5 }), T0)).toBe('applied');
    expect(run.core.tick(T0 + 1000)).toEqual([]);
  });

  it('refuses impossible counts and, when full, new subjects, but goes on with the known ones', () => {
    const run = new AlerterRun({ subjectsMax: 1 });
    expect(run.core.apply(edgeDelta({ calls: 2 ** 40 }), T0)).toBe('invalid');
    expect(run.core.apply(edgeDelta({ windowStart: -1 }), T0)).toBe('invalid');
    expect(run.core.apply(edgeDelta(), T0)).toBe('applied');
    expect(run.core.apply(edgeDelta({ server: 'another' }), T0)).toBe('subjects_full');
    expect(run.core.apply(edgeDelta(), T0)).toBe('applied');
  });

  it('forgets a subject after a day without traffic', () => {
    const run = new AlerterRun();
    run.core.apply(edgeDelta(), T0);
    run.checkpoint();
    expect(run.stateTopic.has('detector|edge|gateway|backend')).toBe(true);
    run.core.tick(T0 + 25 * 60 * MINUTE);
    run.checkpoint();
    expect(run.core.figures.subjects).toBe(0);
    expect([...run.stateTopic.keys()]).toEqual(['positions']);
  });
});

describe('100 000 subjects', () => {
  const MANY = 100_000;
  const KEPT = 1_000;

  it('are watched up to the limit; memory stays flat, and a known one still alerts', () => {
    const run = new AlerterRun({ subjectsMax: KEPT });
    const { core } = run;
    const outcomes = { applied: 0, subjects_full: 0 };
    let heapBefore = 0;
    for (let i = 0; i < MANY; i++) {
      if (i === MANY / 5) heapBefore = heapMb();
      const outcome = core.apply(edgeDelta({ client: `client-${i}`, server: `server-${i}`, calls: 20 }), T0);
      if (outcome === 'applied' || outcome === 'subjects_full') outcomes[outcome]++;
    }
    expect(outcomes).toEqual({ applied: KEPT, subjects_full: MANY - KEPT });
    expect(core.figures.subjects).toBe(KEPT);
    expect(heapMb() - heapBefore).toBeLessThan(FLAT_MB);
    const known = { client: 'client-1', server: 'server-1', windowStart: (T0 + 10_000) * 1000 };
    run.addDeltas(T0 + 12_000, [edgeDelta({ ...known, calls: 40, errors: 40 })]).runUntil(T0 + 40_000);
    expect(run.announced).toHaveLength(1);
  });

  it('that all fail in one window are evidence up to a limit, and the incident says that some are missing', () => {
    const run = new AlerterRun();
    const failure = (i: number) => ({
      ...{ traceId: i.toString(16).padStart(32, '0'), sign: 1, userVisible: true, startTime: T0 * 1000 },
      origins: [originOf({ service: `db-${i}`, operation: `SELECT ${i}` })],
      path: ['gateway', `db-${i}`],
    });
    const failures = Array.from({ length: 2_000 }, (_, i) => failure(i));
    const counts = { calls: failures.length, errors: failures.length, traces: failures.length };
    const entry = edgeDelta({ subject: 'entry', client: '', server: 'gateway', serverOperation: 'GET /', ...counts });
    run.addDeltas(T0 + 1_000, [{ ...entry, failures }]).runUntil(T0 + 30_000);
    const [incident] = run.announced;
    expect(incident?.culprits.length).toBeLessThanOrEqual(5);
    expect(incident?.dataQuality.failuresDropped).toBeGreaterThan(1_000);
    run.checkpoint();
    expect([...run.stateTopic.values()].every(({ length }) => length < 1 << 20)).toBe(true);
  });
});

/** 80 000 subjects more would be tens of megabytes, were any of them kept. */
const FLAT_MB = 4;
