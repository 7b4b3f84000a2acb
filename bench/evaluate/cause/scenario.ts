import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import { type Defects, NO_DEFECTS } from './delivery.ts';
import { type Effect, type Fault, faultAt, type Strike } from './fault.ts';
import { callersOf, entryRates, nameOfCallee, type Place, placesOf } from './places.ts';
import { type CallStep, drawSystem, type Operation, type System } from './system.ts';

/** A system, its traffic, and the faults that it meets. Times are virtual milliseconds. */
export interface Scenario {
  readonly system: System;
  /** Requests per second of each entry operation. */
  readonly rates: readonly number[];
  readonly faults: readonly Fault[];
  readonly defects: Defects;
  readonly untilMs: number;
  /** Entries give up after so long; undefined: they wait. */
  readonly deadlineMs: number | undefined;
  /** Share of requests that their users cancel. */
  readonly cancelledShare: number;
}

/** Fault classes, in the order of the report. */
export const FAULT_CLASSES = [
  'edge errors',
  'database fail-over',
  'dead dependency',
  'timeout',
  'gateway 5xx',
  'masked retries',
  'async consumer',
  'two faults',
  'deploy',
  'cancelled',
  '2 % lost',
  '5 % late',
  '1 % double',
  'latency',
] as const;
export type FaultClass = (typeof FAULT_CLASSES)[number];

/** @param nth of its class: goes round the sizes and rates. */
export function drawScenario(faultClass: FaultClass, nth: number, seed: number): Scenario {
  const random = new SeededRandom(seed * 1_000_003 + FAULT_CLASSES.indexOf(faultClass) * 10_007 + nth);
  for (;;) {
    const size = SIZES[nth % SIZES.length] as number;
    const system = drawSystem(random, faultClass === 'gateway 5xx' ? Math.max(size, 100) : size);
    const draw = new ScenarioDraw(random, system, nth);
    const scenario = draw.of(faultClass);
    if (scenario !== undefined) return scenario;
  }
}

const SIZES = [10, 30, 100, 300];
const EDGE_RATES = [0.5, 2, 5, 20, 50];
const RATES = [2, 5, 10];
const HUNG_DATABASE_MS = 30_000;
const TAIL_MS = 90_000;

class ScenarioDraw {
  private readonly random: SeededRandom;
  private readonly system: System;
  private readonly nth: number;
  private readonly places: readonly Place[];

  constructor(random: SeededRandom, system: System, nth: number) {
    this.random = random;
    this.system = system;
    this.nth = nth;
    this.places = placesOf(system);
  }

  /** Undefined when the system has no place for such a fault. */
  of(faultClass: FaultClass): Scenario | undefined {
    const { random } = this;
    switch (faultClass) {
      case 'edge errors':
        return this.edgeErrors(EDGE_RATES[this.nth % EDGE_RATES.length] as number, NO_DEFECTS);
      case '2 % lost':
        return this.edgeErrors(this.rate(), { ...NO_DEFECTS, lost: 0.02 });
      case '5 % late':
        return this.edgeErrors(this.rate(), { ...NO_DEFECTS, late: 0.05 });
      case '1 % double':
        return this.edgeErrors(this.rate(), { ...NO_DEFECTS, double: 0.01 });
      case 'database fail-over':
        return this.everywhere(
          this.peers('database'),
          () => (random.chance(0.3) ? { kind: 'hangs', forMs: HUNG_DATABASE_MS } : { kind: 'refused' }),
          40_000,
        );
      case 'dead dependency':
        return this.everywhere(random.chance(0.3) ? this.peers('external') : this.services(), () => ({
          kind: 'refused',
        }));
      case 'timeout':
        return this.everywhere(this.services(), () => ({ kind: 'hangs', forMs: Number.POSITIVE_INFINITY }));
      case 'gateway 5xx':
        return this.everywhere(
          this.services().filter(({ caller }) => caller.isProxy),
          () => ({ kind: 'refused' }),
        );
      case 'masked retries':
        return this.maskedRetries();
      case 'async consumer':
        return this.everywhere(this.consumers(), withShare(random, 0.5, { kind: 'fails' }));
      case 'two faults':
        return this.twoFaults();
      case 'deploy':
        return this.deploy();
      case 'cancelled':
        return this.cancelled();
      case 'latency':
        return this.latency();
    }
  }

  private services(): Place[] {
    return this.places.filter(({ kind }) => kind === 'call');
  }

  private consumers(): Place[] {
    return this.places.filter(({ kind }) => kind === 'publish');
  }

  private peers(of: 'database' | 'external'): Place[] {
    return this.places.filter(({ callee }) => 'kind' in callee && callee.kind === of);
  }

  private rate(): number {
    return RATES[this.nth % RATES.length] as number;
  }

  /** The callee fails the calls of one caller, or the way between the two does. */
  private edgeErrors(callsPerSecond: number, defects: Defects): Scenario | undefined {
    const { random } = this;
    const place = this.pick(this.services());
    if (place === undefined) return undefined;
    const callee = place.callee as Operation;
    const where = { callee: callee.service.name, operation: callee.name };
    const ofCaller = { ...where, caller: place.caller.name };
    const time = timeFor(callsPerSecond);
    const fault = random.chance(0.5)
      ? { ...faultAt(ofCaller, time, withShare(random, 0.3, { kind: 'fails' })), caller: undefined }
      : faultAt(ofCaller, time, withShare(random, 0.3, random.chance(0.5) ? { kind: 'refused' } : { kind: 'lost' }));
    return this.scenario([fault], [place], callsPerSecond, { defects });
  }

