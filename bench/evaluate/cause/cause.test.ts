import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import { type Fault, faultAt } from './fault.ts';
import { judge } from './judge.ts';
import { callersOf, placesOf } from './places.ts';
import { type RequestOutcome, simulateRequest } from './request.ts';
import { runScenario } from './run-scenario.ts';
import { drawSystem, type Operation, type Service } from './system.ts';

const ALWAYS = { fromMs: 0, untilMs: Number.POSITIVE_INFINITY };

/** gateway → orders (twice tried) → billing, and a cache that orders can do without. */
function smallSystem() {
  const service = (name: string): Service => ({ name, isProxy: false, operations: [], peers: [] });
  const operation = (of: Service, depth: number): Operation => {
    const made = { service: of, name: `do ${of.name}`, depth, medianMs: 1, baseErrors: 0, steps: [] };
    of.operations.push(made);
    return made;
  };
  const [gateway, orders, billing] = [service('gateway'), service('orders'), service('billing')];
  const [entry, order, bill] = [operation(gateway, 0), operation(orders, 1), operation(billing, 2)];
  const habits = { share: 1, attempts: 1, isOptional: false, isWrapped: false, timeoutMs: 10_000 };
  entry.steps.push({ kind: 'call', to: order, ...habits, attempts: 2 });
  order.steps.push({ kind: 'peer', peer: { name: 'cache', kind: 'cache' }, ...habits, isOptional: true });
  order.steps.push({ kind: 'call', to: bill, ...habits });
  return entry;
}

function request(fault: Fault, cancelled?: { afterMs: number; isUsers: boolean }) {
  const options = { random: new SeededRandom(1), faults: [fault], version: '1', startMs: 0 };
  return simulateRequest(smallSystem(), { ...options, ...(cancelled === undefined ? {} : { cancelled }) });
}

describe('a request of the evaluation', () => {
  it('knows whom a failure went through, and that it was not masked when every attempt failed', () => {
    const fault = faultAt({ callee: 'billing' }, ALWAYS, () => ({ kind: 'fails' }));
    const { outcome, spans } = request(fault);
    expect(outcome.failed).toBe(true);
    expect(outcome.hits.get(fault)).toEqual({ services: new Set(['orders', 'gateway']), failsRequest: true });
    expect(spans.filter(({ kind, name }) => kind === 'server' && name === 'do billing')).toHaveLength(2);
    expect(spans.every(({ error, name }) => (error === undefined) === (name === 'query'))).toBe(true);
  });

  it('goes on without what is optional: whoever saw the failure is hit, the request is not', () => {
    const fault = faultAt({ callee: 'cache' }, ALWAYS, () => ({ kind: 'refused' }));
    const { outcome } = request(fault);
    expect(outcome.failed).toBe(false);
    expect(outcome.hits.get(fault)).toEqual({ services: new Set(['orders']), failsRequest: false });
  });

  it('lays a time-out to what made the callee slow, whose spans end later', () => {
    const fault = faultAt({ callee: 'billing' }, ALWAYS, () => ({ kind: 'slow', byMs: 60_000 }));
    const { outcome, spans } = request(fault);
    expect(outcome.hits.get(fault)?.failsRequest).toBe(true);
    const billed = spans.find(({ name }) => name === 'do billing');
    expect(billed?.error).toBeUndefined();
    expect(billed?.endMs).toBeGreaterThan(30_000);
  });

  it('cancels all that is under way when a user hangs up, and calls that no failure', () => {
    const fault = faultAt({ callee: 'billing' }, ALWAYS, () => ({ kind: 'slow', byMs: 60_000 }));
    const { outcome, spans } = request(fault, { afterMs: 500, isUsers: true });
    expect(outcome.failed).toBe(false);
    expect(spans[0]?.error).toBeUndefined();
    expect(Math.max(...spans.map(({ endMs }) => endMs))).toBeLessThan(510);
  });
});

describe('a system of the evaluation', () => {
  it.each([10, 30, 100, 300])('of %i services has a way to each of them, and no cycle', (size) => {
    const system = drawSystem(new SeededRandom(size), size);
    const places = placesOf(system);
    expect(system.services).toHaveLength(size);
    const called = new Set(places.flatMap(({ callee }) => ('service' in callee ? [callee.service.name] : [])));
    const uncalled = system.services.filter(({ name }) => !called.has(name) && !name.startsWith('gateway'));
    expect(uncalled.map(({ name }) => name)).toEqual([]);
    for (const { name } of system.services.slice(0, 30)) {
      const direct = places.filter(({ caller }) => caller.name === name).map(({ callee }) => callee);
      for (const callee of direct) {
        if ('service' in callee) expect(callersOf(places, name).has(callee.service.name)).toBe(false);
      }
    }
  });
});

describe('the judge', () => {
  it('counts a fault that nobody told of as missed, with all that it hit', () => {
    const fault = faultAt({ callee: 'billing' }, { fromMs: 0, untilMs: 1000 }, () => undefined);
    const entry = smallSystem();
    const hits = new Map([[fault, { services: new Set(['orders', 'gateway']), failsRequest: true }]]);
    const hit: RequestOutcome = { entry, startMs: 5, failed: true, hits };
    const { faults, incidents } = judge({ faults: [fault] }, [hit], [], 0);
    expect(incidents).toBe(0);
    expect(faults).toMatchObject([
      { detected: false, rankAtLast: Number.POSITIVE_INFINITY, radius: { right: 0, wrong: 0, missing: 3 } },
    ]);
  });
});

describe('the evaluation of causes', () => {
  it('finds a plain fault in a small system, and does the same again for the same seed', async () => {
    const outcome = await runScenario('edge errors', 0, 1);
    expect(outcome).toMatchObject({ incidents: 1, falseIncidents: 0, faults: [{ detected: true, rankAtLast: 1 }] });
    expect(await runScenario('edge errors', 0, 1)).toEqual(outcome);
  });
});
