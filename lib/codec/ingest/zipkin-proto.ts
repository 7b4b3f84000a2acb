import { WireReader } from '../../trace/wire-reader.ts';
import { type Converted, converting, countPart } from './converted.ts';
import { traceIdFromBytes } from './ids.ts';
import { ipText } from './ip-text.ts';
import { type Attribute, OtlpRequestWriter } from './otlp-request-writer.ts';
import { mapEntry, reading } from './proto-values.ts';
import { writeZipkinSpan, type ZipkinAnnotation, type ZipkinEndpoint, type ZipkinKind } from './zipkin-to-otlp.ts';

/** Zipkin's protobuf (`ListOfSpans` of zipkin-api's zipkin.proto) as an OTLP request. */
export function otlpFromZipkinProto(bytes: Buffer): Converted {
  return converting(() =>
    reading(() => {
      const out = new OtlpRequestWriter(bytes.length);
      const list = new WireReader(bytes);
      while (list.next()) if (list.tag === TAG.span) writeSpan(out, list.message());
      return out.finish();
    }),
  );
}

function writeSpan(out: OtlpRequestWriter, reader: WireReader): void {
  let traceId = EMPTY;
  let id = EMPTY;
  let parentId: Buffer | undefined;
  let kind: ZipkinKind | undefined;
  let name = '';
  let timestamp: bigint | undefined;
  let duration: bigint | undefined;
  let local: ZipkinEndpoint | undefined;
  let remote: ZipkinEndpoint | undefined;
  let debug = false;
  let shared = false;
  const annotations: ZipkinAnnotation[] = [];
  const tags: Attribute[] = [];
  while (reader.next()) {
    switch (reader.tag) {
      case TAG.traceId:
        traceId = traceIdFromBytes(reader.body());
        break;
      case TAG.parentId:
        if (reader.bodyEnd > reader.bodyStart) parentId = reader.body();
        break;
      case TAG.id:
        id = reader.body();
        break;
      case TAG.kind:
        kind = KINDS[reader.number()];
        break;
      case TAG.name:
        name = reader.text();
        break;
      case TAG.timestamp:
        timestamp = reader.fixed64();
        break;
      case TAG.duration:
        duration = reader.bigVarint();
        break;
      case TAG.local:
        local = endpoint(reader.message());
        break;
      case TAG.remote:
        remote = endpoint(reader.message());
        break;
      case TAG.annotation:
        countPart();
        annotations.push(annotation(reader.message()));
        break;
      case TAG.tag:
        countPart();
        tags.push(mapEntry(reader.message()));
        break;
      case TAG.debug:
        debug = reader.number() !== 0;
        break;
      case TAG.shared:
        shared = reader.number() !== 0;
        break;
    }
  }
  writeZipkinSpan(out, {
    traceId,
    id,
    parentId,
    kind,
    name,
    timestamp: timestamp === 0n ? undefined : timestamp,
    duration: duration === 0n ? undefined : duration,
    local,
    remote,
    annotations,
    tags,
    debug,
    shared,
  });
}

function endpoint(reader: WireReader): ZipkinEndpoint {
  let service = '';
  let ipv4 = '';
  let ipv6 = '';
  let port = 0;
  while (reader.next()) {
    if (reader.tag === TAG.endpointService) service = reader.text();
    else if (reader.tag === TAG.endpointIpv4) ipv4 = ipText(reader.body());
    else if (reader.tag === TAG.endpointIpv6) ipv6 = ipText(reader.body());
    else if (reader.tag === TAG.endpointPort) port = reader.number();
  }
  return { service, ipv4, ipv6, port };
}

function annotation(reader: WireReader): ZipkinAnnotation {
  let timestamp = 0n;
  let value = '';
  while (reader.next()) {
    if (reader.tag === TAG.annotationTimestamp) timestamp = reader.fixed64();
    else if (reader.tag === TAG.annotationValue) value = reader.text();
  }
  return { timestamp, value };
}

const EMPTY: Buffer = Buffer.alloc(0);
const KINDS: readonly (ZipkinKind | undefined)[] = [undefined, 'CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'];

/** `field number × 8 + wire type`. */
const TAG = {
  span: 0x0a,
  traceId: 0x0a,
  parentId: 0x12,
  id: 0x1a,
  kind: 0x20,
  name: 0x2a,
  timestamp: 0x31,
  duration: 0x38,
  local: 0x42,
  remote: 0x4a,
  annotation: 0x52,
  tag: 0x5a,
  debug: 0x60,
  shared: 0x68,
  endpointService: 0x0a,
  endpointIpv4: 0x12,
  endpointIpv6: 0x1a,
  endpointPort: 0x20,
  annotationTimestamp: 0x09,
  annotationValue: 0x12,
} as const;
