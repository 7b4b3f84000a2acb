import type { ErrorOrigin } from '../../../lib/codec/records.ts';
import { SPAN_KIND } from '../../../lib/trace/span-table.ts';
import type { Calls } from './calls.ts';
import { PEER_KINDS, peerKindOf } from './edge-kinds.ts';
import { errorSignature, serviceVersion } from './error-signature.ts';
import { wentWellLater } from './later-attempts.ts';
import { findLostParents } from './lost-parents.ts';
import { mainCause } from './main-cause.ts';
import type { NameTable } from './name-table.ts';
import { OUTCOME } from './span-attributes.ts';
import type { TraceSpans } from './trace-spans.ts';

/**
 * Where the errors of one trace began.
 *
 * A failing span is an origin when none of the spans below it failed that it waited for: same trace, not across a
 * message, and through INTERNAL spans that did not fail themselves. A cancelled call is one only where nothing else
 * failed. Subtrees whose parent was lost are put where they most likely belong (lost-parents.ts). What an origin is
 * blamed on:
 * - `server_self`: a span that serves or is internal → its service and operation.
 * - `client_no_server`: a calling span that nothing answered → the peer that its attributes name.
 * - `timeout_latency`: the callee was fine, but ended after the caller had given up → the span that the wait was for.
 * - `edge`: the callee was fine and in time, or the peer has no name → the way between the two.
 * - `gateway`: a root that answers 502, 503 or 504 and called nobody.
 *
 * An origin is masked when the failure did not reach the top: a later attempt of the same call went well, or a span
 * above, which is not internal, did not fail.
 */
export class ErrorOrigins {
  private readonly names: NameTable;
  private readonly spans: TraceSpans;
  private readonly calls: Calls;
  /** Per row: something below it failed that it waited for. */
  private failsBelow = new Uint8Array(0);
  /** Per row: topmost row above. */
  private top = new Int32Array(0);
  /** Of a subtree whose parent was lost: top → row that it belongs to. */
  private readonly lostParents = new Map<number, number>();
  /** Services of the last climb, origin first. */
  private readonly climbed: string[] = [];
  private onPath = new Uint8Array(0);

  constructor(names: NameTable, spans: TraceSpans, calls: Calls) {
    this.names = names;
    this.spans = spans;
    this.calls = calls;
  }

  /** One entry per topmost span with origins below it; none when nothing failed. */
  find(): TraceFailure[] {
    if (!this.spans.hasFailure) return [];
    this.look();
    const failures = new Map<number, TraceFailure>();
    const cancelled: number[] = [];
    const { order, orderCount } = this.spans.tree;
    for (let i = 0; i < orderCount; i++) {
      const row = order[i] as number;
      if (!this.spans.failed(row) || this.failsBelow[row] !== 0) continue;
      if (this.wasCancelled(row)) cancelled.push(row);
      else this.addOrigin(failures, row);
    }
    // Whoever fails calls off what else is under way: that is a consequence where something failed by itself.
    const failedItself = new Set([...failures.values()].filter(hasVisibleOrigin).map(({ top }) => top));
    for (const row of cancelled) if (!failedItself.has(this.topOf(row))) this.addOrigin(failures, row);
    for (const failure of failures.values()) {
      completeOrigins(failure.origins);
      failure.path = this.pathBelow(failure);
    }
    return [...failures.values()];
  }

  /** Bottom up what fails below, top down who is on top. */
  private look(): void {
    const { spans } = this;
    const { order, orderCount, parent } = spans.tree;
    this.reserve(spans.table.count);
    for (let i = orderCount - 1; i >= 0; i--) {
      const row = order[i] as number;
      const above = parent[row] as number;
      if (above < 0 || spans.table.kind[row] === SPAN_KIND.consumer) continue;
      if (this.fails(row)) this.failsBelow[above] = 1;
    }
    for (let i = 0; i < orderCount; i++) {
      const row = order[i] as number;
      const above = parent[row] as number;
      this.top[row] = above < 0 ? row : (this.top[above] as number);
    }
    findLostParents(spans, this.calls, this.top, this.failsBelow, this.lostParents);
    for (const [orphan, above] of this.lostParents) if (this.fails(orphan)) this.failAbove(above);
  }

  /** As the waiting caller sees it. */
  private fails(row: number): boolean {
    return this.spans.failed(row) || (this.spans.isInternal(row) && this.failsBelow[row] !== 0);
  }

  private failAbove(from: number): void {
    for (let row = from; row >= 0 && this.failsBelow[row] === 0; row = this.parentOf(row)) {
      this.failsBelow[row] = 1;
      if (this.spans.table.kind[row] === SPAN_KIND.consumer || !this.fails(row)) return;
    }
  }

  private parentOf(row: number): number {
    const parent = this.spans.tree.parent[row] as number;
    return parent >= 0 ? parent : (this.lostParents.get(row) ?? -1);
  }

  private topOf(row: number): number {
    let top = this.top[row] as number;
    for (let hops = 0; hops <= this.lostParents.size; hops++) {
      const above = this.lostParents.get(top);
      if (above === undefined) break;
      top = this.top[above] as number;
    }
    return top;
  }

  private wasCancelled(row: number): boolean {
    return ((this.spans.outcome[row] as number) & OUTCOME.cancelled) !== 0;
  }

