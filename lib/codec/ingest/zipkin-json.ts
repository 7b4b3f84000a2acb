import { type Converted, converting, Unreadable } from './converted.ts';
import { spanIdFromHex, traceIdFromHex } from './ids.ts';
import { jsonItems } from './json-items.ts';
import { integerAt, type JsonObject, listAt, objectAt, textAt } from './json-value.ts';
import { type Attribute, type AttributeValue, OtlpRequestWriter } from './otlp-request-writer.ts';
import { writeZipkinSpan, ZIPKIN_KINDS, type ZipkinEndpoint, type ZipkinKind } from './zipkin-to-otlp.ts';
import { splitV1Span } from './zipkin-v1.ts';

/**
 * Zipkin's JSON as an OTLP request: a list of spans (or one alone), each of the first or of the second model. A span is of
 * the first when it has `binaryAnnotations` or an annotation with an endpoint.
 *
 * @param text UTF-8.
 */
export function otlpFromZipkinJson(text: Buffer): Converted {
  return converting(() => {
    const out = new OtlpRequestWriter(text.length);
    let i = 0;
    for (const span of jsonItems(text)) {
      writeSpan(out, objectAt(span, `Span ${i}`), `Span ${i}`);
      i++;
    }
    return out.finish();
  });
}

function writeSpan(out: OtlpRequestWriter, json: JsonObject, where: string): void {
  const annotations = listAt(json.annotations, `${where}'s annotations`).map((item) =>
    objectAt(item, `${where}'s annotation`),
  );
  const common = {
    traceId: traceIdFromHex(textAt(json.traceId, `${where}'s traceId`)),
    id: spanIdFromHex(textAt(json.id, `${where}'s id`)),
    parentId: isAbsent(json.parentId) ? undefined : spanIdFromHex(textAt(json.parentId, `${where}'s parentId`)),
    name: textAt(json.name, `${where}'s name`),
    timestamp: microsAt(json.timestamp, `${where}'s timestamp`),
    duration: microsAt(json.duration, `${where}'s duration`),
    debug: json.debug === true,
  };
  if (isV1(json, annotations)) {
    const binaryAnnotations = listAt(json.binaryAnnotations, `${where}'s binaryAnnotations`).map((item) => {
      const { key, value, type, endpoint } = objectAt(item, `${where}'s binary annotation`);
      return {
        key: textAt(key, `${where}'s binary annotation's key`),
        value: binaryValue(value, type, where),
        endpoint: endpointAt(endpoint, `${where}'s endpoint`),
      };
    });
    const v1Annotations = annotations.map((annotation) => ({
      ...annotationAt(annotation, where),
      endpoint: endpointAt(annotation.endpoint, `${where}'s endpoint`),
    }));
    for (const span of splitV1Span({ ...common, annotations: v1Annotations, binaryAnnotations })) {
      writeZipkinSpan(out, span);
    }
    return;
  }
  writeZipkinSpan(out, {
    ...common,
    kind: kindAt(json.kind, where),
    local: endpointAt(json.localEndpoint, `${where}'s localEndpoint`),
    remote: endpointAt(json.remoteEndpoint, `${where}'s remoteEndpoint`),
    annotations: annotations.map((annotation) => annotationAt(annotation, where)),
    tags: tagsAt(json.tags, where),
    shared: json.shared === true,
  });
}

function isV1(json: JsonObject, annotations: readonly JsonObject[]): boolean {
  return json.binaryAnnotations !== undefined || annotations.some(({ endpoint }) => endpoint !== undefined);
}

function kindAt(value: unknown, where: string): ZipkinKind | undefined {
  const kind = textAt(value, `${where}'s kind`).toUpperCase();
  return ZIPKIN_KINDS.has(kind) ? (kind as ZipkinKind) : undefined;
}

function annotationAt({ timestamp, value }: JsonObject, where: string) {
  return {
    timestamp: integerAt(timestamp, `${where}'s annotation's timestamp`) ?? 0n,
    value: textAt(value, `${where}'s annotation's value`),
  };
}

/** An endpoint with nothing in it is none. */
function endpointAt(value: unknown, where: string): ZipkinEndpoint | undefined {
  if (isAbsent(value)) return undefined;
  const { serviceName, ipv4, ipv6, port } = objectAt(value, where);
  const endpoint = {
    service: textAt(serviceName, `${where}'s serviceName`),
    ipv4: textAt(ipv4, `${where}'s ipv4`),
    ipv6: textAt(ipv6, `${where}'s ipv6`),
    port: portOf(integerAt(port, `${where}'s port`)),
  };
  const isEmpty = endpoint.service === '' && endpoint.ipv4 === '' && endpoint.ipv6 === '' && endpoint.port === 0;
  return isEmpty ? undefined : endpoint;
}

function portOf(port = 0n): number {
  return port > 0n && port <= PORT_MAX ? Number(port) : 0;
}

/** Tags are texts; some tracers write numbers and booleans, which keep their type. */
function tagsAt(value: unknown, where: string): Attribute[] {
  if (isAbsent(value)) return [];
  return Object.entries(objectAt(value, `${where}'s tags`)).map(([key, tag]) => [key, scalarAt(tag, where)]);
}

function scalarAt(value: unknown, where: string): AttributeValue {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (value === null) return '';
  throw new Unreadable(`${where} has a tag that is neither text nor number`);
}

/** `type` is one of I16, I32, I64, DOUBLE, BYTES (base64), BOOL and STRING; numbers may stand without it. */
function binaryValue(value: unknown, type: unknown, where: string): AttributeValue {
  if (type === 'BYTES' && typeof value === 'string') return Buffer.from(value, 'base64');
  if (type === 'DOUBLE' && typeof value === 'number') return value;
  if ((type === 'I64' || type === 'I32' || type === 'I16') && typeof value === 'string') {
    return integerAt(value, `${where}'s binary annotation`) ?? '';
  }
  return scalarAt(value, where);
}

function microsAt(value: unknown, where: string): bigint | undefined {
  const micros = integerAt(value, where);
  // In Zipkin zero means unknown.
  return micros === 0n ? undefined : micros;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

const PORT_MAX = 65_535n;
