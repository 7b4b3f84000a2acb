import { type OtlpJson, otlpToJson } from '../../../lib/codec/otlp-json.ts';
import { listOf, plainAttributes, textOfValue } from './any-value.ts';
import type { Batch } from './batch.ts';

/** A span of Zipkin's second model. */
export interface ZipkinJsonSpan {
  traceId: string;
  id: string;
  parentId?: string;
  kind?: string;
  name?: string;
  /** Microseconds since 1970. */
  timestamp?: number;
  /** Microseconds. */
  duration?: number;
  localEndpoint?: ZipkinJsonEndpoint;
  remoteEndpoint?: ZipkinJsonEndpoint;
  annotations?: { timestamp: number; value: string }[];
  tags?: Record<string, string>;
  debug?: true;
  shared?: true;
}

export interface ZipkinJsonEndpoint {
  serviceName?: string;
  ipv4?: string;
  ipv6?: string;
  port?: number;
}

/**
 * A batch as the list that Zipkin's `/api/v2/spans` takes.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/, which this follows; what came from Zipkin
 *   (docs/ingest.md) gets the fields back that OTLP has no place for.
 */
export function zipkinJson(batch: Batch): Buffer {
  return Buffer.from(JSON.stringify(batch.flatMap(({ trace }) => zipkinSpans(trace.otlp))));
}

/** @param otlp an encoded OTLP trace request. @throws SpanloomError OTLP_DECODE. */
export function zipkinSpans(otlp: Uint8Array): ZipkinJsonSpan[] {
  return listOf(otlpToJson(otlp), 'resourceSpans').flatMap((group) => {
    const resource = tagsOf(listOf(group['resource'], 'attributes'));
    return listOf(group, 'scopeSpans').flatMap((scoped) => {
      const common = { ...resource, ...scopeTags(scoped['scope'] as OtlpJson | undefined) };
      return listOf(scoped, 'spans').map((span) => zipkinSpan(span, common));
    });
  });
}

type Tags = Record<string, string>;

function zipkinSpan(span: OtlpJson, common: Tags): ZipkinJsonSpan {
  const tags: Tags = { ...common, ...tagsOf(listOf(span, 'attributes')) };
  const take = (key: string): string | undefined => {
    const value = tags[key];
    delete tags[key];
    return value;
  };
  const service = take('service.name');
  const kind = KINDS[Number(span['kind'] ?? 0)];
  const local = endpointOf(service, {
    address: take('network.local.address'),
    ipv6: take('zipkin.local.ipv6'),
    port: take('network.local.port'),
  });
  const remote = kind === 'SERVER' || kind === undefined ? givenEndpoint(take) : remoteEndpoint(tags, take);
  const isShared = take('zipkin.shared') === 'true';
  const isDebug = take('zipkin.debug') === 'true';
  const hasTimestamp = take('zipkin.timestamp_absent') !== 'true';
  const hasDuration = take('zipkin.duration_absent') !== 'true';
  const startNanos = BigInt(String(span['startTimeUnixNano'] ?? 0));
  const endNanos = BigInt(String(span['endTimeUnixNano'] ?? 0));
  addStatus(tags, span['status'] as OtlpJson | undefined);
  for (const [field, tag] of DROPPED) if (Number(span[field] ?? 0) > 0) tags[tag] = String(span[field]);
  const annotations = listOf(span, 'events').map(annotationOf);
  return {
    traceId: String(span['traceId'] ?? ''),
    id: String(span['spanId'] ?? ''),
    ...(isThere(span['parentSpanId']) ? { parentId: String(span['parentSpanId']) } : {}),
    ...(kind === undefined ? {} : { kind }),
    ...(isThere(span['name']) ? { name: String(span['name']) } : {}),
    ...(hasTimestamp && startNanos > 0n ? { timestamp: micros(startNanos) } : {}),
    ...(hasDuration ? { duration: durationMicros(startNanos, endNanos) } : {}),
    ...(local === undefined ? {} : { localEndpoint: local }),
    ...(remote === undefined ? {} : { remoteEndpoint: remote }),
    ...(annotations.length === 0 ? {} : { annotations }),
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
    ...(isDebug ? { debug: true } : {}),
    ...(isShared ? { shared: true } : {}),
  };
}

