import { ATTRIBUTES_OF, AttributeReader } from '../../../../lib/trace/attributes.ts';
import type { NameTable } from '../name-table.ts';
import type { TraceSpans } from '../trace-spans.ts';

/** What Zipkin's rules look at of a span; parts of one span may still be several of these. */
export interface ZipkinSpan {
  /** Row of the scan; of merged parts the first one's. */
  readonly row: number;
  readonly id: string;
  parentId: string | undefined;
  kind: ZipkinKind | undefined;
  /** A server that goes on with its client's span id. */
  shared: boolean;
  /** Undefined when the span says nothing of where it was recorded. */
  local: ZipkinEndpoint | undefined;
  /** Number of the peer's service, or -1. */
  remote: number;
  /** It has an `error` tag, whatever it says. */
  error: boolean;
  /** Epoch microseconds, 0 when unknown. */
  readonly start: number;
}

export interface ZipkinEndpoint {
  /** Number in the NameTable, or -1. */
  service: number;
  /** For comparison; empty when the service is -1. */
  name: string;
  ipv4: string;
  ipv6: string;
  /** 0 when unknown. */
  port: number;
}

export type ZipkinKind = 'CLIENT' | 'SERVER' | 'PRODUCER' | 'CONSUMER';

/**
 * The spans of a trace as Zipkin would have got them. OTLP has no field for the shared flag and for the local address:
 * they are the attributes `zipkin.shared`, and `network.local.address` and `.port` or their old names. INTERNAL is no
 * kind there. Status ERROR is an `error` tag, as OpenTelemetry's exporters for Zipkin write it.
 */
export class ZipkinSpanReader {
  private readonly names: NameTable;
  private readonly attributes = new AttributeReader([
    'zipkin.shared',
    'error',
    'network.local.address',
    'net.host.ip',
    'network.local.port',
    'net.host.port',
  ]);

  constructor(names: NameTable) {
    this.names = names;
  }

  read(spans: TraceSpans): ZipkinSpan[] {
    const all: ZipkinSpan[] = [];
    for (let row = 0; row < spans.table.count; row++) all.push(this.span(spans, row));
    return all;
  }

  private span(spans: TraceSpans, row: number): ZipkinSpan {
    const { bytes, table } = spans;
    const { attributes } = this;
    attributes.read(bytes, table.bodyStart[row] as number, table.bodyEnd[row] as number, ATTRIBUTES_OF.span);
    const id = hexId(bytes, table.spanId[row] as number) ?? '';
    const parentId = hexId(bytes, table.parentSpanId[row] as number);
    return {
      row,
      id,
      parentId: parentId === id ? undefined : parentId,
      kind: KINDS[table.kind[row] as number],
      shared: attributes.text(0) === 'true',
      local: this.endpoint(spans, row),
      remote: spans.findPeer(row),
      error: attributes.has(1) || table.statusCode[row] === STATUS_ERROR,
      start: spans.startMicros(row),
    };
  }

  private endpoint(spans: TraceSpans, row: number): ZipkinEndpoint | undefined {
    const { attributes } = this;
    const service = spans.namedService(row);
    const address = attributes.text(2) || attributes.text(3);
    const port = attributes.integer(4) ?? attributes.integer(5) ?? 0;
    if (service < 0 && address === '' && port === 0) return undefined;
    const isIpv6 = address.includes(':');
    const name = service < 0 ? '' : this.names.serviceName(service);
    return { service, name, ipv4: isIpv6 ? '' : address, ipv6: isIpv6 ? address : '', port };
  }
}

/** In the order of OTLP's kinds. */
const KINDS: readonly (ZipkinKind | undefined)[] = [undefined, undefined, 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const STATUS_ERROR = 2;

function hexId(bytes: Buffer, at: number): string | undefined {
  return at < 0 ? undefined : bytes.hexSlice(at, at + 8);
}
