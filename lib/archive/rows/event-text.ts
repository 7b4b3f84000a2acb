import { ATTRIBUTES_OF, fieldRange, findField } from '../../trace/attributes.ts';
import { putHex, putKeyValues, putString, putText } from './json-text.ts';

/** An event of a span as `{"time_ns","name","attributes"}`. @param start,end body of the message. */
export function putEvent(to: Buffer, at: number, bytes: Buffer, start: number, end: number): number {
  let out = putText(to, at, `{"time_ns":${timeOf(bytes, start, end)},"name":`);
  const isNamed = findField(bytes, start, end, TAG_EVENT_NAME);
  out = putString(to, out, bytes, isNamed ? fieldRange().start : 0, isNamed ? fieldRange().end : 0);
  out = putText(to, out, ',"attributes":');
  out = putKeyValues(to, out, bytes, start, end, ATTRIBUTES_OF.event, 0);
  return putText(to, out, '}');
}

/** A link of a span as `{"trace_id","span_id","attributes"}`. @param start,end body of the message. */
export function putLink(to: Buffer, at: number, bytes: Buffer, start: number, end: number): number {
  let out = putText(to, at, '{"trace_id":"');
  if (findField(bytes, start, end, TAG_LINK_TRACE)) out = putHex(to, out, bytes, fieldRange().start, fieldRange().end);
  out = putText(to, out, '","span_id":"');
  if (findField(bytes, start, end, TAG_LINK_SPAN)) out = putHex(to, out, bytes, fieldRange().start, fieldRange().end);
  out = putText(to, out, '","attributes":');
  out = putKeyValues(to, out, bytes, start, end, ATTRIBUTES_OF.link, 0);
  return putText(to, out, '}');
}

/** Bytes of the JSON around what the message says. */
export const EVENT_BYTES_MORE = 128;

function timeOf(bytes: Buffer, start: number, end: number): string {
  // The time is the first field of every encoder; elsewhere it is not worth a search.
  return bytes[start] === TAG_EVENT_TIME && start + 9 <= end ? bytes.readBigUInt64LE(start + 1).toString() : '0';
}

/** Field number × 8 + wire type, of opentelemetry-proto trace/v1. */
const TAG_EVENT_TIME = 0x09;
const TAG_EVENT_NAME = 0x12;
const TAG_LINK_TRACE = 0x0a;
const TAG_LINK_SPAN = 0x12;
