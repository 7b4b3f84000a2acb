import { WireWriter } from '../../trace/wire-writer.ts';
import { spanRead, Unreadable } from './converted.ts';

/** A span on its way into OTLP. Ids of a wrong length are written as they are: the router refuses that span alone. */
export interface DraftSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId?: Uint8Array | undefined;
  readonly traceState?: string | undefined;
  readonly name: string;
  /** OTLP SpanKind. */
  readonly kind: number;
  /** Unix nanoseconds, taken modulo 2^64. */
  readonly startNanos: bigint;
  readonly endNanos: bigint;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributes?: number;
  readonly events?: readonly DraftEvent[];
  readonly droppedEvents?: number;
  readonly links?: readonly DraftLink[];
  readonly droppedLinks?: number;
  readonly status?: DraftStatus | undefined;
  /** W3C trace flags in the low eight bits. */
  readonly flags?: number;
}

export interface DraftEvent {
  readonly timeNanos: bigint;
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributes?: number;
}

export interface DraftLink {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly traceState?: string | undefined;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributes?: number;
}

/** OTLP StatusCode: 0 unset, 1 ok, 2 error. */
export interface DraftStatus {
  readonly code: number;
  readonly message?: string;
}

/** Numbers are doubles, bigints are 64-bit integers. */
export type AttributeValue = string | boolean | number | bigint | Uint8Array | readonly AttributeValue[];
export type Attribute = readonly [key: string, value: AttributeValue];

export interface Scope {
  readonly name: string;
  readonly version: string;
}

export const STATUS = { unset: 0, ok: 1, error: 2 } as const;
/** W3C trace flag. */
export const FLAG_SAMPLED = 1;

/**
 * Writes spans of another format as one OTLP request, each at once, so that a record of a million spans costs no object
 * for each. A run of spans with the same resource and scope shares one ResourceSpans; the router merges those of one poll.
 */
export class OtlpRequestWriter {
  private readonly out: WireWriter;
  private resourceMark = -1;
  private scopeMark = -1;
  private openKey: string | undefined;

  private readonly bytesMax: number;

  /** @param inputBytes size of what the spans are made from: they may take GROWTH_MAX times as much, and GROWTH_FREE_BYTES. */
  constructor(inputBytes: number) {
    this.out = new WireWriter(Math.max(BYTES_MIN, inputBytes));
    this.bytesMax = inputBytes * GROWTH_MAX + GROWTH_FREE_BYTES;
  }

  /**
   * The spans that follow are of this resource and scope.
   * @param key equal exactly when resource and scope are.
   * @param attributes of the resource; called only when the key is another than before.
   */
  under(key: string, attributes: () => readonly Attribute[], scope?: Scope): void {
    if (this.openKey === key) return;
    this.close();
    this.openKey = key;
    const { out } = this;
    this.resourceMark = out.begin(TAG.resourceSpans, LONG);
    const resource = out.begin(TAG.resource, SHORT);
    for (const attribute of attributes()) writeAttribute(out, TAG.resourceAttribute, attribute);
    out.end(resource);
    this.scopeMark = out.begin(TAG.scopeSpans, LONG);
    if (scope === undefined) return;
    const mark = out.begin(TAG.scope, SHORT);
    if (scope.name !== '') out.textField(TAG.scopeName, scope.name);
    if (scope.version !== '') out.textField(TAG.scopeVersion, scope.version);
    out.end(mark);
  }

  /** @throws Unreadable when the spans take very much more than what they are made from. */
  span(span: DraftSpan): void {
    spanRead();
    const { out } = this;
    if (out.at > this.bytesMax) throw new Unreadable(`Its spans take more than ${GROWTH_MAX} times as much as OTLP`);
    const mark = out.begin(TAG.span, SPAN_LENGTH);
    writeId(out, TAG.traceId, span.traceId);
    writeId(out, TAG.spanId, span.spanId);
    if (span.traceState !== undefined && span.traceState !== '') out.textField(TAG.traceState, span.traceState);
    if (span.parentSpanId !== undefined) writeId(out, TAG.parentSpanId, span.parentSpanId);
    if (span.name !== '') out.textField(TAG.name, span.name);
    writeCount(out, TAG.kind, span.kind);
    writeTime(out, TAG.startTime, span.startNanos);
    writeTime(out, TAG.endTime, span.endNanos);
    for (const attribute of span.attributes) writeAttribute(out, TAG.spanAttribute, attribute);
    writeCount(out, TAG.droppedAttributes, span.droppedAttributes ?? 0);
    for (const event of span.events ?? []) writeEvent(out, event);
    writeCount(out, TAG.droppedEvents, span.droppedEvents ?? 0);
    for (const link of span.links ?? []) writeLink(out, link);
    writeCount(out, TAG.droppedLinks, span.droppedLinks ?? 0);
    if (span.status !== undefined && span.status.code !== STATUS.unset) writeStatus(out, span.status);
    if (span.flags !== undefined && span.flags !== 0) {
      out.varint(TAG.flags);
      out.fixed32(span.flags);
    }
    out.end(mark);
  }

