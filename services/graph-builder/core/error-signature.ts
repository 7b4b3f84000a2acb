import { ATTRIBUTES_OF, AttributeReader, fieldRange, findField } from '../../../lib/trace/attributes.ts';
import { cleanText } from './clean-name.ts';
import type { TraceSpans } from './trace-spans.ts';

/**
 * What kind of error a span had, in a few words that are the same for every error of the kind: `error.type`, the type
 * of its exception event, the response code of a database, the HTTP or gRPC status, else its status message with all
 * that varies replaced. Empty when the span says nothing.
 */
export function errorSignature(spans: TraceSpans, row: number): string {
  const { bytes, table } = spans;
  const start = table.bodyStart[row] as number;
  const end = table.bodyEnd[row] as number;
  SPAN.read(bytes, start, end, ATTRIBUTES_OF.span);
  const errorType = SPAN.text(0);
  const named =
    (errorType === '_OTHER' ? '' : errorType) ||
    exceptionType(bytes, start, end) ||
    coded('db', SPAN.text(1)) ||
    coded('http', SPAN.text(2) || SPAN.text(3)) ||
    coded('grpc', SPAN.text(4)) ||
    messageTemplate(statusMessage(bytes, start, end));
  return cleanText(named, SIGNATURE_CHARACTERS_MAX);
}

/** `service.version` of the resource of a span, or empty. */
export function serviceVersion(spans: TraceSpans, row: number): string {
  const { bytes, table } = spans;
  const context = table.context[row] as number;
  const start = table.resourceStart[context] as number;
  if (start < 0) return '';
  RESOURCE.read(bytes, start, table.resourceEnd[context] as number, ATTRIBUTES_OF.resource);
  return cleanText(RESOURCE.text(0), VERSION_CHARACTERS_MAX);
}

/** A message without what is different in each: quoted text, ids, numbers. */
export function messageTemplate(message: string): string {
  return message
    .slice(0, MESSAGE_CHARACTERS_MAX)
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '?')
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '?')
    .replace(/\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi, '?')
    .replace(/\d+(?:[.:,]\d+)*/g, '?')
    .replace(/\s+/g, ' ')
    .trim();
}

const SPAN = new AttributeReader([
  'error.type',
  'db.response.status_code',
  'http.response.status_code',
  'http.status_code',
  'rpc.grpc.status_code',
]);
const EVENT = new AttributeReader(['exception.type']);
const RESOURCE = new AttributeReader(['service.version']);
const SIGNATURE_CHARACTERS_MAX = 120;
const VERSION_CHARACTERS_MAX = 60;
const MESSAGE_CHARACTERS_MAX = 1000;
const TAG_SPAN_EVENTS = 0x5a;
const TAG_SPAN_STATUS = 0x7a;
const TAG_STATUS_MESSAGE = 0x12;

function coded(system: string, code: string): string {
  return code === '' ? '' : `${system} ${code}`;
}

/** Type of the last exception: the one that ended the span. */
function exceptionType(bytes: Buffer, start: number, end: number): string {
  let type = '';
  let at = start;
  while (findField(bytes, at, end, TAG_SPAN_EVENTS)) {
    const event = fieldRange();
    EVENT.read(bytes, event.start, event.end, ATTRIBUTES_OF.event);
    type = EVENT.text(0) || type;
    at = event.end;
  }
  return type;
}

function statusMessage(bytes: Buffer, start: number, end: number): string {
  if (!findField(bytes, start, end, TAG_SPAN_STATUS)) return '';
  const status = fieldRange();
  if (!findField(bytes, status.start, status.end, TAG_STATUS_MESSAGE)) return '';
  const message = fieldRange();
  return bytes.utf8Slice(message.start, message.end);
}
