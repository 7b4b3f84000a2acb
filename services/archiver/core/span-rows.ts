import { PROMOTED_OF_RESOURCES, PROMOTED_OF_SPANS } from '../../../lib/archive/promoted.ts';
import type { ColumnType } from '../../../lib/archive/schema.ts';
import type { AssembledTrace } from '../../../lib/codec/records.ts';
import { ATTRIBUTES_OF, fieldRange, findField } from '../../../lib/trace/attributes.ts';
import { scanOtlpRequest } from '../../../lib/trace/otlp-scan.ts';
import { resourceServiceName } from '../../../lib/trace/service-name.ts';
import { SpanTable } from '../../../lib/trace/span-table.ts';
import { BoolColumn, Int32Column, Int64Column, TextColumn } from './columns.ts';
import { writeAscii, writeAttributes, writeHex, writeList, writeString } from './json-text.ts';
import { PromotedColumns } from './promoted-columns.ts';
import type { TableColumn } from './table.ts';

/**
 * The rows of the spans dataset, one per span, flat: what the span says, then facts of its trace, so that the common
 * questions need no join. Filled in one pass over the encoded spans.
 */
export class SpanRows {
  private readonly c = {
    trace_id: new TextColumn(),
    span_id: new TextColumn(),
    parent_span_id: new TextColumn(),
    service: new TextColumn(),
    operation: new TextColumn(),
    kind: new TextColumn(),
    start_time: new Int64Column(),
    start_ns: new Int64Column(),
    duration_ns: new Int64Column(),
    status_code: new TextColumn(),
    status_message: new TextColumn(),
    root_service: new TextColumn(),
    root_operation: new TextColumn(),
    trace_start: new Int64Column(),
    trace_duration_ns: new Int64Column(),
    trace_span_count: new Int32Column(),
    trace_error: new BoolColumn(),
    trace_complete: new BoolColumn(),
    trace_revision: new Int32Column(),
    close_reason: new TextColumn(),
    scope_name: new TextColumn(),
    scope_version: new TextColumn(),
    attributes: new TextColumn(),
    resource_attributes: new TextColumn(),
    events: new TextColumn(),
    links: new TextColumn(),
  };
  private readonly spanAttributes = new PromotedColumns(PROMOTED_OF_SPANS);
  private readonly resourceAttributes = new PromotedColumns(PROMOTED_OF_RESOURCES);
  private readonly table = new SpanTable();
  /** Resource attributes of the current context as JSON text. */
  private readonly resourceText = new TextColumn();
  private context = -1;
  private service: Buffer = Buffer.alloc(0);

  get count(): number {
    return this.c.trace_id.count;
  }

  /** @returns false, with nothing added, when the trace's bytes are no OTLP. */
  add(trace: AssembledTrace): boolean {
    if (scanOtlpRequest(trace.otlp, this.table) !== undefined) return false;
    this.context = -1;
    const shared = sharedBytes(trace);
    for (let row = 0; row < this.table.count; row++) {
      if (this.table.context[row] !== this.context) this.enterContext(trace.otlp, this.table.context[row] as number);
      this.addSpan(trace.otlp, row);
      this.addTraceFacts(trace, shared);
    }
    return true;
  }

  columns(): TableColumn[] {
    const own = Object.entries(this.c).map(([name, column]) => ({ name, type: typeOf(name, column), column }));
    const promoted = [...this.spanAttributes.columns, ...this.resourceAttributes.columns];
    return [...own, ...promoted.map(({ name, column }) => ({ name, type: typeOf(name, column), column }))];
  }

  clear(): void {
    for (const column of Object.values(this.c)) column.clear();
    this.spanAttributes.clear();
    this.resourceAttributes.clear();
  }

  private enterContext(bytes: Buffer, context: number): void {
    const { table, resourceText } = this;
    this.context = context;
    const start = Math.max(0, table.resourceStart[context] as number);
    const end = table.resourceStart[context] === -1 ? start : (table.resourceEnd[context] as number);
    this.service = Buffer.from(resourceServiceName(bytes, start, end) || UNKNOWN_SERVICE);
    this.resourceAttributes.read(bytes, start, end, ATTRIBUTES_OF.resource);
    resourceText.clear();
    writeAttributes(resourceText, bytes, start, end, ATTRIBUTES_OF.resource, this.resourceAttributes.isTaken);
  }

  private addSpan(bytes: Buffer, row: number): void {
    const { c, table } = this;
    const start = table.bodyStart[row] as number;
    const end = table.bodyEnd[row] as number;
    c.trace_id.addHex(bytes, table.traceId[row] as number, 16);
    c.span_id.addHex(bytes, table.spanId[row] as number, 8);
    const parent = table.parentSpanId[row] as number;
    if (parent < 0) c.parent_span_id.addNull();
    else c.parent_span_id.addHex(bytes, parent, 8);
    c.service.add(this.service, 0, this.service.length);
    c.operation.add(bytes, table.nameStart[row] as number, table.nameEnd[row] as number);
    addWord(c.kind, KINDS[table.kind[row] as number] ?? (KINDS[0] as Buffer));
    this.addTimes(row);
    addWord(c.status_code, STATUS_CODES[table.statusCode[row] as number] ?? (STATUS_CODES[0] as Buffer));
    if (
      findField(bytes, start, end, TAG_STATUS) &&
      findField(bytes, fieldRange().start, fieldRange().end, TAG_MESSAGE)
    ) {
      c.status_message.add(bytes, fieldRange().start, fieldRange().end);
    } else c.status_message.addNull();
    this.addScope(bytes);
    this.spanAttributes.read(bytes, start, end, ATTRIBUTES_OF.span);
    this.spanAttributes.addRow();
    this.resourceAttributes.addRow();
    writeAttributes(c.attributes, bytes, start, end, ATTRIBUTES_OF.span, this.spanAttributes.isTaken);
    c.attributes.close();
    c.resource_attributes.add(this.resourceText.bytes, 0, this.resourceText.end);
    this.addEvents(bytes, start, end);
    this.addLinks(bytes, start, end);
  }

