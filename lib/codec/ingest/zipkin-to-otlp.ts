import {
  type Attribute,
  type DraftEvent,
  type DraftStatus,
  FLAG_SAMPLED,
  type OtlpRequestWriter,
  STATUS,
} from './otlp-request-writer.ts';

/** A span as Zipkin's second model has it. Empty texts and `undefined` are what was not there. */
export interface ZipkinSpan {
  readonly traceId: Uint8Array;
  readonly id: Uint8Array;
  readonly parentId: Uint8Array | undefined;
  readonly kind: ZipkinKind | undefined;
  readonly name: string;
  /** Microseconds since 1970. */
  readonly timestamp: bigint | undefined;
  /** Microseconds. */
  readonly duration: bigint | undefined;
  readonly local: ZipkinEndpoint | undefined;
  readonly remote: ZipkinEndpoint | undefined;
  readonly annotations: readonly ZipkinAnnotation[];
  readonly tags: readonly Attribute[];
  readonly debug: boolean;
  readonly shared: boolean;
}

export type ZipkinKind = 'CLIENT' | 'SERVER' | 'PRODUCER' | 'CONSUMER';

export interface ZipkinEndpoint {
  readonly service: string;
  readonly ipv4: string;
  readonly ipv6: string;
  /** 0 when unknown. */
  readonly port: number;
}

export interface ZipkinAnnotation {
  /** Microseconds since 1970. */
  readonly timestamp: bigint;
  readonly value: string;
}

export const ZIPKIN_KINDS: ReadonlySet<string> = new Set(['CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER']);

/**
 * Writes a Zipkin span as an OTLP span, as docs/ingest.md lays it out. What OTLP has no field for becomes attributes
 * (`zipkin.…`), so that nothing is lost; graph-builder's Zipkin mode reads them back.
 */
export function writeZipkinSpan(out: OtlpRequestWriter, span: ZipkinSpan): void {
  const service = span.local?.service ?? '';
  out.under(service, () => (service === '' ? [] : [['service.name', service]]));
  const firstEvent = span.timestamp ?? earliest(span.annotations);
  const startNanos = (firstEvent ?? 0n) * NANOS_PER_MICRO;
  out.span({
    traceId: span.traceId,
    spanId: span.id,
    parentSpanId: span.parentId,
    name: span.name,
    kind: span.kind === undefined ? KIND_UNSPECIFIED : OTLP_KINDS[span.kind],
    startNanos,
    endNanos: startNanos + (span.duration ?? 0n) * NANOS_PER_MICRO,
    attributes: attributesOf(span),
    events: span.annotations.map(eventOf),
    status: statusOf(span.tags),
    flags: span.debug ? FLAG_SAMPLED : 0,
  });
}

function attributesOf(span: ZipkinSpan): Attribute[] {
  const attributes: Attribute[] = [...span.tags];
  const { local, remote } = span;
  if (local !== undefined) addAddress(attributes, 'local', local);
  if (remote !== undefined) {
    if (remote.service !== '') attributes.push(['peer.service', remote.service]);
    addAddress(attributes, 'peer', remote);
  }
  if (span.shared) attributes.push(['zipkin.shared', true]);
  if (span.debug) attributes.push(['zipkin.debug', true]);
  if (span.timestamp === undefined) attributes.push(['zipkin.timestamp_absent', true]);
  if (span.duration === undefined) attributes.push(['zipkin.duration_absent', true]);
  return attributes;
}

/** OTLP's conventions have room for one address; a second one is kept beside it. */
function addAddress(attributes: Attribute[], side: 'local' | 'peer', { ipv4, ipv6, port }: ZipkinEndpoint): void {
  const address = ipv4 === '' ? ipv6 : ipv4;
  if (address !== '') attributes.push([`network.${side}.address`, address]);
  if (ipv4 !== '' && ipv6 !== '') attributes.push([`zipkin.${side}.ipv6`, ipv6]);
  if (port > 0) attributes.push([`network.${side}.port`, BigInt(port)]);
}

function eventOf({ timestamp, value }: ZipkinAnnotation): DraftEvent {
  return { timeNanos: timestamp * NANOS_PER_MICRO, name: value, attributes: [] };
}

/**
 * As exporters for Zipkin write it: OpenTelemetry's `otel.status_code`, OpenCensus' `census.status_code` (of gRPC, 0 is
 * OK), else an `error` tag, which says why.
 */
function statusOf(tags: readonly Attribute[]): DraftStatus | undefined {
  const error = textOf(tags, 'error');
  const code = textOf(tags, 'otel.status_code')?.toUpperCase();
  const censusCode = textOf(tags, 'census.status_code') ?? '0';
  const description = textOf(tags, 'otel.status_description') ?? textOf(tags, 'census.status_description');
  if (code === 'OK') return { code: STATUS.ok };
  if (code !== 'ERROR' && censusCode === '0' && (error === undefined || error === 'false')) return undefined;
  return { code: STATUS.error, message: description ?? (error === 'true' ? '' : (error ?? '')) };
}

function textOf(tags: readonly Attribute[], key: string): string | undefined {
  const value = tags.find(([name]) => name === key)?.[1];
  return value === undefined ? undefined : String(value);
}

function earliest(annotations: readonly ZipkinAnnotation[]): bigint | undefined {
  let first: bigint | undefined;
  for (const { timestamp } of annotations) if (first === undefined || timestamp < first) first = timestamp;
  return first;
}

const NANOS_PER_MICRO = 1000n;
const KIND_UNSPECIFIED = 0;
const OTLP_KINDS: Readonly<Record<ZipkinKind, number>> = { SERVER: 2, CLIENT: 3, PRODUCER: 4, CONSUMER: 5 };
