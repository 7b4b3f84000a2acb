import type { Attribute, Span, Trace } from '../api-types.ts';
import { microsAt } from './micros.ts';
import { scopeTags } from './scope-tags.ts';
import { shortTraceId } from './trace-ids.ts';

export interface ZipkinEndpoint {
  readonly serviceName?: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly port?: number;
}

export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name?: string;
  readonly kind?: 'CLIENT' | 'SERVER' | 'PRODUCER' | 'CONSUMER';
  /** Microseconds since 1970. */
  readonly timestamp: number;
  /** Microseconds, at least 1. */
  readonly duration: number;
  readonly localEndpoint?: ZipkinEndpoint;
  readonly remoteEndpoint?: ZipkinEndpoint;
  readonly annotations?: readonly { readonly timestamp: number; readonly value: string }[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly shared?: true;
  readonly debug?: true;
}

/**
 * A trace as Zipkin's second model has it, by OpenTelemetry's rules for exporters to Zipkin; what the router made of
 * Zipkin's own fields (docs/ingest.md) becomes those fields again.
 */
export function zipkinTrace(trace: Omit<Trace, 'notices'>): ZipkinSpan[] {
  const traceId = shortTraceId(trace.traceId);
  return trace.spans.map((span) => {
    const own = textOf(span.detail?.attributes ?? []);
    const resource = textOf(trace.resources[span.resource]?.attributes ?? []);
    const annotations = annotationsOf(span, trace.startNs);
    const tags = tagsOf(span, own, resource);
    const kind = KINDS[span.kind];
    const local = endpoint(span.service, own, LOCAL);
    const remote = endpoint(remoteName(own), own, REMOTE);
    return {
      traceId,
      id: span.spanId,
      ...(span.parentSpanId === null ? {} : { parentId: span.parentSpanId }),
      ...(span.operation === '' ? {} : { name: span.operation }),
      ...(kind === undefined ? {} : { kind }),
      timestamp: microsAt(trace.startNs, span.offsetNs),
      duration: Math.max(1, Math.round(span.durationNs / 1000)),
      ...(local === undefined ? {} : { localEndpoint: local }),
      ...(remote === undefined ? {} : { remoteEndpoint: remote }),
      ...(annotations.length === 0 ? {} : { annotations }),
      ...(Object.keys(tags).length === 0 ? {} : { tags }),
      ...(own.get('zipkin.shared') === 'true' ? { shared: true as const } : {}),
      ...(own.get('zipkin.debug') === 'true' ? { debug: true as const } : {}),
    };
  });
}

function annotationsOf({ detail }: Span, startNs: string): { timestamp: number; value: string }[] {
  return (detail?.events ?? []).map(({ name, offsetNs, attributes }) => ({
    timestamp: microsAt(startNs, offsetNs),
    value: attributes.length === 0 ? name : JSON.stringify({ [name]: Object.fromEntries(textOf(attributes)) }),
  }));
}

function tagsOf(
  { status, statusMessage, detail }: Span,
  own: ReadonlyMap<string, string>,
  resource: ReadonlyMap<string, string>,
): Record<string, string> {
  // Without a prototype: keys come from outside.
  const tags: Record<string, string> = Object.create(null);
  for (const [key, value] of [...resource, ...own]) if (!FIELDS.has(key)) tags[key] = value;
  for (const [key, value] of scopeTags(detail?.scope)) tags[key] = value;
  if (status !== 'unset') tags['otel.status_code'] = status.toUpperCase();
  // Zipkin shows a span as failed by this tag alone, whatever its value.
  if (status === 'error') tags['error'] ??= statusMessage;
  return tags;
}

/** What a client called, by the first of OpenTelemetry's names that it gives. */
function remoteName(own: ReadonlyMap<string, string>): string {
  const key = REMOTE_NAMES.find((name) => own.has(name));
  return key === undefined ? '' : (own.get(key) as string);
}

function endpoint(
  serviceName: string,
  own: ReadonlyMap<string, string>,
  { address, port, second }: typeof LOCAL,
): ZipkinEndpoint | undefined {
  const addresses = [own.get(address), own.get(second)].filter((of) => of !== undefined);
  const ipv4 = addresses.find((of) => /^\d{1,3}(\.\d{1,3}){3}$/.test(of));
  const ipv6 = addresses.find((of) => of.includes(':'));
  const number = Number(own.get(port) ?? Number.NaN);
  const made: ZipkinEndpoint = {
    ...(serviceName === '' ? {} : { serviceName }),
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6 }),
    ...(number > 0 && number < 65_536 ? { port: number } : {}),
  };
  return Object.keys(made).length === 0 ? undefined : made;
}

function textOf(attributes: readonly Attribute[]): Map<string, string> {
  return new Map(attributes.map(({ key, value }) => [key, value]));
}

const KINDS: Readonly<Partial<Record<Span['kind'], NonNullable<ZipkinSpan['kind']>>>> = {
  client: 'CLIENT',
  server: 'SERVER',
  producer: 'PRODUCER',
  consumer: 'CONSUMER',
};
const LOCAL = { address: 'network.local.address', port: 'network.local.port', second: 'zipkin.local.ipv6' };
const REMOTE = { address: 'network.peer.address', port: 'network.peer.port', second: 'zipkin.peer.ipv6' };
/** https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/#otlp---zipkin */
const REMOTE_NAMES = ['peer.service', 'server.address', 'net.peer.name', 'messaging.system', 'db.system.name'];
/** Told by fields of the span. */
const FIELDS = new Set([
  'service.name',
  'peer.service',
  'zipkin.shared',
  'zipkin.debug',
  ...Object.values(LOCAL),
  ...Object.values(REMOTE),
]);
