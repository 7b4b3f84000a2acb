import { SPAN_KIND } from '../../../lib/trace/span-table.ts';
import { CONFIDENCE, CONNECTION, PEER, packEdge } from './edge-kinds.ts';
import { type NameTable, SERVICES_MAX } from './name-table.ts';
import { OUTCOME } from './span-attributes.ts';
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
 * 5. A root that serves is called by whom `peer.service` names, else by `user`. An orphan's caller is not guessed.
 */
export class Calls {
  count = 0;
  /** Calling span, or -1. */
  clientRow = new Int32Array(CALLS_AT_FIRST);
  /** Serving span, or -1. */
  serverRow = new Int32Array(CALLS_AT_FIRST);
  /** Span whose start is the call's. */
  startRow = new Int32Array(CALLS_AT_FIRST);
  /** Span that sent the message which the serving span consumed, or -1. */
  senderRow = new Int32Array(CALLS_AT_FIRST);
  clientOperation = new Int32Array(CALLS_AT_FIRST);
  serverOperation = new Int32Array(CALLS_AT_FIRST);
  /** Connection, peer kind and confidence, see edge-kinds.ts. */
  packed = new Uint16Array(CALLS_AT_FIRST);
  /** Bits of OUTCOME: failed when either side did. */
  outcome = new Uint8Array(CALLS_AT_FIRST);

  /** Per row: the span that answered a calling span, or -1. */
  servedBy = new Int32Array(0);
  /** Per row: the call of a calling span to a peer without spans, or -1. */
  peerCall = new Int32Array(0);

  private readonly names: NameTable;
  private spans: TraceSpans;
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

  constructor(names: NameTable, spans: TraceSpans) {
    this.names = names;
    this.spans = spans;
  }

  link(): void {
    const { tree } = this.spans;
    this.reserve(this.spans.table.count);
    this.count = 0;
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
      if (spans.table.kind[row] === SPAN_KIND.consumer) this.linkConsumer(row, above, CONFIDENCE.virtual);
      else if (above < 0) this.linkFirstServer(row, parent);
      else if (spans.calls(above)) this.pair(row, above, CONNECTION.rpc, CONFIDENCE.exact);
      else this.addBackFilled(above, row);
    } else if (above >= 0 && spans.calls(row) && spans.calls(above) && spans.service[above] === spans.service[row]) {
      this.wrappedBy[row] = above;
      this.wrapping[above] = (this.wrapping[above] as number) | WRAP.wraps;
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
    const sender = above >= 0 && spans.calls(above) ? above : -1;
    const queue = this.queueOf(row) ?? (sender >= 0 ? this.queueOf(sender) : undefined);
    if (queue === undefined) {
      if (sender >= 0) this.pair(row, sender, CONNECTION.messaging, CONFIDENCE.exact);
      return;
    }
    if (sender >= 0) this.queue[sender] = queue;
    const packed = packEdge(CONNECTION.messaging, PEER.service, confidence);
    const call = this.add(-1, row, row, names.operationNamed(queue, ''), spans.operation[row] as number, packed);
    this.senderRow[call] = sender;
  }

  private queueOf(row: number): number | undefined {
    const peer = this.spans.findPeer(row);
    return peer >= 0 && this.spans.connectionOfPeer(row) === CONNECTION.messaging ? peer : undefined;
  }

  private pair(server: number, client: number, connection: number, confidence: number): void {
    const { spans } = this;
    const packed = packEdge(connection, PEER.service, confidence);
    const sender = connection === CONNECTION.messaging ? client : -1;
    const clientOperation = spans.enclosing[client] as number;
    const serverOperation = spans.operation[server] as number;
    const first = this.firstCall[client] as number;
    if (first < 0) {
      const call = this.add(client, server, client, clientOperation, serverOperation, packed);
      this.firstCall[client] = call;
      this.senderRow[call] = sender;
      this.markServed(client, server);
      return;
    }
    // A calling span that several servers answered: each is a call, the client's side belongs to the first of them,
    // and its failure to that one only when none of the servers failed.
    const call = this.add(-1, server, server, clientOperation, serverOperation, packed);
    this.senderRow[call] = sender;
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
    if (!spans.calls(row)) {
      const isLeafWithoutKind =
        spans.table.kind[row] === SPAN_KIND.unspecified && (spans.tree.firstChild[row] as number) < 0;
      if (isLeafWithoutKind && spans.findPeer(row) >= 0) this.addPeer(row, spans.findPeer(row));
      return;
    }
    const outer = this.wrappedBy[row] as number;
    if (outer >= 0 && ((this.wrapping[outer] as number) & WRAP.covers) !== 0) {
      this.peerCall[row] = this.peerCall[outer] as number;
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
    this.peerCall[row] = this.add(row, -1, row, spans.enclosing[row] as number, operation, packed);
  }

  private add(
    clientRow: number,
    serverRow: number,
    startRow: number,
    clientOperation: number,
    serverOperation: number,
    packed: number,
  ): number {
    if (this.count === this.clientRow.length) this.growCalls();
    const { outcome } = this.spans;
    const call = this.count++;
    // A calling span under a span of another service stands for the server that is missing, but did not serve.
    const served = serverRow >= 0 && !this.spans.calls(serverRow) ? serverRow : -1;
    this.clientRow[call] = clientRow;
    this.serverRow[call] = served;
    this.startRow[call] = startRow;
    this.senderRow[call] = -1;
    this.clientOperation[call] = clientOperation;
    this.serverOperation[call] = serverOperation;
    this.packed[call] = packed;
    const either =
      (clientRow >= 0 ? (outcome[clientRow] as number) : 0) | (served >= 0 ? (outcome[served] as number) : 0);
    this.outcome[call] = (either & OUTCOME.failed) !== 0 ? OUTCOME.failed : either & OUTCOME.answered4xx;
    return call;
  }

  private growCalls(): void {
    const calls = this.clientRow.length * 2;
    this.clientRow = grown(this.clientRow, new Int32Array(calls));
    this.serverRow = grown(this.serverRow, new Int32Array(calls));
    this.startRow = grown(this.startRow, new Int32Array(calls));
    this.senderRow = grown(this.senderRow, new Int32Array(calls));
    this.clientOperation = grown(this.clientOperation, new Int32Array(calls));
    this.serverOperation = grown(this.serverOperation, new Int32Array(calls));
    this.packed = grown(this.packed, new Uint16Array(calls));
    this.outcome = grown(this.outcome, new Uint8Array(calls));
  }

  private reserve(rows: number): void {
    if (rows > this.servedBy.length) {
      const size = Math.max(ROWS_AT_FIRST, 2 ** Math.ceil(Math.log2(rows)));
      this.servedBy = new Int32Array(size);
      this.peerCall = new Int32Array(size);
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
const CALLS_AT_FIRST = 256;
const ROWS_AT_FIRST = 256;

function grown<T extends Int32Array | Uint16Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