  /** All calls of one of these callees. */
  private everywhere(among: readonly Place[], strike: Strike, lastsMs?: number): Scenario | undefined {
    const place = this.pick(among);
    if (place === undefined) return undefined;
    const callee = nameOfCallee(place.callee);
    const time = timeFor(this.rate());
    const until = { ...time, untilMs: time.fromMs + (lastsMs ?? time.untilMs - time.fromMs) };
    return this.scenario([faultAt({ callee }, until, strike)], this.placesInto(callee), this.rate(), {});
  }

  /** Whoever calls it tries again, which mostly helps. */
  private maskedRetries(): Scenario | undefined {
    const place = this.pick(this.services().filter(({ caller }) => !caller.isProxy));
    if (place === undefined) return undefined;
    const callee = nameOfCallee(place.callee);
    for (const service of this.system.services) {
      for (const { steps } of service.operations) {
        steps.forEach((step, i) => {
          if (step.kind === 'call' && step.to.service.name === callee)
            steps[i] = { ...(step as CallStep), attempts: 3 };
        });
      }
    }
    const fault = faultAt({ callee }, timeFor(this.rate()), withShare(this.random, 0.45, { kind: 'fails' }, 0.45));
    return this.scenario([fault], this.placesInto(callee), this.rate(), {});
  }

  /** Neither is on the way to the other. */
  private twoFaults(): Scenario | undefined {
    const first = this.pick(this.services());
    if (first === undefined) return undefined;
    const name = nameOfCallee(first.callee);
    const above = callersOf(this.places, name);
    const second = this.pick(
      this.services().filter(({ callee }) => {
        const other = nameOfCallee(callee);
        return !above.has(other) && !callersOf(this.places, other).has(name);
      }),
    );
    if (second === undefined) return undefined;
    const time = timeFor(this.rate());
    const later = { ...time, fromMs: time.fromMs + this.random.between(0, 60_000) };
    const faults = [first, second].map((place, i) =>
      faultAt(
        { callee: nameOfCallee(place.callee) },
        i === 0 ? time : later,
        withShare(this.random, 0.4, { kind: 'fails' }),
      ),
    );
    const places = [first, second].flatMap((place) => this.placesInto(nameOfCallee(place.callee)));
    return this.scenario(faults, places, 2 * this.rate(), {});
  }

  /** Half of the requests are served by a new version, which fails most of them. */
  private deploy(): Scenario | undefined {
    const { random } = this;
    const place = this.pick(this.services());
    if (place === undefined) return undefined;
    const callee = nameOfCallee(place.callee);
    const strike = (): Effect | undefined => {
      if (random.chance(0.5)) return undefined;
      return random.chance(0.7) ? { kind: 'fails', version: NEW_VERSION } : { kind: 'deployed', version: NEW_VERSION };
    };
    const fault = faultAt({ callee }, timeFor(this.rate()), strike, NEW_VERSION);
    return this.scenario([fault], this.placesInto(callee), this.rate(), {});
  }

  /** The callee is stuck, and the entries give up long before it answers; now and then a user hangs up as well. */
  private cancelled(): Scenario | undefined {
    const place = this.pick(this.services());
    if (place === undefined) return undefined;
    const callee = nameOfCallee(place.callee);
    const strike = withShare(this.random, 0.6, { kind: 'slow', byMs: 20_000 });
    const fault = faultAt({ callee }, timeFor(this.rate()), strike);
    return this.scenario([fault], this.placesInto(callee), this.rate(), { deadlineMs: 2_000, cancelledShare: 0.01 });
  }

  /** Nothing fails: the callee is slow, a database is, or the way to one callee. */
  private latency(): Scenario | undefined {
    const { random } = this;
    const byMs = random.between(300, 1_500);
    const kind = this.nth % 4;
    const place = this.pick(kind === 3 ? this.peers('database') : this.services());
    if (place === undefined) return undefined;
    const callee = nameOfCallee(place.callee);
    const isWay = kind === 2;
    const time = timeFor(this.rate());
    const fault = isWay
      ? faultAt({ callee, caller: place.caller.name }, time, withShare(random, 0.8, { kind: 'far', byMs }))
      : faultAt({ callee }, time, withShare(random, 0.8, { kind: 'slow', byMs }));
    return this.scenario([fault], isWay ? [place] : this.placesInto(callee), this.rate(), {});
  }

  private placesInto(callee: string): Place[] {
    return this.places.filter((place) => nameOfCallee(place.callee) === callee);
  }

  private pick(among: readonly Place[]): Place | undefined {
    return among.length === 0 ? undefined : this.random.pick(among);
  }

  private scenario(
    faults: readonly Fault[],
    places: readonly Place[],
    callsPerSecond: number,
    over: Partial<Scenario>,
  ): Scenario {
    const untilMs = Math.max(...faults.map((fault) => fault.untilMs)) + TAIL_MS;
    return {
      system: this.system,
      rates: entryRates(this.system, places, callsPerSecond),
      ...{ faults, untilMs, defects: NO_DEFECTS, deadlineMs: undefined, cancelledShare: 0 },
      ...over,
    };
  }
}

const NEW_VERSION = '2.0.0';

/** Few calls need more time to say anything; many calls cost more to make. */
function timeFor(callsPerSecond: number): { fromMs: number; untilMs: number } {
  if (callsPerSecond <= 1) return { fromMs: 300_000, untilMs: 600_000 };
  if (callsPerSecond <= 10) return { fromMs: 240_000, untilMs: 360_000 };
  return { fromMs: 100_000, untilMs: 160_000 };
}

/** The effect on a share of the attempts, drawn once between `least` and `most`. */
function withShare(random: SeededRandom, least: number, effect: Effect, most = 1): Strike {
  const share = random.between(least, most);
  return (one) => (one.chance(share) ? effect : undefined);
}
