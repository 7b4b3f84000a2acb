/**
 * The spans of one OTLP request as columns of byte positions: nothing is decoded until somebody asks.
 *
 * One table is made per worker and filled again for every record, so the scan allocates nothing once it has grown.
 * All positions index the bytes last scanned; a table is valid only until the next `scanOtlpRequest` into it.
 */
export class SpanTable {
  /** Rows filled. */
  count = 0;
  /** Contexts filled: one per ScopeSpans, that is a (resource, scope) pair. */
  contextCount = 0;
  /** True when the bytes last scanned had more spans or contexts than `rowsMax`; then the rows are not all of them. */
  isOverfull = false;

  // ---- spans; each column has `count` valid rows -----------------------------------------------------------------
  /** First byte of the span as a field of its ScopeSpans: tag, length, body. Ranges of neighbours can be copied whole. */
  fieldStart = new Int32Array(ROWS_AT_FIRST);
  /** First byte of the Span message. */
  bodyStart = new Int32Array(ROWS_AT_FIRST);
  /** One past the last byte of the Span message. */
  bodyEnd = new Int32Array(ROWS_AT_FIRST);
  /** Row in the context columns. */
  context = new Int32Array(ROWS_AT_FIRST);
  /** First of 16 bytes; -1 when the id was missing or of another length. */
  traceId = new Int32Array(ROWS_AT_FIRST);
  /** First of 8 bytes; -1 when missing or of another length. */
  spanId = new Int32Array(ROWS_AT_FIRST);
  /** First of 8 bytes; -1 when there is no parent (empty or all zero). */
  parentSpanId = new Int32Array(ROWS_AT_FIRST);
  /** The name's UTF-8 bytes; start === end when empty. */
  nameStart = new Int32Array(ROWS_AT_FIRST);
  nameEnd = new Int32Array(ROWS_AT_FIRST);
  /** OTLP SpanKind: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind = new Uint8Array(ROWS_AT_FIRST);
  /** OTLP StatusCode: 0 unset, 1 ok, 2 error. */
  statusCode = new Uint8Array(ROWS_AT_FIRST);
  /** Unix nanoseconds as two 32-bit halves: they exceed 2^53. */
  startHi = new Uint32Array(ROWS_AT_FIRST);
  startLo = new Uint32Array(ROWS_AT_FIRST);
  endHi = new Uint32Array(ROWS_AT_FIRST);
  endLo = new Uint32Array(ROWS_AT_FIRST);
  /** A `SpanProblem`: 0 when the span can be routed. */
  problem = new Uint8Array(ROWS_AT_FIRST);

  // ---- contexts; ranges are message bodies, start === -1 when the field was absent --------------------------------
  resourceStart = new Int32Array(CONTEXTS_AT_FIRST);
  resourceEnd = new Int32Array(CONTEXTS_AT_FIRST);
  resourceSchemaUrlStart = new Int32Array(CONTEXTS_AT_FIRST);
  resourceSchemaUrlEnd = new Int32Array(CONTEXTS_AT_FIRST);
  scopeStart = new Int32Array(CONTEXTS_AT_FIRST);
  scopeEnd = new Int32Array(CONTEXTS_AT_FIRST);
  scopeSchemaUrlStart = new Int32Array(CONTEXTS_AT_FIRST);
  scopeSchemaUrlEnd = new Int32Array(CONTEXTS_AT_FIRST);

  private readonly rowsMax: number;

  /**
   * @param rowsMax a power of two. An empty span is two bytes and its row fifty, so whoever scans large requests of
   *   strangers sets a limit.
   */
  constructor(rowsMax = Number.POSITIVE_INFINITY) {
    this.rowsMax = rowsMax;
  }

  clear(): void {
    this.count = 0;
    this.contextCount = 0;
    this.isOverfull = false;
  }

