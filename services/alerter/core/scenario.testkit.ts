import type { AlerterState, Incident } from '../../../lib/codec/incident-records.ts';
import { alerterStateCodec } from '../../../lib/codec/incident-records.ts';
import type { ErrorOrigin, FailingTrace, ServiceEdgeDelta, SlowTrace } from '../../../lib/codec/records.ts';
import { Ownership } from '../../../lib/owners/ownership.ts';
import { DurationHistogram, type SparseHistogram } from '../../../lib/stats/duration-histogram.ts';
import { AlerterCore } from './alerter-core.ts';
import { DEFAULT_RULES, type Rules } from './rules.ts';

/** Some minute in the past, a multiple of 10 s; epoch milliseconds. */
export const T0 = 1_750_000_000_000;

export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function poisson(mean: number, random: () => number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/** A delta as graph-builder writes it; counts default to one healthy call. */
export function edgeDelta(over: Partial<ServiceEdgeDelta> = {}): ServiceEdgeDelta {
  return {
    subject: 'edge',
    windowStart: T0 * 1000,
    client: 'gateway',
    server: 'backend',
    connectionType: '',
    peerKind: 'service',
    clientOperation: '',
    serverOperation: '',
    confidence: 'exact',
    calls: 1,
    errors: 0,
    errors4xx: 0,
    traces: 1,
    clientDuration: null,
    serverDuration: null,
    networkGap: null,
    queueDelay: null,
    exemplars: [],
    failures: [],
    slowTraces: [],
    incompleteTraces: 0,
    orphanSpans: 0,
    versions: [],
    owner: '',
    ...over,
  };
}

export function originOf(over: Partial<ErrorOrigin> = {}): ErrorOrigin {
  return {
    service: 'orders-db',
    operation: 'SELECT orders',
    caller: 'backend',
    class: 'client_no_server',
    peerKind: 'database',
    weight: 1,
    masked: false,
    spanId: 'abcdef0123456789',
    version: '',
    signature: 'connection refused',
    path: [],
    ...over,
  };
}

/** One request through the system: an entry operation, the calls it makes, and where it failed, if it did. */
export interface Request {
  traceId: string;
  startMs: number;
  /** When its deltas reach the topic. */
  arrivesMs: number;
  entry: { service: string; operation: string };
  calls: CallOfRequest[];
  failed: boolean;
  origins?: ErrorOrigin[];
  path?: string[];
  /** Without, how long anything took is not told. */
  tookMs?: number;
}

export interface CallOfRequest {
  client: string;
  server: string;
  failed: boolean;
  connectionType?: string;
  peerKind?: string;
  /** As its caller waited; a service worked on it for `gapMs` less. */
  tookMs?: number;
  gapMs?: number;
}

/** What graph-builder makes of one request; `sign` -1 takes it all back. */
export function deltasOf(request: Request, sign: 1 | -1 = 1): ServiceEdgeDelta[] {
  const windowStart = Math.floor(request.startMs / 10_000) * 10_000_000;
  const { entry, failed, origins } = request;
  const counts = (hasFailed: boolean) => ({ calls: sign, errors: hasFailed ? sign : 0, traces: sign, windowStart });
  const deltas = request.calls.map((call) => {
    const { client, server, failed: hasFailed, connectionType = '', peerKind = 'service' } = call;
    const clientDuration = histogramOf(call.tookMs, sign);
    return edgeDelta({ client, server, connectionType, peerKind, clientDuration, ...counts(hasFailed) });
  });
  const services = new Map<string, { failed: boolean; tookMs?: number | undefined }>([[entry.service, request]]);
  for (const { server, failed: hasFailed, peerKind = 'service', tookMs, gapMs = 0 } of request.calls) {
    if (peerKind !== 'service') continue;
    services.set(server, { failed: hasFailed, tookMs: tookMs === undefined ? undefined : tookMs - gapMs });
  }
  for (const [server, { failed: hasFailed, tookMs }] of services) {
    const serverDuration = histogramOf(tookMs, sign);
    deltas.push(edgeDelta({ subject: 'service', client: '', server, serverDuration, ...counts(hasFailed) }));
  }
  const failures: FailingTrace[] =
    origins === undefined
      ? []
      : [
          {
            traceId: request.traceId,
            sign,
            userVisible: failed,
            startTime: request.startMs * 1000,
            origins,
            path: request.path ?? [],
          },
        ];
  const { service: server, operation: serverOperation } = entry;
  const serverDuration = histogramOf(request.tookMs, sign);
  const slowTraces = request.tookMs === undefined || failed || sign < 0 ? [] : [slowTraceOf(request)];
  const outcome = { ...counts(failed), failures, serverDuration, slowTraces };
  deltas.push(edgeDelta({ subject: 'entry', client: '', server, serverOperation, ...outcome }));
  return deltas;
}

export function histogramOf(tookMs: number | undefined, sign = 1): SparseHistogram | null {
  if (tookMs === undefined) return null;
  const histogram = new DurationHistogram();
  histogram.record(tookMs * 1000, sign);
  return histogram.sparse();
}

function slowTraceOf({ traceId, startMs, tookMs = 0, calls }: Request): SlowTrace {
  return {
    traceId,
    spanId: 'abcdef0123456789',
    startTime: startMs * 1000,
    durationMicros: Math.round(tookMs * 1000),
    calls: calls.map(({ client, server, peerKind = 'service', tookMs: took = 0, gapMs = 0 }) => ({
      ...{ client, server, peerKind, operation: `work of ${server}`, calls: 1 },
      clientMicros: Math.round(took * 1000),
      serverMicros: peerKind === 'service' ? Math.round((took - gapMs) * 1000) : 0,
    })),
  };
}

/** How the database behaves in the shop below. */
export interface Fault {
  fromMs: number;
  untilMs: number;
  /** Share of its calls that fail at once; the others hang for 30 s and fail then. */
  fastShare: number;
}

/**
 * A shop: gateway → backend → orders-db and a cache. `GET /products` needs the cache only. While the database fails
 * over, calls to it fail at once or hang until the gateway gives up after 30 s; a trace is closed 10 s after its root.
 */
export function* shopRequests(options: {
  seed: number;
  seconds: number;
  perSecond: number;
  faults?: readonly Fault[];
  noise?: number;
}): Generator<Request> {
  const random = seededRandom(options.seed);
  for (let second = 0; second < options.seconds; second++) {
    for (let i = poisson(options.perSecond, random); i > 0; i--) {
      const startMs = T0 + second * 1000 + Math.floor(random() * 1000);
      const traceId = Math.floor(random() * 2 ** 48)
        .toString(16)
        .padStart(32, '0');
      const operation = random() < 0.5 ? 'GET /orders' : 'GET /products';
      const isNoise = random() < (options.noise ?? 0);
      const fault = (options.faults ?? []).find(({ fromMs, untilMs }) => startMs >= fromMs && startMs < untilMs);
      const isFast = random() < (fault?.fastShare ?? 0);
      const closesAfterMs = 10_500 + Math.floor(random() * 1_000);
      yield shopRequest({ traceId, startMs, operation, isNoise, hit: fault !== undefined, isFast, closesAfterMs });
    }
  }
}

function shopRequest(draw: {
  traceId: string;
  startMs: number;
  operation: string;
  isNoise: boolean;
  hit: boolean;
  isFast: boolean;
  closesAfterMs: number;
}): Request {
  const { traceId, startMs, operation } = draw;
  const entry = { service: 'gateway', operation };
  const usesDb = operation === 'GET /orders';
  const dbFails = usesDb && draw.hit;
  const failed = dbFails || draw.isNoise;
  const tookMs = dbFails && !draw.isFast ? 30_000 : 50;
  const arrivesMs = startMs + tookMs + draw.closesAfterMs;
  const own = originOf({ service: 'backend', class: 'server_self', caller: '', peerKind: 'service', signature: 'bug' });
  const origin = dbFails ? originOf({ signature: draw.isFast ? 'connection refused' : 'timeout' }) : own;
  return {
    traceId,
    startMs,
    arrivesMs,
    entry,
    calls: [
      { client: 'gateway', server: 'backend', failed },
      { client: 'backend', server: 'cache', failed: false, connectionType: 'database', peerKind: 'cache' },
      ...(usesDb
        ? [
            {
              client: 'backend',
              server: 'orders-db',
              failed: dbFails,
              connectionType: 'database',
              peerKind: 'database',
            },
          ]
        : []),
    ],
    failed,
    ...(failed ? { origins: [origin], path: ['gateway', 'backend'] } : {}),
  };
}

/** Feeds deltas by their time of arrival and ticks each second, as the service does. */
export class AlerterRun {
  core: AlerterCore;
  readonly announced: Incident[] = [];
  /** What a compacted state topic holds, encoded as there. */
  readonly stateTopic = new Map<string, Buffer>();
  private readonly rules: Rules;
  private readonly ownership: Ownership;
  private waiting: { atMs: number; delta: ServiceEdgeDelta }[] = [];
  private nowMs = T0;

  constructor(rules: Partial<Rules> = {}, ownership = new Ownership()) {
    this.ownership = ownership;
    this.rules = { ...DEFAULT_RULES, ...rules };
    this.core = new AlerterCore(this.rules, this.ownership);
  }

  add(requests: Iterable<Request>, sign: 1 | -1 = 1): this {
    for (const request of requests) this.addDeltas(request.arrivesMs, deltasOf(request, sign));
    return this;
  }

  addDeltas(atMs: number, deltas: readonly ServiceEdgeDelta[]): this {
    for (const delta of deltas) this.waiting.push({ atMs, delta });
    return this;
  }

  /** @param each called after each second with its number since T0. */
  runUntil(untilMs: number, each: (second: number) => void = () => {}): this {
    const waiting = this.waiting.sort((a, b) => a.atMs - b.atMs);
    let next = 0;
    while (this.nowMs < untilMs) {
      this.nowMs += 1000;
      for (let due = waiting[next]; due !== undefined && due.atMs < this.nowMs; due = waiting[++next]) {
        this.core.apply(due.delta, due.atMs);
      }
      this.announced.push(...this.core.tick(this.nowMs));
      each((this.nowMs - T0) / 1000);
    }
    this.waiting = waiting.slice(next);
    return this;
  }

  /** What a commit writes. */
  checkpoint(): void {
    for (const [key, state] of this.core.takeChanges()) {
      if (state === null) this.stateTopic.delete(key);
      else this.stateTopic.set(key, alerterStateCodec.encode(state));
    }
    this.stateTopic.set('positions', alerterStateCodec.encode(this.core.positions([0])));
  }

  /** The process dies after a commit, and another takes over from the topic. */
  restart(): void {
    this.checkpoint();
    this.core = new AlerterCore(this.rules, this.ownership);
    // A compacted log holds its records in the order of their last writes; any order must do.
    const states: AlerterState[] = [...this.stateTopic.values()].map((value) => alerterStateCodec.decode(value));
    this.core.restore(states.reverse());
  }
}
