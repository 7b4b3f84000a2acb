import type { SpanTable } from './span-table.ts';

/** `undefined` when the bytes are a whole request, else why they are not, for a dead letter. */
export type ScanProblem = { reason: 'truncated' | 'invalid_wire' | 'repeated_resource'; at: number };

/**
 * Finds every span of an encoded OTLP `ExportTraceServiceRequest` without decoding it: positions go into `table`,
 * which is cleared first. Nothing is trusted: each length must end inside its parent, field 0 and groups are refused,
 * and identifiers of a wrong length or all zero are marked on their span.
 *
 * Field numbers are those of opentelemetry-proto `trace/v1/trace.proto`; field 1000 of ResourceSpans is
 * `instrumentation_library_spans` of OTLP before 0.15, which has the layout of ScopeSpans.
 *
 * @param bytes one request, or several concatenated: by protobuf's merge rule that is one request with all spans.
 */
export function scanOtlpRequest(
  bytes: Uint8Array,
  table: SpanTable,
  start = 0,
  end = bytes.length,
): ScanProblem | undefined {
  table.clear();
  failedAt = -1;
  let at = start;
  while (at < end) {
    const tag = readVarint(bytes, at, end);
    if (failedAt >= 0) return problem();
    at = next;
    if (tag === TAG_RESOURCE_SPANS) {
      const length = readVarint(bytes, at, end);
      if (failedAt >= 0 || next + length > end) return problem(at);
      const bodyEnd = next + length;
      scanResourceSpans(bytes, next, bodyEnd, table);
      if (failedAt >= 0) return problem();
      at = bodyEnd;
    } else {
      at = skipField(bytes, tag, at, end);
      if (failedAt >= 0) return problem();
    }
  }
  return undefined;
}

function scanResourceSpans(bytes: Uint8Array, start: number, end: number, table: SpanTable): void {
  const firstContext = table.contextCount;
  let resourceStart = -1;
  let resourceEnd = -1;
  let urlStart = -1;
  let urlEnd = -1;
  let at = start;
  while (at < end) {
    const tag = readVarint(bytes, at, end);
    if (failedAt >= 0) return;
    at = next;
    if (tag === TAG_SCOPE_SPANS || tag === TAG_RESOURCE || tag === TAG_SCHEMA_URL || tag === TAG_LIBRARY_SPANS) {
      const length = readVarint(bytes, at, end);
      if (failedAt >= 0 || next + length > end) return fail('truncated', at);
      const bodyEnd = next + length;
      if (tag === TAG_SCOPE_SPANS || tag === TAG_LIBRARY_SPANS) {
        scanScopeSpans(bytes, next, bodyEnd, table);
        if (failedAt >= 0) return;
      } else if (tag === TAG_RESOURCE) {
        // Protobuf would merge two resources field by field; no encoder writes that, and half of one must not be lost.
        if (resourceStart >= 0) return fail('repeated_resource', at);
        resourceStart = next;
        resourceEnd = bodyEnd;
        if (!isMessage(bytes, resourceStart, resourceEnd)) return;
      } else {
        urlStart = next;
        urlEnd = bodyEnd;
      }
      at = bodyEnd;
    } else {
      at = skipField(bytes, tag, at, end);
      if (failedAt >= 0) return;
    }
  }
  // The resource may legally come after its spans, so the contexts learn of it last.
  for (let row = firstContext; row < table.contextCount; row++) {
    table.resourceStart[row] = resourceStart;
    table.resourceEnd[row] = resourceEnd;
    table.resourceSchemaUrlStart[row] = urlStart;
    table.resourceSchemaUrlEnd[row] = urlEnd;
  }
}