function tagsOf(attributes: readonly OtlpJson[]): Tags {
  const tags: Tags = {};
  for (const { key, value } of attributes) {
    // A plain assignment would not make this key one of the object's own.
    if (key !== undefined && key !== '__proto__') tags[String(key)] ??= textOfValue(value as OtlpJson);
  }
  return tags;
}

function scopeTags(scope: OtlpJson | undefined): Tags {
  return {
    ...(isThere(scope?.['name']) ? { 'otel.scope.name': String(scope?.['name']) } : {}),
    ...(isThere(scope?.['version']) ? { 'otel.scope.version': String(scope?.['version']) } : {}),
  };
}

function addStatus(tags: Tags, status: OtlpJson | undefined): void {
  const code = Number(status?.['code'] ?? 0);
  if (code === STATUS_OK) tags['otel.status_code'] = 'OK';
  // A tag `error` of `false` would hide the error.
  if (code !== STATUS_ERROR) return;
  tags['otel.status_code'] = 'ERROR';
  if (tags['error'] === undefined || tags['error'] === 'false') tags['error'] = String(status?.['message'] ?? '');
}

/** The name is the text of the annotation; attributes follow it as JSON. */
function annotationOf(event: OtlpJson): { timestamp: number; value: string } {
  const name = String(event['name'] ?? '');
  const attributes = listOf(event, 'attributes');
  return {
    timestamp: micros(BigInt(String(event['timeUnixNano'] ?? 0))),
    value: attributes.length === 0 ? name : `"${name}":${JSON.stringify(plainAttributes(attributes))}`,
  };
}

interface Address {
  readonly address: string | undefined;
  readonly ipv6: string | undefined;
  readonly port: string | undefined;
}

type Take = (key: string) => string | undefined;

/** What came from Zipkin as the other side, or names it outright. */
function givenEndpoint(take: Take): ZipkinJsonEndpoint | undefined {
  return endpointOf(take('peer.service'), {
    address: take('network.peer.address'),
    ipv6: take('zipkin.peer.ipv6'),
    port: take('network.peer.port'),
  });
}

/** Of a call to somebody else: who that is, by the best name that the span has. The attributes stay tags. */
function remoteEndpoint(tags: Tags, take: Take): ZipkinJsonEndpoint | undefined {
  const given = givenEndpoint(take);
  if (given?.serviceName !== undefined) return given;
  const name = REMOTE_NAMES.map((key) => tags[key]).find((value) => value !== undefined && value !== '');
  if (name === undefined) return given;
  const port = given?.port ?? Number(tags['server.port'] ?? 0);
  return { serviceName: name, ...given, ...(isPort(port) ? { port } : {}) };
}

function endpointOf(service: string | undefined, { address, ipv6, port }: Address): ZipkinJsonEndpoint | undefined {
  const endpoint: ZipkinJsonEndpoint = {
    ...(service ? { serviceName: service } : {}),
    ...(address ? (address.includes(':') ? { ipv6: address } : { ipv4: address }) : {}),
    ...(ipv6 ? { ipv6 } : {}),
    ...(isPort(Number(port ?? 0)) ? { port: Number(port) } : {}),
  };
  return Object.keys(endpoint).length === 0 ? undefined : endpoint;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== '';
}

function micros(nanos: bigint): number {
  return Number(nanos / 1000n);
}

/** Zipkin takes 0 for unknown, so what is shorter than a microsecond is one. */
function durationMicros(startNanos: bigint, endNanos: bigint): number {
  return Math.max(1, micros(endNanos - startNanos));
}

const KINDS: Readonly<Record<number, string>> = { 2: 'SERVER', 3: 'CLIENT', 4: 'PRODUCER', 5: 'CONSUMER' };
const STATUS_OK = 1;
const STATUS_ERROR = 2;
/** As the specification orders them, today's names beside those of old. */
const REMOTE_NAMES = [
  'server.address',
  'net.peer.name',
  'peer.hostname',
  'peer.address',
  'http.host',
  'db.name',
  'db.namespace',
];
const DROPPED = [
  ['droppedAttributesCount', 'otel.dropped_attributes_count'],
  ['droppedEventsCount', 'otel.dropped_events_count'],
  ['droppedLinksCount', 'otel.dropped_links_count'],
] as const;
