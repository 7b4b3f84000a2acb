import type { Operation, Peer, Service, System } from './system.ts';

/** Somebody who calls something: where a fault can strike. */
export interface Place {
  readonly caller: Service;
  readonly callee: Operation | Peer;
  readonly kind: 'call' | 'peer' | 'publish';
  /** Calls that one request of each entry operation makes here, retries aside; 0 for most. */
  readonly perRequest: readonly number[];
}

/** All places of a system, in a fixed order. */
export function placesOf(system: System): Place[] {
  const places = new Map<string, { place: Place; perRequest: number[] }>();
  system.entries.forEach((entry, index) => {
    const visit = (operation: Operation, share: number): void => {
      for (const step of operation.steps) {
        const callee = step.kind === 'peer' ? step.peer : step.to;
        const key = `${operation.service.name} ${nameOfCallee(callee)} ${callee.name}`;
        let known = places.get(key);
        if (known === undefined) {
          const perRequest = system.entries.map(() => 0);
          known = { place: { caller: operation.service, callee, kind: step.kind, perRequest }, perRequest };
          places.set(key, known);
        }
        const here = share * step.share;
        known.perRequest[index] = (known.perRequest[index] as number) + here;
        if (step.kind !== 'peer') visit(step.to, here);
      }
    };
    visit(entry, 1);
  });
  return [...places.values()].map(({ place }) => place);
}

/** Name of the service or peer. */
export function nameOfCallee(callee: Operation | Peer): string {
  return 'service' in callee ? callee.service.name : callee.name;
}

/** Services that reach `service` by calls, itself included. */
export function callersOf(places: readonly Place[], service: string): Set<string> {
  const found = new Set([service]);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { caller, callee } of places) if (found.has(nameOfCallee(callee))) found.add(caller.name);
  }
  return found;
}

/**
 * Requests per second of each entry operation, so that these places together are called so often: those that lead there
 * alike, the others now and then. Capped, so that a place that is rarely reached stays rare.
 */
export function entryRates(system: System, places: readonly Place[], callsPerSecond: number): number[] {
  const reach = system.entries.map((_, i) => places.reduce((sum, place) => sum + (place.perRequest[i] as number), 0));
  const total = reach.reduce((sum, calls) => sum + calls, 0);
  const leading = reach.filter((calls) => calls > 0).length;
  const each = Math.min(callsPerSecond / total, Math.max(REQUESTS_PER_SECOND_MAX, 1.2 * callsPerSecond) / leading);
  const others = Math.min(BACKGROUND_EACH, BACKGROUND_MAX / Math.max(1, system.entries.length - leading));
  return reach.map((calls) => (calls > 0 ? each : others));
}

const REQUESTS_PER_SECOND_MAX = 25;
const BACKGROUND_EACH = 0.3;
const BACKGROUND_MAX = 4;
