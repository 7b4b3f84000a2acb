import type { Cause, FailureCount, Origin } from '../../../lib/codec/incident-records.ts';
import type { Tally } from './evidence-log.ts';
import type { World } from './incident.ts';
import { subjectKey } from './subject.ts';

/**
 * The failing traces from a window on. Of a gateway that answered 502, 503 or 504 and called nobody, its trace says no
 * more; the error is laid to the way to its usual next hop instead.
 *
 * @param named what the incident names so far: the next hop is not looked for again once it was found, because the
 *   healthy minutes that tell it are forgotten after a while.
 */
export function failuresSince(fromWindow: number, named: Cause | undefined, world: World): Tally[] {
  const hops = new Map<string, NextHop | undefined>();
  return world.evidence.since(fromWindow).map((tally) => {
    if (!tally.failure.origins.some(calledNobody)) return tally;
    const hopOf = (gateway: string) => {
      if (named?.class === GATEWAY && named.caller === gateway) return named;
      // The windows come in order: this is the first in which the gateway failed so.
      if (!hops.has(gateway)) hops.set(gateway, usualNextHop(gateway, tally.window, world));
      return hops.get(gateway);
    };
    return { ...tally, failure: withNextHop(tally.failure, hopOf) };
  });
}

/** Class of an origin at a gateway. */
export const GATEWAY = 'gateway';

interface NextHop {
  readonly service: string;
  readonly peerKind: string;
}

const CALLS_MISSED_MIN = 2;
const DEVIATIONS_MIN = 2;
const NO_NEXT_HOPS: readonly string[] = ['database', 'cache', 'queue'];

function calledNobody({ class: errorClass, caller }: Origin): boolean {
  return errorClass === GATEWAY && caller === '';
}

function withNextHop(failure: FailureCount, hopOf: (gateway: string) => NextHop | undefined): FailureCount {
  let { path } = failure;
  const origins = failure.origins.map((origin) => {
    const hop = calledNobody(origin) ? hopOf(origin.service) : undefined;
    if (hop === undefined) return origin;
    if (origin.path.length === 0) path = [...path, hop.service];
    const ownPath = origin.path.length === 0 ? [] : [...origin.path, hop.service];
    const { service, peerKind } = hop;
    return { ...origin, caller: origin.service, operation: '', version: '', service, peerKind, path: ownPath };
  });
  return { ...failure, origins, path };
}

/**
 * Whom a gateway calls, by the calls that are missing: how much of its traffic went to each before, against how much
 * does since. Undefined when no edge lacks more than chance explains.
 */
function usualNextHop(gateway: string, fromWindow: number, world: World): NextHop | undefined {
  const { detectors, graph } = world;
  const own = detectors.rowOf(subjectKey('service', '', gateway, ''));
  if (own === undefined) return undefined;
  const head = detectors.head(own);
  const calls = (row: number, from: number, to: number): number => {
    let sum = 0;
    for (let window = from; window <= to; window++) sum += detectors.callsIn(row, window);
    return sum;
  };
  const oldest = head - world.rules.windowsKept + 1;
  const before = calls(own, oldest, fromWindow - 1);
  const since = calls(own, fromWindow, head);
  if (before === 0) return undefined;
  let found: NextHop | undefined;
  let most = 0;
  for (const [service, row] of graph.edgesFrom(gateway)) {
    const { peerKind } = detectors.subject(row);
    if (NO_NEXT_HOPS.includes(peerKind)) continue;
    const expected = (calls(row, oldest, fromWindow - 1) / before) * since;
    const missed = expected - calls(row, fromWindow, head);
    if (missed < Math.max(CALLS_MISSED_MIN, DEVIATIONS_MIN * Math.sqrt(expected)) || missed <= most) continue;
    most = missed;
    found = { service, peerKind };
  }
  return found;
}
