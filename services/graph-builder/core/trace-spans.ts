import { ATTRIBUTES_OF, AttributeReader, textRange } from '../../../lib/trace/attributes.ts';
import { type ScanProblem, scanOtlpRequest } from '../../../lib/trace/otlp-scan.ts';
import { SPAN_KIND, SpanTable } from '../../../lib/trace/span-table.ts';
import { durationNanos, TraceTree } from '../../../lib/trace/trace-tree.ts';
import type { NameTable } from './name-table.ts';
import type { ServiceFacts } from './service-facts.ts';
import { OUTCOME, SpanAttributes } from './span-attributes.ts';

/**
 * The spans of one trace with what linking and blaming need of each, as columns over the rows of the scan. Loaded anew
 * for every trace; nothing of it is valid after the next `load`.
 */
export class TraceSpans {
  readonly table = new SpanTable();
  readonly tree = new TraceTree();
  bytes: Buffer = Buffer.alloc(0);
  /** Number of the span's service in the NameTable. */
  service = new Int32Array(0);
  /** Number of (service, span name). */
  operation = new Int32Array(0);
  /** The operation of its service that this span works for: of the nearest span above that entered the service. */
  enclosing = new Int32Array(0);
  /** Bits of OUTCOME. Duplicates have theirs counted with the span that stands for them. */
  outcome = new Uint8Array(0);
  /** One of ROLE. */
  private role = new Uint8Array(0);
  /** At least one span failed. */
  hasFailure = false;

  private readonly names: NameTable;
  private readonly attributes = new SpanAttributes();
  private readonly facts: ServiceFacts;
  private readonly resource: AttributeReader<string>;
  private contextService = new Int32Array(0);
  /** PEER_UNKNOWN, PEER_NONE, or the peer's service; see `findPeer`. */
  private peer = new Int32Array(0);
  private peerConnection = new Uint8Array(0);
  private peerKind = new Uint8Array(0);
  /** Row whose attributes the reader holds. */
  private attributesOf = -1;

  constructor(names: NameTable, facts: ServiceFacts, ownerAttribute: string) {
    this.names = names;
    this.facts = facts;
    this.resource = new AttributeReader(['service.name', 'service.version', ownerAttribute]);
  }

  load(otlp: Buffer): ScanProblem | undefined {
    this.bytes = otlp;
    this.attributesOf = -1;
    this.hasFailure = false;
    this.names.beginTrace();
    const problem = scanOtlpRequest(otlp, this.table);
    if (problem !== undefined) return problem;
    this.reserve();
    for (let context = 0; context < this.table.contextCount; context++) {
      this.contextService[context] = this.serviceOfContext(context);
    }
    this.tree.build(otlp, this.table, this.contextService, this.names.namelessService);
    for (let i = 0; i < this.tree.orderCount; i++) this.describe(this.tree.order[i] as number);
    if (this.tree.duplicateCount > 0) this.mergeDuplicates();
    return undefined;
  }

  /** Microseconds; negative when the span ends before it starts. */
  durationMicros(row: number): number {
    return durationNanos(this.table, row) / 1000;
  }

  /** Epoch microseconds, at most the year 2255: beyond that they are no safe integers. */
  startMicros(row: number): number {
    const nanos = (this.table.startHi[row] as number) * 2 ** 32 + (this.table.startLo[row] as number);
    return Math.min(Math.floor(nanos / 1000), Number.MAX_SAFE_INTEGER);
  }

  /** From the end of `row` to the start of `later`, microseconds; below zero when that began before. */
  delayMicros(row: number, later: number): number {
    const { startHi, startLo, endHi, endLo } = this.table;
    const hi = (startHi[later] as number) - (endHi[row] as number);
    return (hi * 2 ** 32 + ((startLo[later] as number) - (endLo[row] as number))) / 1000;
  }

  failed(row: number): boolean {
    return ((this.outcome[row] as number) & OUTCOME.failed) !== 0;
  }

  /** Neither the sending nor the receiving end of a call. */
  isInternal(row: number): boolean {
    return this.role[row] === ROLE.internal;
  }

  serves(row: number): boolean {
    return this.role[row] === ROLE.serves;
  }

  /** Also a span without a kind that names its peer. */
  calls(row: number): boolean {
    return this.role[row] === ROLE.calls;
  }

  /** Of one service and one name, also where the name is beyond the limits. */
  hasSameOperation(row: number, other: number): boolean {
    if (this.operation[row] !== this.operation[other] || this.service[row] !== this.service[other]) return false;
    const { nameStart, nameEnd } = this.table;
    const [start, end] = [nameStart[row] as number, nameEnd[row] as number];
    return this.bytes.compare(this.bytes, nameStart[other], nameEnd[other], start, end) === 0;
  }

  /** The service that the span's resource names, or -1. */
  namedService(row: number): number {
    const service = this.contextService[this.table.context[row] as number] as number;
    return service === this.names.namelessService ? -1 : service;
  }

