import type { AssembledTrace } from '../../codec/records.ts';
import { BoolColumn, Int32Column, Int64Column } from '../../parquet/number-columns.ts';
import { TextColumn } from '../../parquet/text-column.ts';
import type { ParquetColumn } from '../../parquet/types.ts';
import { WordColumn } from '../../parquet/word-column.ts';
import { scanOtlpRequest } from '../../trace/otlp-scan.ts';
import { SpanTable } from '../../trace/span-table.ts';
import { PROMOTED_OF_RESOURCES, PROMOTED_OF_SPANS, type PromotedAttributes } from '../promoted.ts';
import { ARCHIVE_SCHEMA } from '../schema.ts';
import { EVENT_BYTES_MORE, putEvent, putLink } from './event-text.ts';
import { JSON_BYTES_MORE, JSON_GROWTH, putAttributes } from './json-text.ts';
import { PromotedColumns } from './promoted-columns.ts';
import { ResourceColumns, ScopeColumns } from './resources.ts';
import { type MessageList, SpanBody } from './span-body.ts';

/**
 * The rows of the spans dataset, one per span, flat: what the span says, then facts of its trace, so that the common
 * questions need no join. Filled in one pass over the encoded spans, without an object or a string for any of them.
 */
export class SpanRows {
  private readonly spanAttributes: PromotedColumns;
  private readonly resourceAttributes: PromotedColumns;
  private readonly resources: ResourceColumns;
  private readonly scopes = new ScopeColumns();
  private readonly c;
  private readonly table = new SpanTable();
  private readonly body = new SpanBody();
  private kinds: readonly number[] = [];
  private statusCodes: readonly number[] = [];

  constructor(promoted: PromotedAttributes = DEFAULT_PROMOTED) {
    this.spanAttributes = new PromotedColumns(promoted.spans);
    this.resourceAttributes = new PromotedColumns(promoted.resources);
    this.resources = new ResourceColumns(this.resourceAttributes);
    this.c = {
      trace_id: new TextColumn(),
      span_id: new TextColumn(),
      parent_span_id: new TextColumn(),
      service: this.resources.service,
      operation: new WordColumn(),
      kind: new WordColumn(),
      start_time: new Int64Column(),
      start_ns: new Int64Column(),
      duration_ns: new Int64Column(),
      status_code: new WordColumn(),
      status_message: new WordColumn(),
      root_service: new WordColumn(),
      root_operation: new WordColumn(),
      trace_start: new Int64Column(),
      trace_duration_ns: new Int64Column(),
      trace_span_count: new Int32Column(),
      trace_error: new BoolColumn(),
      trace_complete: new BoolColumn(),
      trace_revision: new Int32Column(),
      close_reason: new WordColumn(),
      scope_name: this.scopes.names,
      scope_version: this.scopes.versions,
      attributes: new TextColumn(),
      resource_attributes: this.resources.attributes,
      events: new TextColumn(),
      links: new TextColumn(),
    };
    this.clear();
  }

  get count(): number {
    return this.c.trace_id.count;
  }

  /** Bytes of the columns that can be long. */
  get bytes(): number {
    const { attributes, events, links, operation, status_message } = this.c;
    return attributes.end + events.end + links.end + operation.table.size + status_message.table.size;
  }

  /** @returns false, with nothing added, when the trace's bytes are no OTLP. */
  add(trace: AssembledTrace): boolean {
    const { table } = this;
    const { otlp } = trace;
    if (scanOtlpRequest(otlp, table) !== undefined) return false;
    const facts = this.traceFacts(trace);
    let context = -1;
    let resource = -1;
    let scope = -1;
    for (let row = 0; row < table.count; row++) {
      if (table.context[row] !== context) {
        context = table.context[row] as number;
        const resourceAt = table.resourceStart[context] as number;
        resource = this.resources.enter(
          otlp,
          Math.max(0, resourceAt),
          resourceAt < 0 ? 0 : (table.resourceEnd[context] as number),
        );
        const scopeAt = table.scopeStart[context] as number;
        scope = this.scopes.enter(otlp, Math.max(0, scopeAt), scopeAt < 0 ? 0 : (table.scopeEnd[context] as number));
      }
      this.resources.addRow(resource);
      this.scopes.addRow(scope);
      this.addSpan(otlp, row, row > 0);
    }
    this.addTraceFacts(trace, facts, table.count);
    return true;
  }

  columns(): ParquetColumn[] {
    const own = ARCHIVE_SCHEMA.spans.flatMap(({ name, type }) =>
      name in this.c ? [{ name, type, column: this.c[name as keyof typeof this.c] }] : [],
    );
    return [...own, ...this.spanAttributes.columns(), ...this.resourceAttributes.columns()];
  }

  clear(): void {
    const { c } = this;
    for (const column of Object.values(c)) column.clear();
    this.spanAttributes.clear();
    this.resources.clear();
    this.scopes.clear();
    this.kinds = KINDS.map((word) => c.kind.internText(word));
    this.statusCodes = STATUS_CODES.map((word) => c.status_code.internText(word));
  }