  finish(): Buffer {
    this.close();
    return this.out.buffer.subarray(0, this.out.at);
  }

  private close(): void {
    if (this.openKey === undefined) return;
    this.out.end(this.scopeMark);
    this.out.end(this.resourceMark);
    this.openKey = undefined;
  }
}

function writeEvent(out: WireWriter, event: DraftEvent): void {
  const mark = out.begin(TAG.event, SHORT);
  writeTime(out, TAG.eventTime, event.timeNanos);
  if (event.name !== '') out.textField(TAG.eventName, event.name);
  for (const attribute of event.attributes) writeAttribute(out, TAG.eventAttribute, attribute);
  writeCount(out, TAG.eventDroppedAttributes, event.droppedAttributes ?? 0);
  out.end(mark);
}

function writeLink(out: WireWriter, link: DraftLink): void {
  const mark = out.begin(TAG.link, SHORT);
  writeId(out, TAG.linkTraceId, link.traceId);
  writeId(out, TAG.linkSpanId, link.spanId);
  if (link.traceState !== undefined && link.traceState !== '') out.textField(TAG.linkTraceState, link.traceState);
  for (const attribute of link.attributes) writeAttribute(out, TAG.linkAttribute, attribute);
  writeCount(out, TAG.linkDroppedAttributes, link.droppedAttributes ?? 0);
  out.end(mark);
}

function writeStatus(out: WireWriter, { code, message = '' }: DraftStatus): void {
  const mark = out.begin(TAG.status, SHORT);
  if (message !== '') out.textField(TAG.statusMessage, message);
  writeCount(out, TAG.statusCode, code);
  out.end(mark);
}

function writeAttribute(out: WireWriter, tag: number, [key, value]: Attribute): void {
  const mark = out.begin(tag, SHORT);
  out.textField(TAG.key, key);
  writeValue(out, TAG.value, value);
  out.end(mark);
}

function writeValue(out: WireWriter, tag: number, value: AttributeValue): void {
  const mark = out.begin(tag, SHORT);
  if (typeof value === 'string') out.textField(TAG.stringValue, value);
  else if (typeof value === 'boolean') {
    out.varint(TAG.boolValue);
    out.varint(value ? 1 : 0);
  } else if (typeof value === 'bigint') {
    out.varint(TAG.intValue);
    out.varint64(value);
  } else if (typeof value === 'number') {
    out.varint(TAG.doubleValue);
    out.double(value);
  } else if (value instanceof Uint8Array) out.bytesField(TAG.bytesValue, asBuffer(value));
  else {
    const array = out.begin(TAG.arrayValue, SHORT);
    for (const item of value) writeValue(out, TAG.arrayItem, item);
    out.end(array);
  }
  out.end(mark);
}

function writeId(out: WireWriter, tag: number, id: Uint8Array): void {
  if (id.length > 0) out.bytesField(tag, asBuffer(id));
}

function writeTime(out: WireWriter, tag: number, nanos: bigint): void {
  if (nanos === 0n) return;
  out.varint(tag);
  out.fixed64(BigInt.asUintN(64, nanos));
}

/** Protobuf leaves out what is zero. */
function writeCount(out: WireWriter, tag: number, count: number): void {
  if (count === 0) return;
  out.varint(tag);
  out.varint(count);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const BYTES_MIN = 1024;
/** Real spans take less than twice as much; empty ones, of two bytes each, would take fifty times. */
const GROWTH_MAX = 4;
const GROWTH_FREE_BYTES = 64 * 1024;
/** Expected lengths of bodies; a wrong guess only costs moving the body by a byte. */
const SHORT = 64;
const SPAN_LENGTH = 256;
const LONG = 16_384;

/** `field number × 8 + wire type`, from opentelemetry-proto. */
const TAG = {
  resourceSpans: 0x0a,
  resource: 0x0a,
  resourceAttribute: 0x0a,
  scopeSpans: 0x12,
  scope: 0x0a,
  scopeName: 0x0a,
  scopeVersion: 0x12,
  span: 0x12,
  traceId: 0x0a,
  spanId: 0x12,
  traceState: 0x1a,
  parentSpanId: 0x22,
  name: 0x2a,
  kind: 0x30,
  startTime: 0x39,
  endTime: 0x41,
  spanAttribute: 0x4a,
  droppedAttributes: 0x50,
  event: 0x5a,
  eventTime: 0x09,
  eventName: 0x12,
  eventAttribute: 0x1a,
  eventDroppedAttributes: 0x20,
  droppedEvents: 0x60,
  link: 0x6a,
  linkTraceId: 0x0a,
  linkSpanId: 0x12,
  linkTraceState: 0x1a,
  linkAttribute: 0x22,
  linkDroppedAttributes: 0x28,
  droppedLinks: 0x70,
  status: 0x7a,
  statusMessage: 0x12,
  statusCode: 0x18,
  flags: 16 * 8 + 5,
  key: 0x0a,
  value: 0x12,
  stringValue: 0x0a,
  boolValue: 0x10,
  intValue: 0x18,
  doubleValue: 0x21,
  arrayValue: 0x2a,
  arrayItem: 0x0a,
  bytesValue: 0x3a,
} as const;
