import { CallTable } from '../call-table.ts';
import { CONFIDENCE, CONNECTION, PEER, packEdge } from '../edge-kinds.ts';
import type { NameTable } from '../name-table.ts';
import { OUTCOME } from '../span-attributes.ts';
import type { TraceSpans } from '../trace-spans.ts';
import { mergeSpans } from './merge-spans.ts';
import { type ZipkinSpan, ZipkinSpanReader } from './zipkin-span.ts';
import { breadthFirst, buildZipkinTree, type ZipkinNode } from './zipkin-tree.ts';

/**
 * The calls of one trace as Zipkin counts them, with its quirks (rules C of DependencyLinker in openzipkin/zipkin), for
 * GRAPH_MODE=zipkin: graphs that must agree with an existing Zipkin. What differs from `Calls`: an error that only the
 * client of a shared id saw is none, a CLIENT span with any child names no peer, orphans and further roots are called by
 * the root, `error="false"` is an error, and an entry without a named caller has none.
 */
export class ZipkinCalls extends CallTable {
  private readonly names: NameTable;
  private readonly reader: ZipkinSpanReader;

  constructor(names: NameTable, spans: TraceSpans) {
    super(spans);
    this.names = names;
    this.reader = new ZipkinSpanReader(names);
  }

  link(): void {
    this.clearCalls();
    if (this.spans.table.count === 0) return;
    const root = buildZipkinTree(mergeSpans(this.reader.read(this.spans)));
    const remoteAncestors = new Map<ZipkinNode, ZipkinSpan | undefined>();
    for (const node of breadthFirst(root)) {
      const above = node.parent?.span;
      const ancestor = above?.kind !== undefined ? above : node.parent && remoteAncestors.get(node.parent);
      remoteAncestors.set(node, ancestor);
      if (node.span !== undefined) this.linkSpan(node, node.span, ancestor);
    }
  }

  private linkSpan(node: ZipkinNode, span: ZipkinSpan, ancestor: ZipkinSpan | undefined): void {
    const local = span.local?.service ?? -1;
    const { remote } = span;
    switch (span.kind) {
      case 'PRODUCER':
        if (local >= 0 && remote >= 0) this.addSent(span, local, remote);
        return;
      case 'CONSUMER':
        if (local >= 0 && remote >= 0) this.addConsumed(node, span, local, remote);
        return;
      case 'SERVER':
        this.linkServer(span, local, ancestor);
        return;
      case 'CLIENT':
        if (node.children.length === 0) this.linkLeaf(span, local, ancestor, true);
        return;
      default:
        if (local >= 0 && remote >= 0) this.linkLeaf(span, local, ancestor, node.children.length === 0);
    }
  }

  private linkServer(span: ZipkinSpan, local: number, ancestor: ZipkinSpan | undefined): void {
    const above = ancestor?.local?.service ?? -1;
    const caller = above >= 0 ? above : span.remote;
    if (caller < 0 || local < 0) return;
    const { row } = span;
    const isCall = above >= 0 && (ancestor?.kind === 'CLIENT' || ancestor?.kind === 'PRODUCER');
    const clientRow = isCall ? (ancestor?.row as number) : -1;
    const packed =
      above < 0
        ? packEdge(CONNECTION.virtual, PEER.service, CONFIDENCE.virtual)
        : packEdge(CONNECTION.rpc, PEER.service, isCall ? CONFIDENCE.exact : CONFIDENCE.backFilled);
    const clientOperation =
      above >= 0 ? this.callerOperation(above, ancestor?.row as number) : this.names.operationNamed(caller, '');
    const call = this.add(
      clientRow,
      row,
      clientRow >= 0 ? clientRow : row,
      clientOperation,
      this.operationOf(local, row),
      packed,
    );
    this.setError(call, span.error || inheritsError(span, ancestor));
  }

  /** A CLIENT span that nothing answered, or a span without a kind that names both sides. */
  private linkLeaf(span: ZipkinSpan, local: number, ancestor: ZipkinSpan | undefined, isLeaf: boolean): void {
    const above = ancestor?.local?.service ?? -1;
    if (above >= 0 && local >= 0 && above !== local) this.addMissing(span, above, local, ancestor as ZipkinSpan);
    const caller = local >= 0 ? local : above;
    if (caller < 0 || span.remote < 0) return;
    const { row } = span;
    const isOwnPeer = isLeaf && this.spans.findPeer(row) === span.remote;
    const connection = isOwnPeer ? this.spans.connectionOfPeer(row) : CONNECTION.virtual;
    const kind = isOwnPeer ? this.spans.kindOfPeer(row) : PEER.external;
    const clientOperation =
      local >= 0 ? this.callerOperation(local, row) : this.callerOperation(above, ancestor?.row as number);
    const call = this.add(
      row,
      -1,
      row,
      clientOperation,
      this.operationOf(span.remote, row),
      packEdge(connection, kind, CONFIDENCE.virtual),
    );
    this.setError(call, span.error || inheritsError(span, ancestor));
  }

  /** The span of a call between the two was not reported; whether it failed is not known. */
  private addMissing(span: ZipkinSpan, above: number, local: number, ancestor: ZipkinSpan): void {
    const packed = packEdge(CONNECTION.rpc, PEER.service, CONFIDENCE.backFilled);
    const clientOperation = this.callerOperation(above, ancestor.row);
    const call = this.add(-1, -1, span.row, clientOperation, this.operationOf(local, span.row), packed);
    this.setError(call, false);
  }

  private addSent(span: ZipkinSpan, local: number, broker: number): void {
    const { row } = span;
    const packed = packEdge(CONNECTION.messaging, PEER.queue, CONFIDENCE.virtual);
    const call = this.add(row, -1, row, this.callerOperation(local, row), this.operationOf(broker, row), packed);
    this.setError(call, span.error);
  }

  private addConsumed(node: ZipkinNode, span: ZipkinSpan, local: number, broker: number): void {
    const { row } = span;
    const packed = packEdge(CONNECTION.messaging, PEER.service, CONFIDENCE.virtual);
    const call = this.add(-1, row, row, this.names.operationNamed(broker, ''), this.operationOf(local, row), packed);
    this.setError(call, span.error);
    const sender = node.parent?.span;
    if (sender?.kind === 'PRODUCER') this.addMessage(call, sender.row);
  }

  private setError(call: number, isError: boolean): void {
    this.outcome[call] = isError ? OUTCOME.failed : 0;
  }

  /** What the caller was doing: the operation that entered its service, as far as the span is that service's. */
  private callerOperation(service: number, row: number): number {
    const { spans } = this;
    return spans.service[row] === service ? (spans.enclosing[row] as number) : this.operationOf(service, row);
  }

  private operationOf(service: number, row: number): number {
    const { bytes, table } = this.spans;
    return this.names.operation(service, bytes, table.nameStart[row] as number, table.nameEnd[row] as number);
  }
}

/** Of a call in two spans only the inner one counts, so it takes the error of the outer. */
function inheritsError(span: ZipkinSpan, ancestor: ZipkinSpan | undefined): boolean {
  if (ancestor?.kind !== 'CLIENT' || (ancestor.local?.service ?? -1) < 0) return false;
  return ancestor.error && span.parentId === ancestor.id;
}
