import type { FailingTrace } from '../../../lib/codec/records.ts';
import type { ScanProblem } from '../../../lib/trace/otlp-scan.ts';
import { SPAN_KIND } from '../../../lib/trace/span-table.ts';
import type { CallTable } from './call-table.ts';
import { Calls } from './calls.ts';
import type { DeltaRow, DeltaTable } from './delta-table.ts';
import { CONFIDENCE, CONNECTION, connectionOf, packEdge, packSubject, SUBJECT } from './edge-kinds.ts';
import { ErrorOrigins } from './error-origins.ts';
import type { NameTable } from './name-table.ts';
import { slowTraceOf } from './slow-trace.ts';
import { OUTCOME } from './span-attributes.ts';
import type { SpanCounts } from './span-counts.ts';
import { TraceSpans } from './trace-spans.ts';
import { ZipkinCalls } from './zipkin/zipkin-calls.ts';

export type GraphMode = 'accurate' | 'zipkin';

export interface FoldOptions {
  readonly mode?: GraphMode;
  /** Resource attribute that names the team which owns the service. */
  readonly ownerAttribute?: string;
}

/**
 * Folds whole traces into deltas: edges, services, entry operations and error origins. The same bytes always give the
 * same rows, so folding with sign -1 takes back exactly what sign 1 added.
 */
export class TraceFold {
  private readonly names: NameTable;
  private readonly spans: TraceSpans;
  private readonly calls: Calls;
  /** The calls that are counted: the same, or Zipkin's. */
  private readonly counted: CallTable;
  private readonly zipkinCalls: ZipkinCalls | undefined;
  private readonly origins: ErrorOrigins;
  private readonly deltas: DeltaTable;
  private readonly spanCounts: SpanCounts;
  private foldNumber = 0;
  private traceId = '';
  private sign = 1;
  private hasOrphan = false;
  /** Next message of the calls. */
  private message = 0;

  constructor(
    names: NameTable,
    deltas: DeltaTable,
    spanCounts: SpanCounts,
    { mode = 'accurate', ownerAttribute = 'team' }: FoldOptions = {},
  ) {
    this.names = names;
    this.spans = new TraceSpans(names, deltas.facts, ownerAttribute);
    this.calls = new Calls(names, this.spans);
    this.origins = new ErrorOrigins(names, this.spans, this.calls);
    this.zipkinCalls = mode === 'zipkin' ? new ZipkinCalls(names, this.spans) : undefined;
    this.counted = this.zipkinCalls ?? this.calls;
    this.deltas = deltas;
    this.spanCounts = spanCounts;
  }

  /**
   * @param otlp all spans of the trace, one encoded request or several one after another.
   * @param traceId 32 hex characters, for exemplars and failures.
   * @returns the number of spans in the bytes, or why they are no OTLP; then nothing was added.
   */
  fold(otlp: Buffer, traceId: string, sign: 1 | -1): number | ScanProblem {
    const problem = this.spans.load(otlp);
    if (problem !== undefined) return problem;
    this.foldNumber++;
    this.traceId = traceId;
    this.sign = sign;
    this.calls.link();
    this.zipkinCalls?.link();
    this.message = 0;
    this.hasOrphan = false;
    for (let call = 0; call < this.counted.count; call++) this.addCall(call);
    const { order, orderCount } = this.spans.tree;
    for (let i = 0; i < orderCount; i++) this.addSpan(order[i] as number);
    for (const failure of this.origins.find()) this.addFailure(failure.top, failure);
    return this.spans.table.count;
  }

  private addCall(call: number): void {
    const { counted: calls, spans, deltas } = this;
    const clientRow = calls.clientRow[call] as number;
    const serverRow = calls.serverRow[call] as number;
    const startRow = calls.startRow[call] as number;
    const packed = calls.packed[call] as number;
    const row = deltas.row(
      spans.startMicros(startRow),
      calls.clientOperation[call] as number,
      calls.serverOperation[call] as number,
      packSubject(SUBJECT.edge, packed),
    );
    const clientMicros = clientRow < 0 ? 0 : spans.durationMicros(clientRow);
    const serverMicros = serverRow < 0 ? 0 : spans.durationMicros(serverRow);
    if (clientRow >= 0) deltas.recordClient(row, clientMicros, this.sign);
    if (serverRow >= 0) deltas.recordServer(row, serverMicros, this.sign);
    if (clientRow >= 0 && serverRow >= 0 && connectionOf(packed) !== CONNECTION.messaging) {
      deltas.recordGap(row, clientMicros - serverMicros, this.sign);
    }
    const receiverRow = serverRow >= 0 ? serverRow : startRow;
    for (; calls.messageCall[this.message] === call && this.message < calls.messageCount; this.message++) {
      const delayMicros = spans.delayMicros(calls.messageSender[this.message] as number, receiverRow);
      deltas.recordQueueDelay(row, delayMicros, this.sign);
    }
    this.count(row, startRow, calls.outcome[call] as number);
  }