  private addOrigin(failures: Map<number, TraceFailure>, row: number): void {
    const top = this.topOf(row);
    let failure = failures.get(top);
    if (failure === undefined) {
      failure = { top, origins: [], path: [] };
      failures.set(top, failure);
    }
    const { origins } = failure;
    const blamed = this.blame(row);
    const masked = this.climb(row);
    const same = origins.find(
      (origin) =>
        origin.service === blamed.service &&
        origin.operation === blamed.operation &&
        origin.caller === blamed.caller &&
        origin.class === blamed.class,
    );
    const path = [...new Set([...this.climbed.reverse(), blamed.service])];
    if (same !== undefined) {
      same.masked &&= masked;
      same.path = [...new Set([...same.path, ...path])];
      return;
    }
    if (origins.length >= ORIGINS_PER_TRACE_MAX) return;
    const { bytes, table } = this.spans;
    const spanIdAt = table.spanId[row] as number;
    origins.push({
      ...blamed,
      weight: 1,
      masked,
      spanId: bytes.hexSlice(spanIdAt, spanIdAt + 8),
      signature: errorSignature(this.spans, row),
      path,
    });
  }

  private blame(row: number): Blamed {
    const { spans, calls } = this;
    if (!spans.calls(row)) {
      const isGateway =
        spans.tree.isRoot(row) &&
        (spans.tree.firstChild[row] as number) < 0 &&
        ((spans.outcome[row] as number) & OUTCOME.gateway) !== 0;
      return this.blameSpan(isGateway ? 'gateway' : 'server_self', row, -1);
    }
    const server = calls.servedBy[row] as number;
    if (server < 0) {
      return (calls.peerCall[row] as number) >= 0
        ? this.blamePeer('client_no_server', row)
        : this.blameSpan('edge', row, -1);
    }
    if (spans.table.kind[server] === SPAN_KIND.consumer) return this.blameSpan('edge', row, -1);
    const cause = mainCause(spans, row, server);
    if (cause < 0) return this.blameSpan('edge', server, row);
    const isPeer = spans.calls(cause) && (calls.peerCall[cause] as number) >= 0;
    return isPeer ? this.blamePeer('timeout_latency', cause) : this.blameSpan('timeout_latency', cause, row);
  }

  /** @param caller row whose span recorded the error when the blamed one is of another service, or -1. */
  private blameSpan(errorClass: ErrorOrigin['class'], row: number, caller: number): Blamed {
    const { spans, names } = this;
    const service = spans.service[row] as number;
    const isOther = caller >= 0 && spans.service[caller] !== service;
    return {
      service: names.serviceName(service),
      operation: names.operationName(spans.enclosing[row] as number),
      caller: isOther ? names.serviceName(spans.service[caller] as number) : '',
      class: errorClass,
      peerKind: PEER_KINDS[0],
      version: serviceVersion(spans, row),
    };
  }

  private blamePeer(errorClass: ErrorOrigin['class'], row: number): Blamed {
    const { spans, names, calls } = this;
    const call = calls.peerCall[row] as number;
    const operation = calls.serverOperation[call] as number;
    return {
      service: names.serviceName(names.serviceOf(operation)),
      operation: names.operationName(operation),
      caller: names.serviceName(spans.service[row] as number),
      class: errorClass,
      peerKind: peerKindOf(calls.packed[call] as number),
      version: '',
    };
  }

  /** Marks the spans that the failure went up through, and answers whether it was masked on the way. */
  private climb(origin: number): boolean {
    const { spans } = this;
    let row = origin;
    this.climbed.length = 0;
    for (let climbed = 0; climbed < spans.table.count; climbed++) {
      this.onPath[row] = 1;
      this.climbed.push(this.names.serviceName(spans.service[row] as number));
      if (spans.calls(row) && wentWellLater(spans, this.calls, row)) return true;
      // The consumer of a message works for itself: that the sender is fine masks nothing.
      if (spans.table.kind[row] === SPAN_KIND.consumer) return false;
      const above = this.parentOf(row);
      if (above < 0) return !spans.failed(row);
      if (!spans.failed(above) && !spans.isInternal(above)) return true;
      row = above;
    }
    return true;
  }

  /** Services that the failures went through, entry first, then what is blamed and has no spans. */
  private pathBelow(failure: TraceFailure): string[] {
    const { spans, names } = this;
    const services = new Set<string>();
    const { order, orderCount } = spans.tree;
    for (let i = 0; i < orderCount && services.size < PATH_SERVICES_MAX; i++) {
      const row = order[i] as number;
      if (this.onPath[row] !== 0 && this.topOf(row) === failure.top) {
        services.add(names.serviceName(spans.service[row] as number));
      }
    }
    for (const origin of failure.origins) services.add(origin.service);
    return [...services];
  }

  private reserve(rows: number): void {
    if (rows > this.top.length) {
      const size = Math.max(ROWS_AT_FIRST, 2 ** Math.ceil(Math.log2(rows)));
      this.failsBelow = new Uint8Array(size);
      this.top = new Int32Array(size);
      this.onPath = new Uint8Array(size);
    }
    this.failsBelow.fill(0, 0, rows);
    this.onPath.fill(0, 0, rows);
  }
}

/** The origins under one topmost span. */
export interface TraceFailure {
  readonly top: number;
  readonly origins: ErrorOrigin[];
  path: string[];
}

type Blamed = Pick<ErrorOrigin, 'service' | 'operation' | 'caller' | 'class' | 'peerKind' | 'version'>;

function hasVisibleOrigin({ origins }: TraceFailure): boolean {
  return origins.some(({ masked }) => !masked);
}

function completeOrigins(origins: ErrorOrigin[]): void {
  for (const origin of origins) {
    origin.weight = 1 / origins.length;
    // Then the path of the trace is its own.
    if (origins.length === 1 || origin.path.length > PATH_SERVICES_MAX) origin.path = [];
  }
}

/** Further culprits of one trace are left out. */
const ORIGINS_PER_TRACE_MAX = 16;
const PATH_SERVICES_MAX = 64;
const ROWS_AT_FIRST = 256;
