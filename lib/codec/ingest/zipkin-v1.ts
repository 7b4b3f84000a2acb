import type { Attribute, AttributeValue } from './otlp-request-writer.ts';
import type { ZipkinAnnotation, ZipkinEndpoint, ZipkinKind, ZipkinSpan } from './zipkin-to-otlp.ts';

/** A span as Zipkin's first model has it: both sides of a call may have written into one. */
export interface ZipkinV1Span {
  readonly traceId: Uint8Array;
  readonly id: Uint8Array;
  readonly parentId: Uint8Array | undefined;
  readonly name: string;
  readonly timestamp: bigint | undefined;
  readonly duration: bigint | undefined;
  readonly debug: boolean;
  readonly annotations: readonly V1Annotation[];
  readonly binaryAnnotations: readonly V1BinaryAnnotation[];
}

export interface V1Annotation extends ZipkinAnnotation {
  readonly endpoint: ZipkinEndpoint | undefined;
}

export interface V1BinaryAnnotation {
  readonly key: string;
  readonly value: AttributeValue;
  readonly endpoint: ZipkinEndpoint | undefined;
}

/**
 * The spans of the second model that one of the first stands for: one per side that wrote into it. `cs`/`cr` make a
 * CLIENT, `sr`/`ss` a SERVER, `ms` a PRODUCER, `mr` a CONSUMER; `sa`, `ca` and `ma` name the other side. A server half
 * beside a client half is shared. A span without any of these has no kind.
 */
export function splitV1Span(span: ZipkinV1Span): ZipkinSpan[] {
  const sides = SIDES.flatMap((side) => {
    const begin = span.annotations.find(({ value }) => value === side.begin);
    const end = span.annotations.find(({ value }) => value === side.end);
    return begin === undefined && end === undefined ? [] : [{ ...side, begin, end }];
  });
  const others = span.annotations.filter(({ value }) => !CORE.has(value));
  const tags = span.binaryAnnotations.filter((annotation) => !isAddress(annotation));
  if (sides.length === 0) return [plainSpan(span, others, tags)];
  const hasClient = sides.some(({ kind }) => kind === 'CLIENT');
  return sides.map((side, place) => {
    const local = side.begin?.endpoint ?? side.end?.endpoint;
    const isOurs = (endpoint: ZipkinEndpoint | undefined) => sides.length === 1 || sideOf(endpoint, sides) === place;
    const isSecond = side.kind === 'SERVER' && hasClient;
    const whole = isSecond ? undefined : span;
    return {
      ...identity(span),
      kind: side.kind,
      timestamp: whole?.timestamp ?? side.begin?.timestamp,
      duration: whole?.duration ?? between(side.begin, side.end),
      local: local ?? (sides.length === 1 ? anyEndpoint(others, tags) : undefined),
      remote: addressOf(span.binaryAnnotations, side.address, local),
      annotations: others.filter(({ endpoint }) => isOurs(endpoint)),
      tags: tags.filter(({ endpoint }) => isOurs(endpoint)).map(tagOf),
      shared: isSecond,
    };
  });
}

function plainSpan(
  span: ZipkinV1Span,
  annotations: readonly V1Annotation[],
  tags: readonly V1BinaryAnnotation[],
): ZipkinSpan {
  const local = anyEndpoint(annotations, tags);
  const remote = ADDRESSES.map((key) => addressOf(span.binaryAnnotations, key, local)).find((found) => found);
  return {
    ...identity(span),
    kind: undefined,
    timestamp: span.timestamp,
    duration: span.duration,
    local,
    remote,
    annotations,
    tags: tags.map(tagOf),
    shared: false,
  };
}

function identity({ traceId, id, parentId, name, debug }: ZipkinV1Span) {
  return { traceId, id, parentId, name, debug };
}

/** What somebody else than the two sides wrote belongs to the first. */
function sideOf(
  endpoint: ZipkinEndpoint | undefined,
  sides: readonly { begin: V1Annotation | undefined; end: V1Annotation | undefined }[],
): number {
  const place = sides.findIndex(({ begin, end }) => {
    const own = begin?.endpoint ?? end?.endpoint;
    return endpoint !== undefined && own !== undefined && isSame(own, endpoint);
  });
  return Math.max(0, place);
}

function isAddress({ key, value }: V1BinaryAnnotation): boolean {
  return ADDRESSES.includes(key) && typeof value === 'boolean';
}

/** The endpoint that an address annotation names, unless it is the span's own. */
function addressOf(
  all: readonly V1BinaryAnnotation[],
  key: string,
  local: ZipkinEndpoint | undefined,
): ZipkinEndpoint | undefined {
  const found = all.find((annotation) => annotation.key === key && isAddress(annotation))?.endpoint;
  return found === undefined || (local !== undefined && isSame(found, local)) ? undefined : found;
}

function anyEndpoint(
  annotations: readonly V1Annotation[],
  tags: readonly V1BinaryAnnotation[],
): ZipkinEndpoint | undefined {
  return [...annotations, ...tags].find(({ endpoint }) => endpoint !== undefined)?.endpoint;
}

function isSame(a: ZipkinEndpoint, b: ZipkinEndpoint): boolean {
  return a.service === b.service && a.ipv4 === b.ipv4 && a.ipv6 === b.ipv6 && a.port === b.port;
}

function between(begin: V1Annotation | undefined, end: V1Annotation | undefined): bigint | undefined {
  if (begin === undefined || end === undefined || end.timestamp < begin.timestamp) return undefined;
  return end.timestamp - begin.timestamp;
}

function tagOf({ key, value }: V1BinaryAnnotation): Attribute {
  return [key, value];
}

interface Side {
  readonly kind: ZipkinKind;
  readonly begin: string;
  readonly end: string;
  /** The address annotation that names the other side. */
  readonly address: string;
}

/** `ws` and `wr` stamp when a message was on the wire. */
const SIDES: readonly Side[] = [
  { kind: 'CLIENT', begin: 'cs', end: 'cr', address: 'sa' },
  { kind: 'SERVER', begin: 'sr', end: 'ss', address: 'ca' },
  { kind: 'PRODUCER', begin: 'ms', end: 'ws', address: 'ma' },
  { kind: 'CONSUMER', begin: 'mr', end: 'wr', address: 'ma' },
];
const CORE: ReadonlySet<string> = new Set(SIDES.flatMap(({ begin, end }) => [begin, end]));
const ADDRESSES = ['sa', 'ca', 'ma'];
