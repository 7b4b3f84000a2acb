import type { Attributes, SpanKind } from '../../../lib/testkit/traffic/otlp-encode.ts';
import type { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import type { Effect, Fault } from './fault.ts';
import { drawId, type MadeSpan } from './made-span.ts';
import type { CallStep, Operation, Peer, PeerStep, PublishStep, Step } from './system.ts';

/** What a request came to, and what each fault had to do with it. Known from the simulation, never from its spans. */
export interface RequestOutcome {
  readonly entry: Operation;
  readonly startMs: number;
  readonly failed: boolean;
  readonly hits: ReadonlyMap<Fault, Hit>;
}

export interface Hit {
  /** Services that saw calls fail because of it. */
  readonly services: Set<string>;
  /** The request failed because of it. */
  failsRequest: boolean;
}

export interface RequestOptions {
  readonly random: SeededRandom;
  readonly faults: readonly Fault[];
  /** Version of a service as its spans tell it. */
  readonly version: string;
  readonly startMs: number;
  /** The caller hangs up or, when `isUsers` is false, the entry gives up after so long; everything below is cancelled. */
  readonly cancelled?: { readonly afterMs: number; readonly isUsers: boolean };
}

export function simulateRequest(
  entry: Operation,
  options: RequestOptions,
): { outcome: RequestOutcome; spans: MadeSpan[] } {
  const simulation = new RequestSimulation(entry, options);
  return { outcome: simulation.run(), spans: simulation.spans };
}

/** How a call or an operation went. */
interface Result {
  readonly endMs: number;
  readonly failed: boolean;
  readonly cancelled: boolean;
  /** Faults that made it fail, and faults that made it slow. */
  readonly failedBy: ReadonlySet<Fault>;
  readonly slowedBy: ReadonlySet<Fault>;
}

class RequestSimulation {
  readonly spans: MadeSpan[] = [];
  private readonly entry: Operation;
  private readonly options: RequestOptions;
  private readonly random: SeededRandom;
  private readonly traceId: Uint8Array;
  private readonly deadlineMs: number;
  private readonly hits = new Map<Fault, Hit>();

  constructor(entry: Operation, options: RequestOptions) {
    this.entry = entry;
    this.options = options;
    this.random = options.random;
    this.traceId = drawId(options.random, 16);
    this.deadlineMs = options.startMs + (options.cancelled?.afterMs ?? Number.POSITIVE_INFINITY);
  }

  run(): RequestOutcome {
    const { entry, options } = this;
    const result = this.serve(entry, options.startMs, undefined, 'server', undefined, undefined);
    const failed = result.failed && !(result.cancelled && options.cancelled?.isUsers === true);
    if (failed) for (const fault of result.failedBy) this.hit(fault).failsRequest = true;
    return { entry, startMs: options.startMs, failed, hits: this.hits };
  }

  /** The serving or consuming side: its own work, and one step after another. */
  private serve(
    operation: Operation,
    startMs: number,
    parent: MadeSpan | undefined,
    kind: SpanKind,
    effect: Effect | undefined,
    fault: Fault | undefined,
  ): Result {
    const { random, deadlineMs } = this;
    const { service } = operation;
    const version = effect !== undefined && 'version' in effect ? effect.version : undefined;
    const span = this.begin(service.name, kind, operation.name, startMs, parent, version);
    const slowedBy = new Set<Fault>();
    let nowMs = startMs + random.logNormal(operation.medianMs, 0.5);
    if (effect?.kind === 'slow') {
      nowMs += effect.byMs * random.between(0.7, 1.3);
      slowedBy.add(fault as Fault);
    }
    let outcome: Failure | undefined;
    if (random.chance(operation.baseErrors)) outcome = { by: NONE, says: 'unexpected state' };
    if (effect?.kind === 'fails') outcome = { by: new Set([fault as Fault]), says: 'IllegalStateException' };
    for (const step of outcome === undefined ? operation.steps : []) {
      if (nowMs >= deadlineMs || !random.chance(step.share)) continue;
      const result = this.take(step, operation, nowMs, span);
      nowMs = result.endMs + random.between(0.05, 0.3);
      for (const by of result.slowedBy) slowedBy.add(by);
      if (!result.failed) continue;
      for (const by of result.failedBy) this.hit(by).services.add(service.name);
      if ('isOptional' in step && step.isOptional && !result.cancelled) continue;
      outcome = { by: result.failedBy, says: 'dependency failed' };
      break;
    }
    const isCancelled = nowMs >= deadlineMs;
    if (isCancelled) {
      nowMs = Math.max(startMs + 0.1, deadlineMs + random.between(0.2, 4));
      outcome = { by: new Set([...(outcome?.by ?? []), ...slowedBy]), says: 'cancelled' };
    }
    this.end(span, nowMs, this.servedAs(operation, kind, outcome, isCancelled));
    if (outcome !== undefined && !(isCancelled && (parent !== undefined || this.options.cancelled?.isUsers === true))) {
      span.error = outcome.says;
    }
    return {
      endMs: nowMs,
      failed: outcome !== undefined,
      cancelled: isCancelled,
      failedBy: outcome?.by ?? NONE,
      slowedBy,
    };
  }

  private servedAs(
    operation: Operation,
    kind: SpanKind,
    failed: Failure | undefined,
    isCancelled: boolean,
  ): Attributes {
    if (kind === 'consumer') {
      return { 'messaging.system': 'kafka', 'messaging.destination.name': `${operation.service.name}-events` };
    }
    if (isCancelled && operation !== this.entry)
      return { 'rpc.system': 'grpc', 'rpc.grpc.status_code': GRPC_CANCELLED };
    if (isCancelled && this.options.cancelled?.isUsers === true) return { 'http.request.method': 'GET' };
    const isEntry = operation === this.entry;
    const status =
      failed === undefined ? 200 : isCancelled ? 504 : operation.service.isProxy ? 503 : isEntry ? 502 : 500;
    return { 'http.request.method': isEntry ? 'GET' : 'POST', 'http.response.status_code': status };
  }

  private take(step: Step, from: Operation, atMs: number, parent: MadeSpan): Result {
    if (step.kind === 'publish') return this.publish(step, from, atMs, parent);
    if (!step.isWrapped || from.service.isProxy) return this.attempts(step, from, atMs, parent);
    const inner = this.begin(from.service.name, 'internal', `do ${from.service.name}`, atMs, parent);
    const result = this.attempts(step, from, atMs + 0.05, inner);
    this.end(inner, result.endMs + 0.02, {});
    return { ...result, endMs: result.endMs + 0.03 };
  }

  private attempts(step: CallStep | PeerStep, from: Operation, atMs: number, parent: MadeSpan): Result {
    const slowedBy = new Set<Fault>();
    let result: Result | undefined;
    let nowMs = atMs;
    for (let attempt = 1; attempt <= step.attempts; attempt++) {
      result = step.kind === 'call' ? this.call(step, from, nowMs, parent) : this.ask(step.peer, from, nowMs, parent);
      for (const by of result.slowedBy) slowedBy.add(by);
      if (!result.failed || result.cancelled || result.endMs >= this.deadlineMs) break;
      // A retry hides the failure from whoever called, not from the caller itself.
      for (const by of result.failedBy) this.hit(by).services.add(from.service.name);
      nowMs = result.endMs + this.random.between(5, 30);
    }
    return { ...(result as Result), slowedBy };
  }

  /** One attempt to call an operation of another service. */
  private call({ to, timeoutMs }: CallStep, from: Operation, atMs: number, parent: MadeSpan): Result {
    const [effect, fault] = this.strike(from.service.name, to.service.name, to.name, atMs);
    const isProxy = from.service.isProxy;
    const client = isProxy ? undefined : this.begin(from.service.name, 'client', 'POST', atMs, parent);
    const own = fault === undefined ? NONE : new Set([fault]);
    let servedMs: number | undefined;
    let result: Result;
    if (effect?.kind === 'refused') result = failure(atMs + this.random.between(0.3, 2), own, NONE);
    else if (effect?.kind === 'hangs') {
      result = failure(atMs + Math.min(timeoutMs, effect.forMs), own, own);
    } else {
      const wayMs = this.random.between(0.1, 0.6) + (effect?.kind === 'far' ? effect.byMs / 2 : 0);
      const served = this.serve(to, atMs + wayMs, client ?? parent, 'server', effect, fault);
      servedMs = served.endMs;
      const lost = effect?.kind === 'lost';
      result = {
        ...served,
        endMs: served.endMs + wayMs,
        failed: served.failed || lost,
        failedBy: lost ? new Set([...served.failedBy, ...own]) : served.failedBy,
        slowedBy: effect?.kind === 'far' ? new Set([...served.slowedBy, ...own]) : served.slowedBy,
      };
    }
    if (result.endMs > atMs + timeoutMs && !result.cancelled) {
      result = { ...failure(atMs + timeoutMs, result.slowedBy, result.slowedBy), endMs: atMs + timeoutMs };
    }
    const isCancelled = result.endMs > this.deadlineMs;
    if (isCancelled) {
      const by = new Set([...result.failedBy, ...result.slowedBy]);
      result = {
        endMs: Math.max(atMs + 0.05, this.deadlineMs),
        failed: true,
        cancelled: true,
        failedBy: by,
        slowedBy: by,
      };
    }
    if (client !== undefined)
      this.endClient(client, result, { to, effect, isCancelled, isServed: servedMs !== undefined });
    return result;
  }

  private endClient(
    client: MadeSpan,
    { endMs, failed }: Result,
    how: { to: Operation; effect: Effect | undefined; isCancelled: boolean; isServed: boolean },
  ): void {
    const { to, effect, isCancelled, isServed } = how;
    const address = { 'server.address': to.service.name, 'http.request.method': 'POST' };
    if (isCancelled) {
      const code = client.parentSpanId === this.spans[0]?.spanId ? GRPC_DEADLINE_EXCEEDED : GRPC_CANCELLED;
      this.end(client, endMs, {
        'rpc.system': 'grpc',
        'server.address': to.service.name,
        'rpc.grpc.status_code': code,
      });
      client.error = 'cancelled';
      return;
    }
    const isAnswered = isServed && effect?.kind !== 'lost' && failed;
    this.end(client, endMs, {
      ...address,
      ...(failed ? (isAnswered ? { 'http.response.status_code': 500 } : {}) : { 'http.response.status_code': 200 }),
      ...(failed && !isAnswered ? { 'error.type': effect?.kind === 'refused' ? 'ECONNREFUSED' : 'ETIMEDOUT' } : {}),
    });
    if (failed) client.error = isAnswered ? 'server error' : 'no answer';
  }

  /** A call to a peer that makes no spans. */
  private ask(peer: Peer, from: Operation, atMs: number, parent: MadeSpan): Result {
    const { random } = this;
    const [effect, fault] = this.strike(from.service.name, peer.name, '', atMs);
    const own = fault === undefined ? NONE : new Set([fault]);
    const span = this.begin(from.service.name, 'client', peer.kind === 'external' ? 'POST' : 'query', atMs, parent);
    const usualMs = random.logNormal(peer.kind === 'cache' ? 0.4 : 3, 0.5);
    let result: Result = { endMs: atMs + usualMs, failed: false, cancelled: false, failedBy: NONE, slowedBy: NONE };
    if (effect?.kind === 'hangs') result = failure(atMs + effect.forMs, own, own);
    else if (effect?.kind === 'slow') result = { ...result, endMs: result.endMs + effect.byMs, slowedBy: own };
    else if (effect !== undefined) result = failure(atMs + random.between(0.3, 2), own, NONE);
    const isCancelled = result.endMs > this.deadlineMs;
    if (isCancelled) {
      const by = new Set([...result.failedBy, ...result.slowedBy]);
      result = {
        endMs: Math.max(atMs + 0.05, this.deadlineMs),
        failed: true,
        cancelled: true,
        failedBy: by,
        slowedBy: by,
      };
    }
    this.end(span, result.endMs, {
      ...(peer.kind === 'external' ? {} : { 'db.system.name': peer.kind === 'cache' ? 'redis' : 'postgresql' }),
      'server.address': peer.name,
      ...(result.failed
        ? { 'error.type': effect?.kind === 'hangs' ? 'SocketTimeoutException' : 'ConnectException' }
        : {}),
    });
    if (result.failed) span.error = 'no answer';
    return result;
  }

  private publish({ queue, to }: PublishStep, from: Operation, atMs: number, parent: MadeSpan): Result {
    const { random } = this;
    const destination = { 'messaging.system': 'kafka', 'messaging.destination.name': queue };
    const producer = this.begin(from.service.name, 'producer', `send ${queue}`, atMs, parent);
    const endMs = atMs + random.logNormal(1.5, 0.4);
    this.end(producer, endMs, destination);
    const consumedMs = endMs + random.exponential(400);
    const [effect, fault] = this.strike(from.service.name, to.service.name, to.name, consumedMs);
    if (effect === undefined || effect.kind === 'fails' || effect.kind === 'slow') {
      this.serve(to, consumedMs, producer, 'consumer', effect, fault);
    }
    return { endMs, failed: false, cancelled: false, failedBy: NONE, slowedBy: NONE };
  }

  private strike(caller: string, callee: string, operation: string, atMs: number): [Effect?, Fault?] {
    for (const fault of this.options.faults) {
      const effect = fault.strike({ caller, callee, operation, atMs }, this.random);
      if (effect === undefined) continue;
      if (effect.kind !== 'deployed') this.hit(fault);
      return [effect, fault];
    }
    return [];
  }

  private hit(fault: Fault): Hit {
    let hit = this.hits.get(fault);
    if (hit === undefined) {
      hit = { services: new Set(), failsRequest: false };
      this.hits.set(fault, hit);
    }
    return hit;
  }

  private begin(
    service: string,
    kind: SpanKind,
    name: string,
    startMs: number,
    parent: MadeSpan | undefined,
    version = parent?.service === service ? parent.version : this.options.version,
  ): MadeSpan {
    const span: MadeSpan = {
      ...{ service, version, kind, name, startMs, traceId: this.traceId, spanId: drawId(this.random, 8) },
      ...{ parentSpanId: parent?.spanId, endMs: startMs, attributes: {}, error: undefined },
    };
    this.spans.push(span);
    return span;
  }

  private end(span: MadeSpan, endMs: number, attributes: Attributes): void {
    span.endMs = endMs;
    span.attributes = attributes;
  }
}

interface Failure {
  readonly by: ReadonlySet<Fault>;
  /** Status message. */
  readonly says: string;
}

const NONE: ReadonlySet<Fault> = new Set();
const GRPC_CANCELLED = 1;
const GRPC_DEADLINE_EXCEEDED = 4;

function failure(endMs: number, failedBy: ReadonlySet<Fault>, slowedBy: ReadonlySet<Fault>): Result {
  return { endMs, failed: true, cancelled: false, failedBy, slowedBy };
}
