import { WireReader } from '../../trace/wire-reader.ts';
import { type Converted, converting, countPart } from './converted.ts';
import { traceIdFromBytes } from './ids.ts';
import {
  type Attribute,
  type DraftEvent,
  type DraftLink,
  type DraftSpan,
  type DraftStatus,
  OtlpRequestWriter,
  STATUS,
} from './otlp-request-writer.ts';
import { mapEntry, nanosOf, reading } from './proto-values.ts';

/**
 * OpenCensus' agent request (`ExportTraceServiceRequest` of opencensus-proto's agent/trace/v1) as an OTLP request, as
 * docs/ingest.md lays it out: the node and the resource are OTLP's resource, what OTLP has no field for becomes
 * `opencensus.…` attributes.
 */
export function otlpFromOpenCensus(bytes: Buffer): Converted {
  return converting(() =>
    reading(() => {
      const out = new OtlpRequestWriter(bytes.length);
      const common = readContext(new WireReader(bytes));
      const request = new WireReader(bytes);
      while (request.next()) {
        if (request.tag !== TAG.span) continue;
        const { span, resource } = readSpan(request.message());
        // A span may name a resource of its own instead of the request's.
        const attributes =
          resource === undefined ? [...common.node, ...common.resource] : [...common.node, ...resource];
        out.under(resource === undefined ? '' : `own ${JSON.stringify(resource, bigintText)}`, () => attributes);
        out.span(span);
      }
      return out.finish();
    }),
  );
}

/** Node and resource; streams send them with the first request only, so either may be missing. */
function readContext(request: WireReader): { node: Attribute[]; resource: Attribute[] } {
  let node: Attribute[] = [];
  let resource: Attribute[] = [];
  while (request.next()) {
    if (request.tag === TAG.node) node = readNode(request.message());
    else if (request.tag === TAG.requestResource) resource = readResource(request.message());
  }
  return { node, resource };
}

function readNode(reader: WireReader): Attribute[] {
  const attributes: Attribute[] = [];
  while (reader.next()) {
    const part = reader.message();
    if (reader.tag === TAG.nodeIdentifier) readIdentifier(part, attributes);
    else if (reader.tag === TAG.nodeLibrary) readLibrary(part, attributes);
    else if (reader.tag === TAG.nodeAttribute) {
      countPart();
      attributes.push(mapEntry(part));
    } else if (reader.tag === TAG.nodeService) {
      while (part.next()) if (part.tag === TAG.serviceName) attributes.unshift(['service.name', part.text()]);
    }
  }
  return attributes;
}

function readIdentifier(reader: WireReader, attributes: Attribute[]): void {
  while (reader.next()) {
    if (reader.tag === 0x0a) attributes.push(['host.name', reader.text()]);
    else if (reader.tag === 0x10) attributes.push(['process.pid', BigInt(reader.number())]);
    else if (reader.tag === 0x1a) attributes.push(['opencensus.start_time_unix_nano', nanosOf(reader.message())]);
  }
}

function readLibrary(reader: WireReader, attributes: Attribute[]): void {
  while (reader.next()) {
    if (reader.tag === 0x08) attributes.push(['telemetry.sdk.language', LANGUAGES[reader.number()] ?? 'unknown']);
    else if (reader.tag === 0x12) attributes.push(['opencensus.exporter_version', reader.text()]);
    else if (reader.tag === 0x1a) attributes.push(['telemetry.sdk.version', reader.text()]);
  }
}

function readResource(reader: WireReader): Attribute[] {
  const attributes: Attribute[] = [];
  while (reader.next()) {
    if (reader.tag === 0x0a) attributes.push(['opencensus.resource_type', reader.text()]);
    else if (reader.tag === 0x12) {
      countPart();
      attributes.push(mapEntry(reader.message()));
    }
  }
  return attributes;
}

