import { WireReader } from '../../../../lib/trace/wire-reader.ts';
import type { Attribute, SpanDetail } from '../api-types.ts';

/** A span's attributes, events and links, decoded. Field numbers are those of opentelemetry-proto `trace/v1`. */
export function readSpanDetail(
  bytes: Buffer,
  start: number,
  end: number,
  traceStartNs: bigint,
): Omit<SpanDetail, 'scope'> {
  const detail: Omit<SpanDetail, 'scope'> = { attributes: [], events: [], links: [] };
  const reader = new WireReader(bytes, start, end);
  while (reader.next()) {
    if (reader.tag === SPAN_ATTRIBUTE) detail.attributes.push(readAttribute(reader.message()));
    else if (reader.tag === SPAN_EVENT) detail.events.push(readEvent(reader.message(), traceStartNs));
    else if (reader.tag === SPAN_LINK) detail.links.push(readLink(reader.message()));
  }
  return detail;
}

export function readStatusMessage(bytes: Buffer, start: number, end: number): string {
  const reader = new WireReader(bytes, start, end);
  let message = '';
  while (reader.next()) {
    if (reader.tag !== SPAN_STATUS) continue;
    const status = reader.message();
    while (status.next()) if (status.tag === STATUS_MESSAGE) message = status.text();
  }
  return message;
}

/** Attributes of an encoded Resource. */
export function readResourceAttributes(bytes: Buffer, start: number, end: number): Attribute[] {
  const attributes: Attribute[] = [];
  const reader = new WireReader(bytes, start, end);
  while (reader.next()) if (reader.tag === RESOURCE_ATTRIBUTE) attributes.push(readAttribute(reader.message()));
  return attributes;
}

/** Name and version of an encoded InstrumentationScope. */
export function readScope(bytes: Buffer, start: number, end: number): string {
  let name = '';
  let version = '';
  const reader = new WireReader(bytes, start, end);
  while (reader.next()) {
    if (reader.tag === SCOPE_NAME) name = reader.text();
    else if (reader.tag === SCOPE_VERSION) version = reader.text();
  }
  return version === '' ? name : `${name} ${version}`;
}

function readEvent(reader: WireReader, traceStartNs: bigint): SpanDetail['events'][number] {
  const event: SpanDetail['events'][number] = { name: '', offsetNs: 0, attributes: [] };
  while (reader.next()) {
    if (reader.tag === EVENT_TIME) event.offsetNs = Number(reader.fixed64() - traceStartNs);
    else if (reader.tag === EVENT_NAME) event.name = reader.text();
    else if (reader.tag === EVENT_ATTRIBUTE) event.attributes.push(readAttribute(reader.message()));
  }
  return event;
}

function readLink(reader: WireReader): SpanDetail['links'][number] {
  const link: SpanDetail['links'][number] = { traceId: '', spanId: '', attributes: [] };
  while (reader.next()) {
    if (reader.tag === LINK_TRACE_ID) link.traceId = hex(reader);
    else if (reader.tag === LINK_SPAN_ID) link.spanId = hex(reader);
    else if (reader.tag === LINK_ATTRIBUTE) link.attributes.push(readAttribute(reader.message()));
  }
  return link;
}

function readAttribute(reader: WireReader): Attribute {
  let key = '';
  let value: Omit<Attribute, 'key'> = { type: 'empty', value: '' };
  while (reader.next()) {
    if (reader.tag === KEY) key = reader.text();
    else if (reader.tag === VALUE) value = readValue(reader.message(), 0);
  }
  return { key, ...value };
}

/** Arrays and maps become JSON text. */
function readValue(reader: WireReader, depth: number): Omit<Attribute, 'key'> {
  const any = anyValue(reader, depth);
  if (Array.isArray(any.json)) return { type: 'array', value: JSON.stringify(any.json) };
  if (any.type === 'map') return { type: 'map', value: JSON.stringify(any.json) };
  return { type: any.type, value: any.text };
}

interface Any {
  readonly type: Attribute['type'];
  readonly text: string;
  readonly json: unknown;
}

function anyValue(reader: WireReader, depth: number): Any {
  let any: Any = { type: 'empty', text: '', json: null };
  while (reader.next()) {
    switch (reader.tag) {
      case ANY_STRING:
        any = scalar('string', reader.text());
        break;
      case ANY_BOOL:
        any = { ...scalar('bool', String(reader.number() !== 0)), json: reader.number() !== 0 };
        break;
      case ANY_INT:
        any = scalar('int', String(BigInt.asIntN(64, reader.bigVarint())));
        break;
      case ANY_DOUBLE:
        any = { ...scalar('double', String(reader.double())), json: reader.double() };
        break;
      case ANY_BYTES:
        any = scalar('bytes', reader.bytes.toString('base64', reader.bodyStart, reader.bodyEnd));
        break;
      case ANY_ARRAY:
        any = { type: 'array', text: '', json: depth < DEPTH_MAX ? items(reader.message(), depth) : [] };
        break;
      case ANY_MAP:
        any = { type: 'map', text: '', json: depth < DEPTH_MAX ? entries(reader.message(), depth) : {} };
        break;
    }
  }
  return any;
}

function scalar(type: Attribute['type'], text: string): Any {
  return { type, text, json: text };
}

function items(reader: WireReader, depth: number): unknown[] {
  const list: unknown[] = [];
  while (reader.next()) if (reader.tag === LIST_ITEM) list.push(anyValue(reader.message(), depth + 1).json);
  return list;
}

function entries(reader: WireReader, depth: number): Record<string, unknown> {
  // Without a prototype: keys come from outside.
  const map: Record<string, unknown> = Object.create(null);
  while (reader.next()) {
    if (reader.tag !== LIST_ITEM) continue;
    const entry = reader.message();
    let key = '';
    let json: unknown = null;
    while (entry.next()) {
      if (entry.tag === KEY) key = entry.text();
      else if (entry.tag === VALUE) json = anyValue(entry.message(), depth + 1).json;
    }
    map[key] = json;
  }
  return map;
}

function hex(reader: WireReader): string {
  return reader.bytes.toString('hex', reader.bodyStart, reader.bodyEnd);
}

const SPAN_ATTRIBUTE = 0x4a;
const SPAN_EVENT = 0x5a;
const SPAN_LINK = 0x6a;
const SPAN_STATUS = 0x7a;
const STATUS_MESSAGE = 0x12;
const RESOURCE_ATTRIBUTE = 0x0a;
const SCOPE_NAME = 0x0a;
const SCOPE_VERSION = 0x12;
const EVENT_TIME = 0x09;
const EVENT_NAME = 0x12;
const EVENT_ATTRIBUTE = 0x1a;
const LINK_TRACE_ID = 0x0a;
const LINK_SPAN_ID = 0x12;
const LINK_ATTRIBUTE = 0x22;
const KEY = 0x0a;
const VALUE = 0x12;
const LIST_ITEM = 0x0a;
const ANY_STRING = 0x0a;
const ANY_BOOL = 0x10;
const ANY_INT = 0x18;
const ANY_DOUBLE = 0x21;
const ANY_ARRAY = 0x2a;
const ANY_MAP = 0x32;
const ANY_BYTES = 0x3a;
/** Deeper than anything that is meant to be read. */
const DEPTH_MAX = 20;
