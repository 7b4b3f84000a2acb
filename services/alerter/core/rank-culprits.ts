import type { Cause, Culprit, FailureCount, Origin } from '../../../lib/codec/incident-records.ts';
import { SLOW_EDGE } from './blame-slow-trace.ts';
import { pathOf, type Tally } from './evidence-log.ts';
import { GATEWAY } from './next-hop.ts';

/** A place where errors begin, with how well it explains the failing traces of a scope. */
export interface Candidate {
  /** `service|name`, or `edge|caller|name` when the way between the two is to blame. */
  readonly key: string;
  readonly culprit: Culprit;
  /** Services on the failing paths of its traces, without itself. */
  readonly upstream: ReadonlySet<string>;
  /** More failing traces than chance and baseline explain. */
  readonly significant: boolean;
  /** Nothing answered, though it is a service that makes spans: dead, or stuck on something behind it. */
  readonly unanswered: boolean;
}

export interface Traffic {
  /** Traces that touched the service, or the edge into it from `caller`, in the scope. */
  touching(service: string, caller: string | undefined): number;
  /** Failing traces that its baseline error rate explains in that traffic. */
  expected(service: string, caller: string | undefined): number;
  /** It makes spans of its own. */
  isInstrumented(service: string): boolean;
}

/**
 * Ranks the places where the errors of failing traces begin: share of the failing traces it explains above its
 * baseline, times the square root of the share of its own traffic that fails, times a weight for how sure such an
 * origin is. Coverage alone would name what everything passes through, purity alone a rare path that always fails.
 */
export function rankCulprits(tallies: readonly Tally[], traffic: Traffic): Candidate[] {
  const sums = new Map<string, OriginSum>();
  let failing = 0;
  for (const { failure } of tallies) {
    failing += failure.count;
    for (const origin of failure.origins) {
      const sum = sumOf(sums, origin);
      const path = pathOf(failure, origin);
      addOrigin(sum, origin, failure, traffic);
      sum.depth = Math.max(sum.depth, depthIn(path, sum.service));
      for (const service of path) sum.upstream.add(service);
    }
    for (const key of new Set(failure.origins.map(culpritKey))) (sums.get(key) as OriginSum).traces += failure.count;
  }
  return [...sums]
    .map(([key, sum]) => ({ depth: sum.depth, candidate: candidateOf(key, sum, failing, traffic) }))
    .sort((a, b) => byRank(a.candidate, b.candidate, a.depth, b.depth))
    .map(({ candidate }) => candidate);
}

export function culpritKey(origin: Pick<Origin, 'class' | 'caller' | 'service'>): string {
  const isWay = origin.class === 'edge' || origin.class === SLOW_EDGE;
  return isWay || (origin.class === GATEWAY && origin.caller !== '')
    ? `edge|${origin.caller}|${origin.service}`
    : `service|${origin.service}`;
}

export function causeKey(cause: Cause): string {
  return cause.kind === 'edge' ? `edge|${cause.caller}|${cause.service}` : `service|${cause.service}`;
}

/** Class of an origin at a peer that did not answer. */
export const NO_SERVER = 'client_no_server';

/** How sure it is that an origin of this class is the place that broke. */
const CLASS_WEIGHTS: Readonly<Record<string, number>> = {
  server_self: 1,
  client_no_server: 0.9,
  timeout_latency: 0.8,
  edge: 0.6,
  slow: 0.8,
  slow_edge: 0.6,
  gateway: 0.5,
};
const UNKNOWN_CLASS_WEIGHT = 0.5;
/** client_no_server of a service that makes spans: these may be lost, or come when it is no longer stuck. */
const UNANSWERED_WEIGHT = 0.45;
const MASKED_WEIGHT = 0.3;
/** Share of the errors that an operation, caller or version must hold to be named. */
const NAMED_SHARE = 0.8;
const SCORES_EQUAL = 1e-9;
const EXCESS_MIN = 2;
const EXCESS_DEVIATIONS = 3;

interface OriginSum {
  service: string;
  caller: string | undefined;
  /** Failing traces, each weighed by the origin's part in it. */
  mass: number;
  weighted: number;
  maskedMass: number;
  traces: number;
  depth: number;
  firstSeen: number;
  upstream: Set<string>;
  operations: Map<string, number>;
  callers: Map<string, number>;
  versions: Map<string, number>;
  classes: Map<string, number>;
  peerKinds: Map<string, number>;
}

