import { SPAN_KIND } from '../../../lib/trace/span-table.ts';
import { CallTable } from './call-table.ts';
import { CONFIDENCE, CONNECTION, PEER, packEdge } from './edge-kinds.ts';
import { linkedSpans } from './linked-spans.ts';
import { type NameTable, SERVICES_MAX } from './name-table.ts';
import type { TraceSpans } from './trace-spans.ts';

/**
 * The calls between services that the spans of one trace show, found inside the whole trace: so neither shared ids, nor
 * INTERNAL spans in between, nor a consumer that comes hours later part the two sides of one.
 *
 * In order of precedence:
 * 1. A serving span and the nearest span above it, INTERNAL ones of its own service passed over: a calling span makes
 *    the pair exact; a span of any other kind back-fills the call that nobody recorded.
 * 2. A span that does not serve, under a span of another service, back-fills the serving span that is missing.
 * 3. A calling span that nothing answered goes to the peer that its attributes name: database, cache, queue, external.
 *    Of nested calling spans of one service the outer counts when it names a database or a queue, else the inner.
 * 4. A queue is a node: PRODUCER → queue, queue → CONSUMER. Only a queue that neither side names is left out.
 *    A consumer of a batch, or a server, that no calling span is above is linked to the calling spans that it links to.
 * 5. A root that serves is called by whom `peer.service` names, else by `user`. An orphan's caller is not guessed.
 */
export class Calls extends CallTable {
  /** Per row: the span that answered a calling span, or -1. */
  servedBy = new Int32Array(0);
  /** Per row: the call of a calling span to a peer without spans, or -1. */
  peerCall = new Int32Array(0);
  /** Per row: whom `peerCall` calls; only where there is one. */
  peerService = new Int32Array(0);

  private readonly names: NameTable;
  /** Per row: nearest row above that is not an INTERNAL span of the same service, or -1. */
  private above = new Int32Array(0);
  /** Per row: the calling span of the same service that a calling span is inside, or -1. */
  private wrappedBy = new Int32Array(0);
  /** Bits of WRAP. */
  private wrapping = new Uint8Array(0);
  /** Per calling row that names no queue: the queue that its consumer names, or -1. */
  private queue = new Int32Array(0);
  /** Per row: its first call as the client, or -1. */
  private firstCall = new Int32Array(0);
  /** Back-filled already: calling row × SERVICES_MAX + service. */
  private readonly backFilled = new Set<number>();
  /** Spans that sent what the span at hand consumed. */
  private readonly senders: number[] = [];

  constructor(names: NameTable, spans: TraceSpans) {
    super(spans);
    this.names = names;
  }

  link(): void {
    const { tree } = this.spans;
    this.reserve(this.spans.table.count);
    this.clearCalls();
    if (this.backFilled.size > 0) this.backFilled.clear();
    for (let i = 0; i < tree.orderCount; i++) this.linkServing(tree.order[i] as number);
    for (let i = 0; i < tree.orderCount; i++) this.backFill(tree.order[i] as number);
    for (let i = 0; i < tree.orderCount; i++) this.linkToPeer(tree.order[i] as number);
  }

  // ---- 1, 4, 5: from the serving side ------------------------------------------------------------------------------

  private linkServing(row: number): void {
    const { spans } = this;
    const parent = spans.tree.parent[row] as number;
    const isLocal = parent >= 0 && spans.isInternal(parent) && spans.service[parent] === spans.service[row];
    const above = isLocal ? (this.above[parent] as number) : parent;
    this.above[row] = above;
    if (spans.serves(row)) {
      if (above < 0 || !spans.calls(above)) this.findLinkedCallers(row);
      else this.senders.length = 0;
      if (spans.table.kind[row] === SPAN_KIND.consumer) this.linkConsumer(row, above, CONFIDENCE.virtual);
      else if (this.senders.length > 0) for (const caller of this.senders) this.pairRpc(row, caller);
      else if (above < 0) this.linkFirstServer(row, parent);
      else if (spans.calls(above)) this.pairRpc(row, above);
      else this.addBackFilled(above, row);
    } else if (above >= 0 && spans.calls(row) && spans.calls(above) && spans.service[above] === spans.service[row]) {
      this.wrappedBy[row] = above;
      this.wrapping[above] = (this.wrapping[above] as number) | WRAP.wraps;
    }
  }