  /** The peer that a span's attributes name, or -1; then `peerEdge` says what it is. */
  findPeer(row: number): number {
    const known = this.peer[row] as number;
    if (known !== PEER_UNKNOWN) return known;
    this.readAttributes(row);
    // A serving span's own address is not its caller's; only a queue is on both sides. Same for spans without a kind.
    const kind = this.table.kind[row] as number;
    const isFound =
      kind >= SPAN_KIND.client ? this.attributes.findPeer(this.names, kind) : this.attributes.findNamedPeer(this.names);
    const peer = isFound ? this.attributes.peerService : PEER_NONE;
    this.peer[row] = peer;
    this.peerConnection[row] = this.attributes.peerConnection;
    this.peerKind[row] = this.attributes.peerKind;
    return peer;
  }

  connectionOfPeer(row: number): number {
    return this.peerConnection[row] as number;
  }

  kindOfPeer(row: number): number {
    return this.peerKind[row] as number;
  }

  private describe(row: number): void {
    const { table, tree } = this;
    const kind = table.kind[row] as number;
    const parent = tree.parent[row] as number;
    let service = this.contextService[table.context[row] as number] as number;
    this.role[row] = ROLE_OF_KIND[kind] as number;
    // A span that does not say whose it is and was not called from outside belongs to the service above it.
    if (service === this.names.namelessService && parent >= 0 && !this.serves(row)) {
      service = this.service[parent] as number;
    }
    const operation = this.names.operation(
      service,
      this.bytes,
      table.nameStart[row] as number,
      table.nameEnd[row] as number,
    );
    this.service[row] = service;
    this.operation[row] = operation;
    const isInside = parent >= 0 && this.service[parent] === service && !this.serves(row);
    this.enclosing[row] = isInside ? (this.enclosing[parent] as number) : operation;
    this.peer[row] = PEER_UNKNOWN;
    const status = table.statusCode[row] as number;
    if (kind === SPAN_KIND.internal) {
      this.outcome[row] = status === STATUS_ERROR ? OUTCOME.failed : 0;
    } else {
      this.readAttributes(row);
      this.outcome[row] = this.attributes.outcome(kind, status);
      if (kind === SPAN_KIND.unspecified && this.findPeer(row) >= 0) this.role[row] = ROLE.calls;
      // Nobody can answer for a call without children, so its peer is wanted while its attributes are at hand.
      if (this.calls(row) && (tree.firstChild[row] as number) < 0) this.findPeer(row);
    }
    if (this.failed(row)) this.hasFailure = true;
  }

  private mergeDuplicates(): void {
    for (let row = 0; row < this.table.count; row++) {
      const original = this.tree.duplicateOf[row] as number;
      if (original < 0) continue;
      this.describe(row);
      this.outcome[original] = (this.outcome[original] as number) | (this.outcome[row] as number);
    }
  }

  private readAttributes(row: number): void {
    if (this.attributesOf === row) return;
    this.attributesOf = row;
    this.attributes.read(this.bytes, this.table.bodyStart[row] as number, this.table.bodyEnd[row] as number);
  }

  private serviceOfContext(context: number): number {
    const start = this.table.resourceStart[context] as number;
    if (start >= 0) {
      this.resource.read(this.bytes, start, this.table.resourceEnd[context] as number, ATTRIBUTES_OF.resource);
      if (this.resource.locateText(0)) {
        const name = textRange();
        const service = this.names.service(this.bytes, name.start, name.end);
        if (!this.names.isBeyond(service)) this.noteFacts(service);
        return service;
      }
    }
    return this.names.service(this.bytes, 0, 0);
  }

  private noteFacts(service: number): void {
    const { resource, facts, bytes } = this;
    if (resource.locateText(1)) facts.noteVersion(service, bytes, textRange().start, textRange().end);
    if (resource.locateText(2)) facts.noteOwner(service, bytes, textRange().start, textRange().end);
  }

  private reserve(): void {
    const { count, contextCount } = this.table;
    if (contextCount > this.contextService.length) this.contextService = new Int32Array(sizeFor(contextCount));
    if (count <= this.service.length) return;
    const rows = sizeFor(count);
    this.service = new Int32Array(rows);
    this.operation = new Int32Array(rows);
    this.enclosing = new Int32Array(rows);
    this.outcome = new Uint8Array(rows);
    this.role = new Uint8Array(rows);
    this.peer = new Int32Array(rows);
    this.peerConnection = new Uint8Array(rows);
    this.peerKind = new Uint8Array(rows);
  }
}

const ROLE = { internal: 0, calls: 1, serves: 2 } as const;
/** In the order of OTLP's kinds. */
const ROLE_OF_KIND = [ROLE.internal, ROLE.internal, ROLE.serves, ROLE.calls, ROLE.calls, ROLE.serves];
const PEER_NONE = -1;
const PEER_UNKNOWN = -2;
const STATUS_ERROR = 2;
const ROWS_AT_FIRST = 256;

function sizeFor(count: number): number {
  return Math.max(ROWS_AT_FIRST, 2 ** Math.ceil(Math.log2(count)));
}