  /** The work that a span is for its service, and the request that it is for the system. */
  private addSpan(row: number): void {
    const { spans } = this;
    const { table } = spans;
    const micros = spans.durationMicros(row);
    const bytes = (table.bodyEnd[row] as number) - (table.bodyStart[row] as number);
    const count = this.spanCounts.add(
      spans.operation[row] as number,
      table.kind[row] as number,
      table.statusCode[row] as number,
      micros,
      bytes,
      this.sign,
    );
    if (this.sign > 0 && micros > (count.exemplar?.durationMicros ?? -1)) {
      count.exemplar = { traceId: this.traceId, spanId: this.spanId(row), durationMicros: micros };
    }
    const isRoot = spans.tree.isRoot(row);
    if (spans.serves(row) || (isRoot && !spans.calls(row))) this.addServed(row, packSubject(SUBJECT.service));
    if (!isRoot) {
      if ((spans.tree.parent[row] as number) < 0) this.countOrphan(row);
      return;
    }
    const entry = this.entryOf(row);
    const delta = this.addServed(entry, packSubject(SUBJECT.entry));
    if (entry !== row) this.deltas.recordClient(delta, spans.durationMicros(row), this.sign);
    if (this.sign > 0 && !spans.failed(entry)) this.keepSlow(delta, entry);
  }

  private keepSlow(delta: DeltaRow, entry: number): void {
    const { spans, calls, names, traceId } = this;
    const micros = spans.durationMicros(entry);
    if (!delta.wantsSlowTrace(micros)) return;
    const durationMicros = Math.round(Math.max(0, Math.min(micros, Number.MAX_SAFE_INTEGER)));
    const startTime = spans.startMicros(entry);
    const facts = { traceId, spanId: this.spanId(entry), startTime, durationMicros };
    delta.addSlowTrace(slowTraceOf(spans, calls, names, facts));
  }

  /** The span above it is missing: lost, late, or never sent. */
  private countOrphan(row: number): void {
    const operation = this.spans.operation[row] as number;
    const delta = this.deltas.row(this.spans.startMicros(row), operation, operation, packSubject(SUBJECT.service));
    delta.orphanSpans += this.sign;
    if (!this.hasOrphan) delta.incompleteTraces += this.sign;
    this.hasOrphan = true;
  }

  /** A root that only calls is not part of the system: the entry is what it called, if that is known. */
  private entryOf(root: number): number {
    const server = this.calls.servedBy[root] as number;
    return server >= 0 && this.spans.table.kind[server] === SPAN_KIND.server ? server : root;
  }

  private addServed(row: number, packed: number): DeltaRow {
    const { spans, deltas } = this;
    const operation = spans.operation[row] as number;
    const delta = deltas.row(spans.startMicros(row), operation, operation, packed);
    deltas.recordServer(delta, spans.durationMicros(row), this.sign);
    this.count(delta, row, spans.outcome[row] as number);
    return delta;
  }

  private count(delta: DeltaRow, row: number, outcome: number): void {
    const isFailed = (outcome & OUTCOME.failed) !== 0;
    delta.calls += this.sign;
    if (isFailed) delta.errors += this.sign;
    else if ((outcome & OUTCOME.answered4xx) !== 0) delta.errors4xx += this.sign;
    delta.countTrace(this.foldNumber, this.sign);
    if (this.sign < 0) return;
    const micros = this.spans.durationMicros(row);
    if (!delta.wantsExemplar(isFailed, micros)) return;
    delta.addExemplar(this.traceId, this.spanId(row), isFailed, micros);
  }

  private spanId(row: number): string {
    const at = this.spans.table.spanId[row] as number;
    return this.spans.bytes.hexSlice(at, at + 8);
  }

  /**
   * Failures stand with the entry that they belong to. Of a subtree whose top is an orphan that is the trace's first
   * root; without any, the orphan itself, marked so, with no calls: it must not count as a request.
   */
  private addFailure(top: number, failure: Pick<FailingTrace, 'origins' | 'path'>): void {
    const { spans, deltas } = this;
    const root = spans.tree.isRoot(top) ? top : this.firstRoot();
    const entry = root < 0 ? top : this.entryOf(root);
    const packed = root < 0 ? packEdge(0, 0, CONFIDENCE.orphan) : 0;
    const startTime = spans.startMicros(entry);
    const operation = spans.operation[entry] as number;
    const row = deltas.row(startTime, operation, operation, packSubject(SUBJECT.entry, packed));
    deltas.addFailure(row, {
      traceId: this.traceId,
      sign: this.sign,
      userVisible: root >= 0 && spans.failed(entry),
      startTime,
      origins: failure.origins,
      path: failure.path,
    });
  }

  private firstRoot(): number {
    const { tree } = this.spans;
    for (let i = 0; i < tree.orderCount; i++) {
      const row = tree.order[i] as number;
      if ((tree.parent[row] as number) >= 0) return -1;
      if (tree.isRoot(row)) return row;
    }
    return -1;
  }
}