function sumOf(sums: Map<string, OriginSum>, origin: Origin): OriginSum {
  const key = culpritKey(origin);
  let sum = sums.get(key);
  if (sum === undefined) {
    sum = {
      service: origin.service,
      caller: key.startsWith('edge|') ? origin.caller : undefined,
      mass: 0,
      weighted: 0,
      maskedMass: 0,
      traces: 0,
      depth: 0,
      firstSeen: Number.POSITIVE_INFINITY,
      upstream: new Set(),
      operations: new Map(),
      callers: new Map(),
      versions: new Map(),
      classes: new Map(),
      peerKinds: new Map(),
    };
    sums.set(key, sum);
  }
  return sum;
}

function addOrigin(sum: OriginSum, origin: Origin, failure: FailureCount, traffic: Traffic): void {
  const mass = failure.count * origin.weight;
  const masked = origin.masked || !failure.userVisible;
  const weight = isUnanswered(origin, traffic) ? UNANSWERED_WEIGHT : CLASS_WEIGHTS[origin.class];
  sum.mass += mass;
  sum.weighted += mass * (masked ? MASKED_WEIGHT : (weight ?? UNKNOWN_CLASS_WEIGHT));
  if (masked) sum.maskedMass += mass;
  sum.firstSeen = Math.min(sum.firstSeen, failure.firstStart);
  addTo(sum.operations, origin.operation, mass);
  addTo(sum.callers, origin.caller, mass);
  addTo(sum.versions, origin.version, mass);
  addTo(sum.classes, origin.class, mass);
  addTo(sum.peerKinds, origin.peerKind, mass);
}

function isUnanswered(origin: Pick<Origin, 'class' | 'service'>, traffic: Traffic): boolean {
  return origin.class === NO_SERVER && traffic.isInstrumented(origin.service);
}

function candidateOf(key: string, sum: OriginSum, failing: number, traffic: Traffic): Candidate {
  const expected = Math.min(sum.mass, traffic.expected(sum.service, sum.caller));
  const healthy = Math.max(0, traffic.touching(sum.service, sum.caller) - sum.traces);
  const excess = sum.mass - expected;
  const purity = sum.mass > 0 ? Math.sqrt(sum.mass / (sum.mass + healthy)) : 0;
  const certainty = sum.mass > 0 ? sum.weighted / sum.mass : 0;
  const errorClass = mostOf(sum.classes);
  const unanswered = isUnanswered({ class: errorClass, service: sum.service }, traffic);
  // A service whose spans are missing is named by an address, as a peer without spans is.
  const peerKind = traffic.isInstrumented(sum.service) ? 'service' : mostOf(sum.peerKinds);
  const { upstream } = sum;
  upstream.delete(sum.service);
  return {
    key,
    upstream,
    unanswered,
    significant: excess >= Math.max(EXCESS_MIN, EXCESS_DEVIATIONS * Math.sqrt(expected)),
    culprit: {
      kind: sum.caller !== undefined ? 'edge' : peerKind === 'service' ? 'service' : 'peer',
      service: sum.service,
      operation: named(sum.operations, sum.mass),
      caller: sum.caller ?? named(sum.callers, sum.mass),
      peerKind,
      class: errorClass,
      version: named(sum.versions, sum.mass),
      score: failing > 0 ? (certainty * excess * purity) / failing : 0,
      share: failing > 0 ? Math.min(1, sum.mass / failing) : 0,
      erroredTraces: sum.traces,
      expectedTraces: expected,
      masked: Math.round(sum.maskedMass),
      firstSeen: sum.firstSeen,
    },
  };
}

function byRank(a: Candidate, b: Candidate, depthA: number, depthB: number): number {
  const byScore = b.culprit.score - a.culprit.score;
  if (Math.abs(byScore) > SCORES_EQUAL) return byScore;
  if (depthA !== depthB) return depthB - depthA;
  return a.culprit.firstSeen - b.culprit.firstSeen || (a.key < b.key ? -1 : 1);
}

function depthIn(path: readonly string[], service: string): number {
  const at = path.indexOf(service);
  return at < 0 ? path.length : at;
}

function addTo(masses: Map<string, number>, name: string, mass: number): void {
  masses.set(name, (masses.get(name) ?? 0) + mass);
}

/** The name that holds most, when that is nearly all; else none. */
function named(masses: ReadonlyMap<string, number>, total: number): string {
  const name = mostOf(masses);
  return (masses.get(name) ?? 0) >= NAMED_SHARE * total ? name : '';
}

function mostOf(masses: ReadonlyMap<string, number>): string {
  let most = '';
  let mass = Number.NEGATIVE_INFINITY;
  for (const [name, has] of masses) {
    if (has > mass || (has === mass && name < most)) {
      most = name;
      mass = has;
    }
  }
  return most;
}