  private pairRpc(server: number, client: number): void {
    this.pair(server, client, CONNECTION.rpc, CONFIDENCE.exact);
  }

  /** Whoever called without being a parent: a consumer of a batch links to the spans that sent its messages. */
  private findLinkedCallers(row: number): void {
    linkedSpans(this.spans, row, this.senders);
    for (let i = this.senders.length - 1; i >= 0; i--) {
      if (!this.spans.calls(this.senders[i] as number)) this.senders.splice(i, 1);
    }
  }

  private linkFirstServer(row: number, parent: number): void {
    const { spans, names } = this;
    // Inside an INTERNAL root of its own service nobody called it.
    if (parent >= 0) return;
    const isOrphan = spans.tree.isOrphan(row);
    const named = spans.findPeer(row);
    if (isOrphan && named < 0) return;
    const caller = named >= 0 ? named : names.serviceNamed(USER);
    const packed = packEdge(CONNECTION.virtual, PEER.service, isOrphan ? CONFIDENCE.orphan : CONFIDENCE.virtual);
    this.add(-1, row, row, names.operationNamed(caller, ''), spans.operation[row] as number, packed);
  }

  /** @param above the span that sent the message, or whatever stands there. */
  private linkConsumer(row: number, above: number, confidence: number): void {
    const { spans, names } = this;
    const isInsideConsumer =
      above >= 0 && spans.table.kind[above] === SPAN_KIND.consumer && spans.service[above] === spans.service[row];
    if (isInsideConsumer) return;
    const { senders } = this;
    if (above >= 0 && spans.calls(above)) senders.push(above);
    let queue = this.queueOf(row);
    for (const sender of senders) queue ??= this.queueOf(sender);
    if (queue === undefined) {
      for (const sender of senders) this.pair(row, sender, CONNECTION.messaging, CONFIDENCE.exact);
      return;
    }
    for (const sender of senders) this.queue[sender] = queue;
    const packed = packEdge(CONNECTION.messaging, PEER.service, confidence);
    const call = this.add(-1, row, row, names.operationNamed(queue, ''), spans.operation[row] as number, packed);
    for (const sender of senders) this.addMessage(call, sender);
  }

  private queueOf(row: number): number | undefined {
    const peer = this.spans.findPeer(row);
    return peer >= 0 && this.spans.connectionOfPeer(row) === CONNECTION.messaging ? peer : undefined;
  }

  private pair(server: number, client: number, connection: number, confidence: number): void {
    const { spans } = this;
    const packed = packEdge(connection, PEER.service, confidence);
    const isMessage = connection === CONNECTION.messaging;
    const clientOperation = spans.enclosing[client] as number;
    const serverOperation = spans.operation[server] as number;
    const first = this.firstCall[client] as number;
    if (first < 0) {
      const call = this.add(client, server, client, clientOperation, serverOperation, packed);
      this.firstCall[client] = call;
      if (isMessage) this.addMessage(call, client);
      this.markServed(client, server);
      return;
    }
    // A calling span that several servers answered: each is a call, the client's side belongs to the first of them,
    // and its failure to that one only when none of the servers failed.
    const call = this.add(-1, server, server, clientOperation, serverOperation, packed);
    if (isMessage) this.addMessage(call, client);
    if (spans.failed(server)) this.outcome[first] = spans.outcome[this.serverRow[first] as number] as number;
  }

  private markServed(client: number, server: number): void {
    this.servedBy[client] = server;
    for (let outer = this.wrappedBy[client] as number; outer >= 0; outer = this.wrappedBy[outer] as number) {
      if (((this.wrapping[outer] as number) & WRAP.innerServed) !== 0) break;
      this.wrapping[outer] = (this.wrapping[outer] as number) | WRAP.innerServed;
    }
  }

  // ---- 2: the serving span is missing ------------------------------------------------------------------------------

