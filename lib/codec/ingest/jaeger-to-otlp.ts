import {
  type Attribute,
  type AttributeValue,
  type DraftEvent,
  type DraftLink,
  type DraftStatus,
  FLAG_SAMPLED,
  type OtlpRequestWriter,
  type Scope,
  STATUS,
} from './otlp-request-writer.ts';

/** A span of Jaeger's model (model.proto), whatever it came in. */
export interface JaegerSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  /** Thrift's own field for the parent; protobuf and JSON have references only. */
  readonly parentSpanId?: Uint8Array | undefined;
  readonly operationName: string;
  readonly references: readonly JaegerReference[];
  readonly flags: number;
  readonly startNanos: bigint;
  readonly durationNanos: bigint;
  readonly tags: readonly Attribute[];
  readonly logs: readonly JaegerLog[];
  readonly process: JaegerProcess;
  readonly warnings: readonly string[];
}

export interface JaegerReference {
  readonly type: 'child_of' | 'follows_from';
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
}

export interface JaegerLog {
  readonly timeNanos: bigint;
  readonly fields: readonly Attribute[];
}

export interface JaegerProcess {
  readonly serviceName: string;
  readonly tags: readonly Attribute[];
}

/**
 * Writes a Jaeger span as an OTLP span, as docs/ingest.md lays it out: `span.kind`, `error`, `otel.*` and `w3c.tracestate`
 * become OTLP's fields; the first CHILD_OF reference into the same trace is the parent (else the first FOLLOWS_FROM), the
 * others are links with their `opentracing.ref_type`.
 *
 * @param processKey equal exactly when the process is.
 */
export function writeJaegerSpan(out: OtlpRequestWriter, span: JaegerSpan, processKey: string): void {
  const tags = new Tags(span.tags);
  const scope = scopeOf(tags);
  const { process } = span;
  out.under(
    `${processKey}\n${scope?.name ?? ''}\n${scope?.version ?? ''}`,
    () => (process.serviceName === '' ? process.tags : [['service.name', process.serviceName], ...process.tags]),
    scope,
  );
  const parent = parentOf(span);
  const kind = KINDS[String(tags.value('span.kind')).toLowerCase()];
  if (kind !== undefined) tags.take('span.kind');
  const status = statusOf(tags);
  const traceState = tags.text('w3c.tracestate');
  if (traceState !== undefined) tags.take('w3c.tracestate');
  const attributes = tags.rest();
  if (span.flags > FLAG_SAMPLED) attributes.push(['jaeger.flags', BigInt(span.flags)]);
  if (span.warnings.length > 0) attributes.push(['jaeger.warnings', span.warnings]);
  out.span({
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: parent?.spanId ?? nonZero(span.parentSpanId),
    traceState,
    name: span.operationName,
    kind: kind ?? KIND_UNSPECIFIED,
    startNanos: span.startNanos,
    endNanos: span.startNanos + span.durationNanos,
    attributes,
    events: span.logs.map(eventOf),
    links: span.references.filter((reference) => reference !== parent || reference.type === 'follows_from').map(linkOf),
    status,
    flags: span.flags & FLAG_SAMPLED,
  });
}

function parentOf({ references, traceId, parentSpanId }: JaegerSpan): JaegerReference | undefined {
  const inTrace = references.filter((reference) => isEqual(reference.traceId, traceId));
  const explicit = nonZero(parentSpanId);
  if (explicit !== undefined)
    return inTrace.find(({ spanId, type }) => type === 'child_of' && isEqual(spanId, explicit));
  return inTrace.find(({ type }) => type === 'child_of') ?? inTrace[0];
}

function linkOf({ type, traceId, spanId }: JaegerReference): DraftLink {
  return { traceId, spanId, attributes: [['opentracing.ref_type', type]] };
}

/** The field `event`, else `message`, names the event. */
function eventOf({ timeNanos, fields }: JaegerLog): DraftEvent {
  const named = fields.find(([key]) => key === 'event') ?? fields.find(([key]) => key === 'message');
  if (named === undefined || typeof named[1] !== 'string') return { timeNanos, name: '', attributes: fields };
  return { timeNanos, name: named[1], attributes: fields.filter((field) => field !== named) };
}

function statusOf(tags: Tags): DraftStatus | undefined {
  const code = tags.text('otel.status_code')?.toUpperCase();
  const message = tags.text('otel.status_description') ?? '';
  const error = tags.value('error');
  const failed = code === 'ERROR' || (code !== 'OK' && error !== undefined && error !== false && error !== 'false');
  if (code === 'OK' || code === 'ERROR') tags.take('otel.status_code');
  if (failed) {
    tags.take('otel.status_description');
    // Any other value says something of its own and stays.
    if (error === true) tags.take('error');
    return { code: STATUS.error, message };
  }
  return code === 'OK' ? { code: STATUS.ok } : undefined;
}

/** OpenTelemetry's exporters for Jaeger write the scope as tags, older ones under its former name. */
function scopeOf(tags: Tags): Scope | undefined {
  for (const prefix of ['otel.scope', 'otel.library']) {
    const name = tags.text(`${prefix}.name`);
    if (name === undefined) continue;
    const version = tags.text(`${prefix}.version`) ?? '';
    tags.take(`${prefix}.name`);
    tags.take(`${prefix}.version`);
    return { name, version };
  }
  return undefined;
}

/** Tags of which some become fields. */
class Tags {
  private readonly all: readonly Attribute[];
  private readonly taken = new Set<string>();

  constructor(all: readonly Attribute[]) {
    this.all = all;
  }

  value(key: string): AttributeValue | undefined {
    return this.all.find(([name]) => name === key)?.[1];
  }

  text(key: string): string | undefined {
    const value = this.value(key);
    return typeof value === 'string' ? value : undefined;
  }

  take(key: string): void {
    this.taken.add(key);
  }

  rest(): Attribute[] {
    return this.taken.size === 0 ? [...this.all] : this.all.filter(([key]) => !this.taken.has(key));
  }
}

function nonZero(id: Uint8Array | undefined): Uint8Array | undefined {
  return id?.some((byte) => byte !== 0) ? id : undefined;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

const KIND_UNSPECIFIED = 0;
const KINDS: Readonly<Record<string, number | undefined>> = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};