  /** Appends an empty row and answers its index. */
  addSpan(): number {
    if (this.count === this.fieldStart.length) this.growSpans();
    const row = this.isOverfull ? 0 : this.count++;
    this.traceId[row] = -1;
    this.spanId[row] = -1;
    this.parentSpanId[row] = -1;
    this.nameStart[row] = 0;
    this.nameEnd[row] = 0;
    this.kind[row] = 0;
    this.statusCode[row] = 0;
    this.startHi[row] = 0;
    this.startLo[row] = 0;
    this.endHi[row] = 0;
    this.endLo[row] = 0;
    this.problem[row] = 0;
    return row;
  }

  /** Appends an empty context and answers its index. */
  addContext(): number {
    if (this.contextCount === this.resourceStart.length) this.growContexts();
    const row = this.isOverfull ? 0 : this.contextCount++;
    this.resourceStart[row] = -1;
    this.resourceEnd[row] = -1;
    this.resourceSchemaUrlStart[row] = -1;
    this.resourceSchemaUrlEnd[row] = -1;
    this.scopeStart[row] = -1;
    this.scopeEnd[row] = -1;
    this.scopeSchemaUrlStart[row] = -1;
    this.scopeSchemaUrlEnd[row] = -1;
    return row;
  }

  private growSpans(): void {
    const rows = this.fieldStart.length * 2;
    if (rows > this.rowsMax) {
      this.isOverfull = true;
      return;
    }
    this.fieldStart = grown(this.fieldStart, new Int32Array(rows));
    this.bodyStart = grown(this.bodyStart, new Int32Array(rows));
    this.bodyEnd = grown(this.bodyEnd, new Int32Array(rows));
    this.context = grown(this.context, new Int32Array(rows));
    this.traceId = grown(this.traceId, new Int32Array(rows));
    this.spanId = grown(this.spanId, new Int32Array(rows));
    this.parentSpanId = grown(this.parentSpanId, new Int32Array(rows));
    this.nameStart = grown(this.nameStart, new Int32Array(rows));
    this.nameEnd = grown(this.nameEnd, new Int32Array(rows));
    this.kind = grown(this.kind, new Uint8Array(rows));
    this.statusCode = grown(this.statusCode, new Uint8Array(rows));
    this.startHi = grown(this.startHi, new Uint32Array(rows));
    this.startLo = grown(this.startLo, new Uint32Array(rows));
    this.endHi = grown(this.endHi, new Uint32Array(rows));
    this.endLo = grown(this.endLo, new Uint32Array(rows));
    this.problem = grown(this.problem, new Uint8Array(rows));
  }

  private growContexts(): void {
    const rows = this.resourceStart.length * 2;
    if (rows > this.rowsMax) {
      this.isOverfull = true;
      return;
    }
    this.resourceStart = grown(this.resourceStart, new Int32Array(rows));
    this.resourceEnd = grown(this.resourceEnd, new Int32Array(rows));
    this.resourceSchemaUrlStart = grown(this.resourceSchemaUrlStart, new Int32Array(rows));
    this.resourceSchemaUrlEnd = grown(this.resourceSchemaUrlEnd, new Int32Array(rows));
    this.scopeStart = grown(this.scopeStart, new Int32Array(rows));
    this.scopeEnd = grown(this.scopeEnd, new Int32Array(rows));
    this.scopeSchemaUrlStart = grown(this.scopeSchemaUrlStart, new Int32Array(rows));
    this.scopeSchemaUrlEnd = grown(this.scopeSchemaUrlEnd, new Int32Array(rows));
  }
}

/** OTLP SpanKind, as in the column `kind`. */
export const SPAN_KIND = { unspecified: 0, internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;

/** Why a span cannot be routed; the order is the order of the checks. */
export const SPAN_PROBLEMS = [
  'none',
  'trace_id_length',
  'trace_id_zero',
  'span_id_length',
  'span_id_zero',
  'parent_span_id_length',
] as const;
export type SpanProblem = (typeof SPAN_PROBLEMS)[number];

const ROWS_AT_FIRST = 1024;
const CONTEXTS_AT_FIRST = 64;

function grown<T extends Int32Array | Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