  private backFill(row: number): void {
    const { spans } = this;
    const parent = spans.tree.parent[row] as number;
    if (parent < 0 || spans.serves(row) || spans.service[parent] === spans.service[row]) return;
    if (spans.table.kind[parent] === SPAN_KIND.producer && this.queueOf(parent) !== undefined) {
      this.senders.length = 0;
      if (this.isFirstOfService(parent, row)) this.linkConsumer(row, parent, CONFIDENCE.backFilled);
    } else if (spans.calls(parent)) {
      if ((this.servedBy[parent] as number) < 0) this.pair(row, parent, CONNECTION.rpc, CONFIDENCE.backFilled);
    } else if (this.isFirstOfService(parent, row)) {
      this.addBackFilled(parent, row);
    }
  }

  /** Several spans of one service under one span may be one call: counted as one rather than too many. */
  private isFirstOfService(parent: number, row: number): boolean {
    const key = parent * SERVICES_MAX + (this.spans.service[row] as number);
    if (this.backFilled.has(key)) return false;
    this.backFilled.add(key);
    return true;
  }

  private addBackFilled(caller: number, row: number): void {
    const packed = packEdge(CONNECTION.rpc, PEER.service, CONFIDENCE.backFilled);
    this.add(-1, row, row, this.spans.enclosing[caller] as number, this.spans.operation[row] as number, packed);
  }

  // ---- 3: nothing answered -----------------------------------------------------------------------------------------

  private linkToPeer(row: number): void {
    const { spans } = this;
    if (!spans.calls(row)) return;
    const outer = this.wrappedBy[row] as number;
    if (outer >= 0 && ((this.wrapping[outer] as number) & WRAP.covers) !== 0) {
      this.peerCall[row] = this.peerCall[outer] as number;
      this.peerService[row] = this.peerService[outer] as number;
      this.wrapping[row] = (this.wrapping[row] as number) | WRAP.covers;
      return;
    }
    if ((this.servedBy[row] as number) >= 0) return;
    const wrapping = this.wrapping[row] as number;
    if ((wrapping & WRAP.innerServed) !== 0) return;
    const peer = spans.findPeer(row);
    if ((wrapping & WRAP.wraps) === 0) {
      if (peer >= 0) this.addPeer(row, peer);
      else if ((this.queue[row] as number) >= 0)
        this.addPeer(row, this.queue[row] as number, CONNECTION.messaging, PEER.queue);
    } else if (peer >= 0 && spans.connectionOfPeer(row) !== CONNECTION.virtual) {
      this.addPeer(row, peer);
      this.wrapping[row] = wrapping | WRAP.covers;
    }
  }

  private addPeer(
    row: number,
    peer: number,
    connection = this.spans.connectionOfPeer(row),
    kind = this.spans.kindOfPeer(row),
  ): void {
    const { spans, names } = this;
    const { nameStart, nameEnd } = spans.table;
    const operation = names.operation(peer, spans.bytes, nameStart[row] as number, nameEnd[row] as number);
    const packed = packEdge(connection, kind, CONFIDENCE.virtual);
    this.peerService[row] = peer;
    this.peerCall[row] = this.add(row, -1, row, spans.enclosing[row] as number, operation, packed);
  }

  private reserve(rows: number): void {
    if (rows > this.servedBy.length) {
      const size = Math.max(ROWS_AT_FIRST, 2 ** Math.ceil(Math.log2(rows)));
      this.servedBy = new Int32Array(size);
      this.peerCall = new Int32Array(size);
      this.peerService = new Int32Array(size);
      this.above = new Int32Array(size);
      this.wrappedBy = new Int32Array(size);
      this.wrapping = new Uint8Array(size);
      this.queue = new Int32Array(size);
      this.firstCall = new Int32Array(size);
    }
    this.servedBy.fill(-1, 0, rows);
    this.peerCall.fill(-1, 0, rows);
    this.wrappedBy.fill(-1, 0, rows);
    this.wrapping.fill(0, 0, rows);
    this.queue.fill(-1, 0, rows);
    this.firstCall.fill(-1, 0, rows);
  }
}

/** Who calls an entry when nothing names the caller; Tempo's word. */
export const USER = 'user';

/** wraps: has a calling span of its service inside. innerServed: one of them was answered. covers: counts for them. */
const WRAP = { wraps: 1, innerServed: 2, covers: 4 } as const;
const ROWS_AT_FIRST = 256;