function scanScopeSpans(bytes: Uint8Array, start: number, end: number, table: SpanTable): void {
  const context = table.addContext();
  let at = start;
  while (at < end) {
    const fieldStart = at;
    const tag = readVarint(bytes, at, end);
    if (failedAt >= 0) return;
    at = next;
    if (tag === TAG_SPAN || tag === TAG_SCOPE || tag === TAG_SCHEMA_URL) {
      const length = readVarint(bytes, at, end);
      if (failedAt >= 0 || next + length > end) return fail('truncated', at);
      const bodyStart = next;
      const bodyEnd = bodyStart + length;
      if (tag === TAG_SPAN) {
        const row = table.addSpan();
        table.fieldStart[row] = fieldStart;
        table.bodyStart[row] = bodyStart;
        table.bodyEnd[row] = bodyEnd;
        table.context[row] = context;
        scanSpan(bytes, bodyStart, bodyEnd, table, row);
        if (failedAt >= 0) return;
      } else if (tag === TAG_SCOPE) {
        table.scopeStart[context] = bodyStart;
        table.scopeEnd[context] = bodyEnd;
        if (!isMessage(bytes, bodyStart, bodyEnd)) return;
      } else {
        table.scopeSchemaUrlStart[context] = bodyStart;
        table.scopeSchemaUrlEnd[context] = bodyEnd;
      }
      at = bodyEnd;
    } else {
      at = skipField(bytes, tag, at, end);
      if (failedAt >= 0) return;
    }
  }
}

function scanSpan(bytes: Uint8Array, start: number, end: number, table: SpanTable, row: number): void {
  let traceIdAt = -1;
  let traceIdLength = 0;
  let spanIdAt = -1;
  let spanIdLength = 0;
  let parentAt = -1;
  let parentLength = 0;
  let at = start;
  while (at < end) {
    let tag = bytes[at] as number;
    if (tag < 0x80) at++;
    else {
      tag = readVarint(bytes, at, end);
      if (failedAt >= 0) return;
      at = next;
    }
    const wireType = tag & 7;
    if (wireType === WIRE_LENGTH) {
      let length = at < end ? (bytes[at] as number) : 0x80;
      if (length < 0x80) at++;
      else {
        length = readVarint(bytes, at, end);
        if (failedAt >= 0) return;
        at = next;
      }
      const bodyEnd = at + length;
      if (bodyEnd > end) return fail('truncated', at);
      if (tag === TAG_SPAN_TRACE_ID) {
        traceIdAt = at;
        traceIdLength = length;
      } else if (tag === TAG_SPAN_SPAN_ID) {
        spanIdAt = at;
        spanIdLength = length;
      } else if (tag === TAG_SPAN_PARENT_ID) {
        parentAt = at;
        parentLength = length;
      } else if (tag === TAG_SPAN_NAME) {
        table.nameStart[row] = at;
        table.nameEnd[row] = bodyEnd;
      } else if (tag === TAG_SPAN_STATUS) {
        table.statusCode[row] = scanStatus(bytes, at, bodyEnd);
        if (failedAt >= 0) return;
      } else if (tag < 8) return fail('invalid_wire', at);
      at = bodyEnd;
    } else if (wireType === WIRE_FIXED64) {
      if (at + 8 > end) return fail('truncated', at);
      if (tag === TAG_SPAN_START) {
        table.startLo[row] = readUint32(bytes, at);
        table.startHi[row] = readUint32(bytes, at + 4);
      } else if (tag === TAG_SPAN_END) {
        table.endLo[row] = readUint32(bytes, at);
        table.endHi[row] = readUint32(bytes, at + 4);
      } else if (tag < 8) return fail('invalid_wire', at);
      at += 8;
    } else if (tag === TAG_SPAN_KIND) {
      const kind = readVarint(bytes, at, end);
      if (failedAt >= 0) return;
      table.kind[row] = kind <= KIND_MAX ? kind : 0;
      at = next;
    } else {
      at = skipField(bytes, tag, at, end);
      if (failedAt >= 0) return;
    }
  }
  if (traceIdLength === 16) table.traceId[row] = traceIdAt;
  if (spanIdLength === 8) table.spanId[row] = spanIdAt;
  if (parentLength === 8 && !isZero(bytes, parentAt, 8)) table.parentSpanId[row] = parentAt;
  table.problem[row] = spanProblem(bytes, traceIdAt, traceIdLength, spanIdAt, spanIdLength, parentLength);
}

/** Index into SPAN_PROBLEMS. */
function spanProblem(
  bytes: Uint8Array,
  traceIdAt: number,
  traceIdLength: number,
  spanIdAt: number,
  spanIdLength: number,
  parentLength: number,
): number {
  if (traceIdLength !== 16) return 1;
  if (isZero(bytes, traceIdAt, 16)) return 2;
  if (spanIdLength !== 8) return 3;
  if (isZero(bytes, spanIdAt, 8)) return 4;
  return parentLength === 0 || parentLength === 8 ? 0 : 5;
}