function readSpan(reader: WireReader): { span: DraftSpan; resource: Attribute[] | undefined } {
  const span: Mutable<DraftSpan> = {
    traceId: EMPTY,
    spanId: EMPTY,
    name: '',
    kind: KIND_UNSPECIFIED,
    startNanos: 0n,
    endNanos: 0n,
    attributes: [],
  };
  const extra: Attribute[] = [];
  let resource: Attribute[] | undefined;
  while (reader.next()) {
    switch (reader.tag) {
      case TAG.traceId:
        span.traceId = traceIdFromBytes(reader.body());
        break;
      case TAG.spanId:
        span.spanId = reader.body();
        break;
      case TAG.parentSpanId:
        if (reader.bodyEnd > reader.bodyStart) span.parentSpanId = reader.body();
        break;
      case TAG.name:
        span.name = readText(reader.message());
        break;
      case TAG.startTime:
        span.startNanos = nanosOf(reader.message());
        break;
      case TAG.endTime:
        span.endNanos = nanosOf(reader.message());
        break;
      case TAG.attributes: {
        const { attributes, dropped } = readAttributes(reader.message());
        span.attributes = attributes;
        span.droppedAttributes = dropped;
        break;
      }
      case TAG.stackTrace:
        extra.push(['code.stacktrace', readStackTrace(reader.message())]);
        break;
      case TAG.timeEvents:
        readTimeEvents(reader.message(), span);
        break;
      case TAG.links:
        readLinks(reader.message(), span);
        break;
      case TAG.status:
        span.status = readStatus(reader.message(), extra);
        break;
      case TAG.sameProcess:
        extra.push(['opencensus.same_process_as_parent', readWrapped(reader.message()) !== 0]);
        break;
      case TAG.childCount:
        extra.push(['opencensus.child_span_count', BigInt(readWrapped(reader.message()))]);
        break;
      case TAG.kind:
        span.kind = KINDS[reader.number()] ?? KIND_UNSPECIFIED;
        break;
      case TAG.traceState:
        span.traceState = readTraceState(reader.message());
        break;
      case TAG.resource:
        resource = readResource(reader.message());
        break;
    }
  }
  span.attributes = [...span.attributes, ...extra];
  return { span, resource };
}

function readAttributes(reader: WireReader): { attributes: Attribute[]; dropped: number } {
  const attributes: Attribute[] = [];
  let dropped = 0;
  while (reader.next()) {
    if (reader.tag === 0x0a) {
      countPart();
      attributes.push(readAttribute(reader.message()));
    } else if (reader.tag === 0x10) dropped = reader.number();
  }
  return { attributes, dropped };
}

function readAttribute(reader: WireReader): Attribute {
  let key = '';
  let value: Attribute[1] = '';
  while (reader.next()) {
    if (reader.tag === 0x0a) key = reader.text();
    else if (reader.tag === 0x12) {
      const typed = reader.message();
      while (typed.next()) {
        if (typed.tag === 0x0a) value = readText(typed.message());
        else if (typed.tag === 0x10) value = BigInt.asIntN(64, typed.bigVarint());
        else if (typed.tag === 0x18) value = typed.number() !== 0;
        else if (typed.tag === 0x21) value = typed.double();
      }
    }
  }
  return [key, value];
}

/** Annotations and messages sent or received. */
function readTimeEvents(reader: WireReader, span: Mutable<DraftSpan>): void {
  const events: DraftEvent[] = [];
  let dropped = 0;
  while (reader.next()) {
    if (reader.tag === 0x0a) {
      countPart();
      events.push(readTimeEvent(reader.message()));
    } else if (reader.tag === 0x10 || reader.tag === 0x18) dropped += reader.number();
  }
  span.events = events;
  span.droppedEvents = dropped;
}

function readTimeEvent(reader: WireReader): DraftEvent {
  const event: Mutable<DraftEvent> = { timeNanos: 0n, name: '', attributes: [] };
  while (reader.next()) {
    if (reader.tag === 0x0a) event.timeNanos = nanosOf(reader.message());
    else if (reader.tag === 0x12) {
      const annotation = reader.message();
      while (annotation.next()) {
        if (annotation.tag === 0x0a) event.name = readText(annotation.message());
        else if (annotation.tag === 0x12) {
          const { attributes, dropped } = readAttributes(annotation.message());
          event.attributes = attributes;
          event.droppedAttributes = dropped;
        }
      }
    } else if (reader.tag === 0x1a) {
      event.name = 'message';
      event.attributes = readMessageEvent(reader.message());
    }
  }
  return event;
}

function readMessageEvent(reader: WireReader): Attribute[] {
  const attributes: Attribute[] = [];
  while (reader.next()) {
    if (reader.tag === 0x08) attributes.push(['message.type', reader.number() === 1 ? 'SENT' : 'RECEIVED']);
    else if (reader.tag === 0x10) attributes.push(['message.id', reader.bigVarint()]);
    else if (reader.tag === 0x18) attributes.push(['message.uncompressed_size', reader.bigVarint()]);
    else if (reader.tag === 0x20) attributes.push(['message.compressed_size', reader.bigVarint()]);
  }
  return attributes;
}