  private addTimes(row: number): void {
    const { c, table } = this;
    const startHi = table.startHi[row] as number;
    const startLo = table.startLo[row] as number;
    c.start_ns.addHalves(startHi, startLo);
    c.start_time.add(Math.floor((startHi * 2 ** 32 + startLo) / 1000));
    const lo = (table.endLo[row] as number) - startLo;
    c.duration_ns.addHalves(((table.endHi[row] as number) - startHi - (lo < 0 ? 1 : 0)) >>> 0, lo >>> 0);
  }

  private addScope(bytes: Buffer): void {
    const { c, table, context } = this;
    const start = table.scopeStart[context] as number;
    const end = table.scopeEnd[context] as number;
    for (const [column, tag] of [
      [c.scope_name, TAG_SCOPE_NAME],
      [c.scope_version, TAG_SCOPE_VERSION],
    ] as const) {
      if (start >= 0 && findField(bytes, start, end, tag)) column.add(bytes, fieldRange().start, fieldRange().end);
      else column.addNull();
    }
  }

  private addEvents(bytes: Buffer, start: number, end: number): void {
    const column = this.c.events;
    const isWritten = writeList(column, bytes, start, end, TAG_EVENT, (from, to) => {
      writeAscii(column, `{"time_ns":${timeOf(bytes, from, to)},"name":`);
      if (findField(bytes, from, to, TAG_EVENT_NAME)) writeString(column, bytes, fieldRange().start, fieldRange().end);
      else writeAscii(column, '""');
      writeAscii(column, ',"attributes":');
      writeAttributes(column, bytes, from, to, ATTRIBUTES_OF.event, NONE);
      writeAscii(column, '}');
    });
    if (isWritten) column.close();
    else column.addNull();
  }

  private addLinks(bytes: Buffer, start: number, end: number): void {
    const column = this.c.links;
    const isWritten = writeList(column, bytes, start, end, TAG_LINK, (from, to) => {
      writeAscii(column, '{"trace_id":"');
      if (findField(bytes, from, to, TAG_LINK_TRACE)) writeHex(column, bytes, fieldRange().start, fieldRange().end);
      writeAscii(column, '","span_id":"');
      if (findField(bytes, from, to, TAG_LINK_SPAN)) writeHex(column, bytes, fieldRange().start, fieldRange().end);
      writeAscii(column, '","attributes":');
      writeAttributes(column, bytes, from, to, ATTRIBUTES_OF.link, NONE);
      writeAscii(column, '}');
    });
    if (isWritten) column.close();
    else column.addNull();
  }

  private addTraceFacts(trace: AssembledTrace, shared: SharedBytes): void {
    const { c } = this;
    addNullable(c.root_service, shared.rootService);
    addNullable(c.root_operation, shared.rootOperation);
    c.trace_start.add(trace.startTime);
    c.trace_duration_ns.addBig(trace.durationNano);
    c.trace_span_count.add(trace.spanCount);
    c.trace_error.add(trace.errorCount > 0);
    c.trace_complete.add(trace.complete);
    c.trace_revision.add(trace.revision);
    addWord(c.close_reason, shared.closeReason);
  }
}

interface SharedBytes {
  readonly rootService: Buffer | undefined;
  readonly rootOperation: Buffer | undefined;
  readonly closeReason: Buffer;
}

function sharedBytes({ rootService, rootOperation, closeReason }: AssembledTrace): SharedBytes {
  return {
    rootService: rootService === null ? undefined : Buffer.from(rootService),
    rootOperation: rootOperation === null ? undefined : Buffer.from(rootOperation),
    closeReason: Buffer.from(closeReason),
  };
}

function addWord(column: TextColumn, word: Buffer): void {
  column.add(word, 0, word.length);
}

function addNullable(column: TextColumn, word: Buffer | undefined): void {
  if (word === undefined) column.addNull();
  else addWord(column, word);
}

function timeOf(bytes: Buffer, start: number, end: number): string {
  // The time is the first field of every encoder; elsewhere it is not worth a search.
  return bytes[start] === TAG_EVENT_TIME && start + 9 <= end ? bytes.readBigUInt64LE(start + 1).toString() : '0';
}

function typeOf(name: string, column: TableColumn['column']): ColumnType {
  if (column instanceof TextColumn) return 'text';
  if (column instanceof Int32Column) return 'int32';
  if (column instanceof BoolColumn) return 'bool';
  return name === 'start_time' || name === 'trace_start' ? 'timestamp' : 'int64';
}

const NONE = () => false;
const UNKNOWN_SERVICE = 'unknown_service';
const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'].map((word) => Buffer.from(word));
const STATUS_CODES = ['unset', 'ok', 'error'].map((word) => Buffer.from(word));
/** Field number × 8 + wire type, of opentelemetry-proto trace/v1. */
const TAG_EVENT = 0x5a;
const TAG_EVENT_TIME = 0x09;
const TAG_EVENT_NAME = 0x12;
const TAG_LINK = 0x6a;
const TAG_LINK_TRACE = 0x0a;
const TAG_LINK_SPAN = 0x12;
const TAG_STATUS = 0x7a;
const TAG_MESSAGE = 0x12;
const TAG_SCOPE_NAME = 0x0a;
const TAG_SCOPE_VERSION = 0x12;