function scanStatus(bytes: Uint8Array, start: number, end: number): number {
  let code = 0;
  let at = start;
  while (at < end) {
    const tag = readVarint(bytes, at, end);
    if (failedAt >= 0) return 0;
    at = next;
    if (tag === TAG_STATUS_CODE) {
      code = readVarint(bytes, at, end);
      if (failedAt >= 0) return 0;
      at = next;
    } else {
      at = skipField(bytes, tag, at, end);
      if (failedAt >= 0) return 0;
    }
  }
  return code <= 2 ? code : 0;
}

/** True when the range is a run of whole fields; else the failure is set. */
function isMessage(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const tag = readVarint(bytes, at, end);
    if (failedAt >= 0) return false;
    at = skipField(bytes, tag, next, end);
    if (failedAt >= 0) return false;
  }
  return true;
}

function isZero(bytes: Uint8Array, at: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[at + i] !== 0) return false;
  return true;
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

// ---- the cursor. Module state instead of returned pairs: an object for each varint would be the dearest thing here ----

/** Where the last read ended. */
let next = 0;
/** Where the bytes were found wrong, or -1. */
let failedAt = -1;
let failedReason: ScanProblem['reason'] = 'truncated';

function fail(reason: ScanProblem['reason'], at: number): void {
  if (failedAt >= 0) return;
  failedReason = reason;
  failedAt = at;
}

function problem(at = 0): ScanProblem {
  fail('truncated', at);
  return { reason: failedReason, at: failedAt };
}

/** Value of a varint up to 2^53; sets `next`. Longer ones keep their low bits: no tag, length or enum is that large. */
function readVarint(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let i = at; i < end && i < at + VARINT_BYTES_MAX; i++) {
    const byte = bytes[i] as number;
    if (byte < 0x80) {
      next = i + 1;
      return value + byte * scale;
    }
    value += (byte & 0x7f) * scale;
    scale *= 128;
  }
  fail(at + VARINT_BYTES_MAX <= end ? 'invalid_wire' : 'truncated', at);
  next = end;
  return 0;
}

/** One past a field whose tag was read; refuses field 0, groups (3, 4) and the unused wire types. */
function skipField(bytes: Uint8Array, tag: number, at: number, end: number): number {
  if (tag < 8) {
    fail('invalid_wire', at);
    return end;
  }
  switch (tag % 8) {
    case WIRE_VARINT:
      readVarint(bytes, at, end);
      return next;
    case WIRE_FIXED64:
      if (at + 8 > end) fail('truncated', at);
      return at + 8;
    case WIRE_LENGTH: {
      const length = readVarint(bytes, at, end);
      if (failedAt < 0 && next + length > end) fail('truncated', at);
      return next + length;
    }
    case WIRE_FIXED32:
      if (at + 4 > end) fail('truncated', at);
      return at + 4;
    default:
      fail('invalid_wire', at);
      return end;
  }
}

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_LENGTH = 2;
const WIRE_FIXED32 = 5;
const VARINT_BYTES_MAX = 10;
const KIND_MAX = 5;

/** A tag is `field number × 8 + wire type`. */
const TAG_RESOURCE_SPANS = 0x0a;
const TAG_RESOURCE = 0x0a;
const TAG_SCOPE_SPANS = 0x12;
const TAG_SCHEMA_URL = 0x1a;
const TAG_LIBRARY_SPANS = 1000 * 8 + WIRE_LENGTH;
const TAG_SCOPE = 0x0a;
const TAG_SPAN = 0x12;
const TAG_SPAN_TRACE_ID = 0x0a;
const TAG_SPAN_SPAN_ID = 0x12;
const TAG_SPAN_PARENT_ID = 0x22;
const TAG_SPAN_NAME = 0x2a;
const TAG_SPAN_KIND = 0x30;
const TAG_SPAN_START = 0x39;
const TAG_SPAN_END = 0x41;
const TAG_SPAN_STATUS = 0x7a;
const TAG_STATUS_CODE = 0x18;