  /** @param isSameTrace whether the row before is of the same trace. */
  private addSpan(bytes: Buffer, row: number, isSameTrace: boolean): void {
    const { c, table, body } = this;
    if (isSameTrace) c.trace_id.addAgain();
    else c.trace_id.addHex(bytes, table.traceId[row] as number, 16);
    c.span_id.addHex(bytes, table.spanId[row] as number, 8);
    const parent = table.parentSpanId[row] as number;
    if (parent < 0) c.parent_span_id.addNull();
    else c.parent_span_id.addHex(bytes, parent, 8);
    c.operation.add(bytes, table.nameStart[row] as number, table.nameEnd[row] as number);
    c.kind.addId(this.kinds[table.kind[row] as number] ?? (this.kinds[0] as number));
    this.addTimes(row);
    c.status_code.addId(this.statusCodes[table.statusCode[row] as number] ?? (this.statusCodes[0] as number));
    body.read(bytes, table.bodyStart[row] as number, table.bodyEnd[row] as number);
    if (body.messageStart < 0) c.status_message.addNull();
    else c.status_message.add(bytes, body.messageStart, body.messageEnd);
    this.spanAttributes.read(bytes, body.attributes);
    this.spanAttributes.addRow();
    const column = c.attributes;
    column.reserve(((table.bodyEnd[row] as number) - (table.bodyStart[row] as number)) * JSON_GROWTH + JSON_BYTES_MORE);
    column.end = putAttributes(column.bytes, column.end, bytes, body.attributes, this.spanAttributes.isWhole);
    column.close();
    addList(c.events, bytes, body.events, putEvent);
    addList(c.links, bytes, body.links, putLink);
  }

  private addTimes(row: number): void {
    const { c, table } = this;
    const startHi = table.startHi[row] as number;
    const startLo = table.startLo[row] as number;
    c.start_ns.addHalves(startHi, startLo);
    // 2^32 = 4 294 967 × 1000 + 296; beyond 2^53 microseconds, in the year 2255, only bigint is exact.
    if (startHi < HI_EXACT_MAX) {
      c.start_time.add(startHi * 4_294_967 + Math.floor((startHi * 296 + startLo) / 1000));
    } else c.start_time.addBig(((BigInt(startHi) << 32n) | BigInt(startLo)) / 1000n);
    const lo = (table.endLo[row] as number) - startLo;
    c.duration_ns.addHalves(((table.endHi[row] as number) - startHi - (lo < 0 ? 1 : 0)) | 0, lo >>> 0);
  }

  private traceFacts({ rootService, rootOperation, closeReason, durationNano }: AssembledTrace): TraceFacts {
    const { c } = this;
    return {
      rootService: rootService === null ? -1 : c.root_service.internText(rootService),
      rootOperation: rootOperation === null ? -1 : c.root_operation.internText(rootOperation),
      closeReason: c.close_reason.internText(closeReason),
      durationHi: Number(BigInt.asIntN(32, durationNano >> 32n)),
      durationLo: Number(BigInt.asUintN(32, durationNano)),
    };
  }

  private addTraceFacts(trace: AssembledTrace, facts: TraceFacts, rows: number): void {
    const { c } = this;
    c.root_service.addRun(facts.rootService, rows);
    c.root_operation.addRun(facts.rootOperation, rows);
    c.trace_start.addRun(Math.floor(trace.startTime / 2 ** 32), trace.startTime >>> 0, rows);
    c.trace_duration_ns.addRun(facts.durationHi, facts.durationLo, rows);
    c.trace_span_count.addRun(trace.spanCount, rows);
    c.trace_error.addRun(trace.errorCount > 0, rows);
    c.trace_complete.addRun(trace.complete, rows);
    c.trace_revision.addRun(trace.revision, rows);
    c.close_reason.addRun(facts.closeReason, rows);
  }
}

interface TraceFacts {
  readonly rootService: number;
  readonly rootOperation: number;
  readonly closeReason: number;
  readonly durationHi: number;
  readonly durationLo: number;
}

/** The messages as a JSON array; null when there are none. */
function addList(column: TextColumn, bytes: Buffer, list: MessageList, put: typeof putEvent): void {
  if (list.count === 0) return column.addNull();
  for (let i = 0; i < list.count; i++) {
    const start = list.starts[i] as number;
    const end = list.ends[i] as number;
    column.reserve((end - start) * JSON_GROWTH + EVENT_BYTES_MORE);
    column.bytes[column.end++] = i === 0 ? OPEN_BRACKET : COMMA;
    column.end = put(column.bytes, column.end, bytes, start, end);
  }
  column.reserve(1);
  column.bytes[column.end++] = CLOSE_BRACKET;
  column.close();
}

const DEFAULT_PROMOTED = { spans: PROMOTED_OF_SPANS, resources: PROMOTED_OF_RESOURCES };
const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const STATUS_CODES = ['unset', 'ok', 'error'];
/** Below it the microseconds are below 2^53. */
const HI_EXACT_MAX = 2 ** 21 * 999;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
