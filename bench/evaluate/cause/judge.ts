import type { Cause, Incident } from '../../../lib/codec/incident-records.ts';
import type { Fault } from './fault.ts';
import type { RequestOutcome } from './request.ts';
import type { Scenario } from './scenario.ts';

/** What was said of one fault, against what is known of it. */
export interface FaultOutcome {
  readonly detected: boolean;
  /** Seconds of stream time from the fault's first hit to the incident's first announcement. */
  readonly delayS: number;
  /** Place of the fault among the culprits, from 1, when it was first told and when it was last told. */
  readonly rankAtFirst: number;
  readonly rankAtLast: number;
  /** Of entry operations and services: told and hit, told and not hit, hit and not told. */
  readonly radius: { readonly right: number; readonly wrong: number; readonly missing: number };
  /** Requests that met the fault: told, and in truth. */
  readonly requestsTold: number;
  readonly requestsHit: number;
  /** Undefined when no version is to blame. */
  readonly versionNamed: boolean | undefined;
  readonly wrong: readonly string[];
  readonly missing: readonly string[];
  readonly said: string;
  readonly truth: string;
}

export interface Judgement {
  readonly incidents: number;
  /** Opened when no fault was under way, or none that is not told already. */
  readonly falseIncidents: number;
  readonly faults: readonly FaultOutcome[];
}

export function judge(
  { faults }: Pick<Scenario, 'faults'>,
  requests: readonly RequestOutcome[],
  announced: readonly Incident[],
  startUnixMs: number,
): Judgement {
  const tales = talesOf(announced);
  const assigned = assign(tales, faults, startUnixMs);
  return {
    incidents: tales.length,
    falseIncidents: tales.length - assigned.filter((tale) => tale !== undefined).length,
    faults: faults.map((fault, i) => outcomeOf(fault, assigned[i], requests, startUnixMs)),
  };
}

/** All that was announced of one incident. */
interface Tale {
  readonly first: Incident;
  last: Incident;
}

const AFTER_MS = 60_000;

function talesOf(announced: readonly Incident[]): Tale[] {
  const tales = new Map<string, Tale>();
  for (const incident of announced) {
    const known = tales.get(incident.incidentId);
    if (known === undefined) tales.set(incident.incidentId, { first: incident, last: incident });
    else known.last = incident;
  }
  return [...tales.values()];
}

/** Each fault gets an incident of its own: one that names it if there is any, else the first in its time. */
function assign(tales: readonly Tale[], faults: readonly Fault[], startUnixMs: number): (Tale | undefined)[] {
  const free = new Set(tales);
  const inTime = (fault: Fault) =>
    [...free].filter(({ first }) => {
      const atMs = first.updatedAt / 1000 - startUnixMs;
      return atMs >= fault.fromMs && atMs <= fault.untilMs + AFTER_MS;
    });
  const assigned: (Tale | undefined)[] = faults.map(() => undefined);
  const take = (i: number, tale: Tale | undefined) => {
    if (tale === undefined) return;
    assigned[i] = tale;
    free.delete(tale);
  };
  if (faults.length === 1) take(0, inTime(faults[0] as Fault)[0]);
  else {
    for (const [i, fault] of faults.entries())
      take(
        i,
        inTime(fault).find(({ last }) => names(fault, last.cause)),
      );
    for (const [i, fault] of faults.entries()) if (assigned[i] === undefined) take(i, inTime(fault)[0]);
  }
  return assigned;
}

function names(fault: Fault, cause: Pick<Cause, 'service' | 'caller'>): boolean {
  return cause.service === fault.service && (fault.caller === undefined || cause.caller === fault.caller);
}

function rankOf(fault: Fault, { culprits, cause }: Incident): number {
  if (culprits.length === 0) return names(fault, cause) ? 1 : Number.POSITIVE_INFINITY;
  const at = culprits.findIndex((culprit) => names(fault, culprit));
  return at < 0 ? Number.POSITIVE_INFINITY : at + 1;
}

function outcomeOf(
  fault: Fault,
  tale: Tale | undefined,
  requests: readonly RequestOutcome[],
  startUnixMs: number,
): FaultOutcome {
  const hits = requests.filter(({ hits: own }) => own.has(fault));
  const truth = new Set<string>();
  for (const { entry, hits: own } of hits) {
    truth.add(`entry ${entry.service.name} ${entry.name}`);
    for (const service of own.get(fault)?.services ?? []) if (service !== fault.service) truth.add(service);
  }
  const blast = tale?.last.blast;
  const told = new Set([
    ...(blast?.entryOperations ?? []).map(({ service, operation }) => `entry ${service} ${operation}`),
    ...(blast?.upstreamServices ?? []),
  ]);
  const firstHitMs = hits.reduce((first, { startMs }) => Math.min(first, startMs), Number.POSITIVE_INFINITY);
  const wrong = [...told].filter((name) => !truth.has(name));
  const missing = [...truth].filter((name) => !told.has(name));
  return {
    detected: tale !== undefined,
    delayS:
      tale === undefined ? Number.POSITIVE_INFINITY : (tale.first.updatedAt / 1000 - startUnixMs - firstHitMs) / 1000,
    rankAtFirst: tale === undefined ? Number.POSITIVE_INFINITY : rankOf(fault, tale.first),
    rankAtLast: tale === undefined ? Number.POSITIVE_INFINITY : rankOf(fault, tale.last),
    radius: { right: told.size - wrong.length, wrong: wrong.length, missing: missing.length },
    requestsTold: (blast?.affectedRequests ?? 0) + (blast?.maskedRequests ?? 0),
    requestsHit: hits.length,
    versionNamed: fault.version === undefined ? undefined : tale?.last.cause.version === fault.version,
    ...{ wrong, missing },
    said: tale === undefined ? '' : describe(tale.last.cause),
    truth: `${fault.caller ?? ''}>${fault.service}`,
  };
}

function describe({ kind, caller, service, class: errorClass }: Cause): string {
  return `${kind} ${caller}>${service} ${errorClass}`;
}