function readLinks(reader: WireReader, span: Mutable<DraftSpan>): void {
  const links: DraftLink[] = [];
  while (reader.next()) {
    if (reader.tag === 0x0a) {
      countPart();
      links.push(readLink(reader.message()));
    } else if (reader.tag === 0x10) span.droppedLinks = reader.number();
  }
  span.links = links;
}

function readLink(reader: WireReader): DraftLink {
  const link: Mutable<DraftLink> = { traceId: EMPTY, spanId: EMPTY, attributes: [] };
  let type = '';
  while (reader.next()) {
    if (reader.tag === 0x0a) link.traceId = traceIdFromBytes(reader.body());
    else if (reader.tag === 0x12) link.spanId = reader.body();
    else if (reader.tag === 0x18) type = LINK_TYPES[reader.number()] ?? '';
    else if (reader.tag === 0x22) {
      const { attributes, dropped } = readAttributes(reader.message());
      link.attributes = attributes;
      link.droppedAttributes = dropped;
    } else if (reader.tag === 0x2a) link.traceState = readTraceState(reader.message());
  }
  if (type !== '') link.attributes = [...link.attributes, ['opencensus.link_type', type]];
  return link;
}

/** Codes are gRPC's; 0 is what a span without a failure has. */
function readStatus(reader: WireReader, extra: Attribute[]): DraftStatus {
  let code = 0;
  let message = '';
  while (reader.next()) {
    if (reader.tag === 0x08) code = reader.number();
    else if (reader.tag === 0x12) message = reader.text();
  }
  if (code === 0) return { code: STATUS.unset };
  extra.push(['opencensus.status_code', BigInt(code)]);
  return { code: STATUS.error, message };
}

function readTraceState(reader: WireReader): string {
  const entries: string[] = [];
  while (reader.next()) {
    if (reader.tag !== 0x0a) continue;
    countPart();
    entries.push(mapEntry(reader.message()).join('='));
  }
  return entries.join(',');
}

/** One line per frame, as most languages print them. */
function readStackTrace(reader: WireReader): string {
  const lines: string[] = [];
  while (reader.next()) {
    if (reader.tag !== 0x0a) continue;
    const frames = reader.message();
    while (frames.next()) {
      if (frames.tag !== 0x0a) continue;
      countPart();
      lines.push(readFrame(frames.message()));
    }
  }
  return lines.join('\n');
}

function readFrame(reader: WireReader): string {
  let name = '';
  let file = '';
  let line = '';
  while (reader.next()) {
    if (reader.tag === 0x0a) name = readText(reader.message());
    else if (reader.tag === 0x1a) file = readText(reader.message());
    else if (reader.tag === 0x20) line = `:${reader.number()}`;
  }
  return `at ${name} (${file}${line})`;
}

/** A TruncatableString. */
function readText(reader: WireReader): string {
  let text = '';
  while (reader.next()) if (reader.tag === 0x0a) text = reader.text();
  return text;
}

/** A BoolValue or UInt32Value of google.protobuf. */
function readWrapped(reader: WireReader): number {
  let value = 0;
  while (reader.next()) if (reader.tag === 0x08) value = reader.number();
  return value;
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const EMPTY: Buffer = Buffer.alloc(0);
const KIND_UNSPECIFIED = 0;
const KINDS = [KIND_UNSPECIFIED, 2, 3];
const LINK_TYPES = ['', 'CHILD_LINKED_SPAN', 'PARENT_LINKED_SPAN'];
const LANGUAGES = ['unknown', 'cpp', 'dotnet', 'erlang', 'go', 'java', 'nodejs', 'php', 'python', 'ruby', 'webjs'];

/** `field number × 8 + wire type`. */
const TAG = {
  node: 0x0a,
  span: 0x12,
  requestResource: 0x1a,
  nodeIdentifier: 0x0a,
  nodeLibrary: 0x12,
  nodeService: 0x1a,
  nodeAttribute: 0x22,
  serviceName: 0x0a,
  traceId: 0x0a,
  spanId: 0x12,
  parentSpanId: 0x1a,
  name: 0x22,
  startTime: 0x2a,
  endTime: 0x32,
  attributes: 0x3a,
  stackTrace: 0x42,
  timeEvents: 0x4a,
  links: 0x52,
  status: 0x5a,
  sameProcess: 0x62,
  childCount: 0x6a,
  kind: 0x70,
  traceState: 0x7a,
  resource: 16 * 8 + 2,
} as const;
