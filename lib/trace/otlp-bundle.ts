import { varintSize, writeVarint } from './wire-writer.ts';

/** One OTLP `ExportTraceServiceRequest` with spans of one partition only. */
export interface Bundle {
  readonly partition: number;
  readonly bytes: Buffer;
  readonly spanCount: number;
  /** Offsets of the first and the last source record that gave a span. */
  readonly firstOffset: number;
  readonly lastOffset: number;
}

/** What spans share beside themselves: a Resource or an InstrumentationScope, as message bodies on the wire. */
export interface ContextPart {
  readonly body: Buffer;
  readonly schemaUrl: Buffer;
}

/**
 * Gathers spans of many OTLP requests into few: bundles of one partition, in which equal resources and equal scopes
 * stand once. Spans are copied as byte ranges, tag and length included; nothing is decoded, nothing is allocated per
 * span, and `take` copies each byte once.
 *
 *     BundleBuilder
 *     ├─ sources             buffers that ranges point into; they must not change before take()
 *     ├─ resources, scopes   interned; a context is a pair of them
 *     ├─ bundles             one open per partition; another when it would pass bundleBytesMax
 *     ├─ groups              bundle × context: how many bytes of spans
 *     └─ runs (columns)      group, source, start, end: neighbours of one group are one run
 */
export class BundleBuilder {
  private readonly bundleBytesMax: number;
  private readonly resources = new InternedParts();
  private readonly scopes = new InternedParts();
  /** `resource id × ID_SCALE + scope id` → context id. */
  private readonly contextIds = new Map<number, number>();
  private readonly contexts: Context[] = [];
  private readonly sources: Buffer[] = [];
  private sourceOffset = 0;
  private readonly bundles: OpenBundle[] = [];
  /** The bundle of each partition that still takes spans. */
  private readonly openBundles: (OpenBundle | undefined)[];
  private readonly groups: Group[] = [];
  private readonly runs = new Runs();
  private spans = 0;

  /** @param bundleBytesMax no bundle is larger, so a span with its context must fit into it. */
  constructor(partitions: number, bundleBytesMax: number) {
    this.bundleBytesMax = bundleBytesMax;
    this.openBundles = new Array(partitions).fill(undefined);
  }

  get spanCount(): number {
    return this.spans;
  }

  /** Registers a buffer that spans stand in and answers its number for `add`. */
  addSource(source: Buffer): number {
    return this.sources.push(source) - 1;
  }

  /** Sets the offset of the record that the next spans came with; offsets only rise. */
  atOffset(offset: number): void {
    this.sourceOffset = offset;
  }

  /** The id of a (resource, scope) pair; valid until `take` or `clear`. */
  context(resource: ContextPart, scope: ContextPart): number {
    const resourceId = this.resources.idOf(resource);
    const scopeId = this.scopes.idOf(scope);
    const pair = resourceId * ID_SCALE + scopeId;
    const known = this.contextIds.get(pair);
    if (known !== undefined) return known;
    const id = this.contexts.length;
    this.contexts.push({ resource: this.resources.part(resourceId), scope: this.scopes.part(scopeId) });
    this.contextIds.set(pair, id);
    return id;
  }

  /** Adds the span field (tag, length, body) at [start, end) of a source. */
  add(partition: number, context: number, source: number, start: number, end: number): void {
    const size = end - start;
    let bundle = this.openBundles[partition];
    let group = bundle?.groupOf.get(context);
    if (
      bundle === undefined ||
      bundle.bytesMax + size + (group === undefined ? this.costOf(context, bundle) : 0) > this.bundleBytesMax
    ) {
      bundle = this.openBundle(partition, context, size);
      group = undefined;
    }
    if (group === undefined) group = this.openGroup(bundle, context);
    this.groups[group]!.spanBytes += size;
    bundle.bytesMax += size;
    bundle.spanCount++;
    bundle.lastOffset = this.sourceOffset;
    this.spans++;
    this.runs.add(group, source, start, end);
  }

  /** The bundles, in the order they were opened; the builder is empty afterwards. */
  take(): Bundle[] {
    for (const bundle of this.bundles) layOut(bundle);
    this.runs.copyInto(this.groups, this.sources);
    const bundles = this.bundles.map(
      ({ partition, bytes, spanCount, firstOffset, lastOffset }): Bundle => ({
        partition,
        bytes,
        spanCount,
        firstOffset,
        lastOffset,
      }),
    );
    this.clear();
    return bundles;
  }

  clear(): void {
    this.resources.clear();
    this.scopes.clear();
    this.contextIds.clear();
    this.contexts.length = 0;
    this.sources.length = 0;
    this.bundles.length = 0;
    this.openBundles.fill(undefined);
    this.groups.length = 0;
    this.runs.count = 0;
    this.spans = 0;
  }

  private openBundle(partition: number, context: number, size: number): OpenBundle {
    const bundle: OpenBundle = {
      partition,
      bytes: EMPTY,
      bytesMax: 0,
      spanCount: 0,
      firstOffset: this.sourceOffset,
      lastOffset: this.sourceOffset,
      groupOf: new Map(),
      byResource: new Map(),
    };
    if (size + this.costOf(context, bundle) > this.bundleBytesMax) {
      throw new Error(`A span of ${size} bytes with its context passes ${this.bundleBytesMax} bytes`);
    }
    this.bundles.push(bundle);
    this.openBundles[partition] = bundle;
    return bundle;
  }

  /** Bytes that the first span of a context adds to a bundle beside its own: an upper bound. */
  private costOf(context: number, bundle: OpenBundle): number {
    const { resource, scope } = this.contexts[context]!;
    const scopeBytes = scope.head.length + scope.tail.length + FIELD_HEAD_BYTES_MAX;
    if (bundle.byResource.has(resource)) return scopeBytes;
    return scopeBytes + resource.head.length + resource.tail.length + FIELD_HEAD_BYTES_MAX;
  }

  private openGroup(bundle: OpenBundle, context: number): number {
    const { resource, scope } = this.contexts[context]!;
    bundle.bytesMax += this.costOf(context, bundle);
    const group: Group = { bundle, scope, spanBytes: 0, cursor: 0 };
    const id = this.groups.push(group) - 1;
    bundle.groupOf.set(context, id);
    const siblings = bundle.byResource.get(resource);
    if (siblings === undefined) bundle.byResource.set(resource, [group]);
    else siblings.push(group);
    return id;
  }
}

/** A resource or a scope as whole fields: what stands before its children and what stands after them. */
interface EncodedPart {
  readonly head: Buffer;
  readonly tail: Buffer;
}

interface Context {
  readonly resource: EncodedPart;
  readonly scope: EncodedPart;
}

interface OpenBundle {
  readonly partition: number;
  /** Allocated when the bundle is laid out. */
  bytes: Buffer;
  /** Upper bound of its size. */
  bytesMax: number;
  spanCount: number;
  readonly firstOffset: number;
  lastOffset: number;
  /** Context id → index of the group. */
  readonly groupOf: Map<number, number>;
  readonly byResource: Map<EncodedPart, Group[]>;
}

interface Group {
  readonly bundle: OpenBundle;
  readonly scope: EncodedPart;
  spanBytes: number;
  /** Where the group's next span goes, once the bundle is laid out. */
  cursor: number;
}

/** Allocates a bundle, writes everything but the spans, and sets where each group's spans go. */
function layOut(bundle: OpenBundle): void {
  const resourceLengths: number[] = [];
  let total = 0;
  for (const [resource, groups] of bundle.byResource) {
    let length = resource.head.length + resource.tail.length;
    for (const group of groups) length += fieldSize(scopeSpansLength(group));
    resourceLengths.push(length);
    total += fieldSize(length);
  }
  const bytes = Buffer.allocUnsafeSlow(total);
  let at = 0;
  let index = 0;
  for (const [resource, groups] of bundle.byResource) {
    at = writeHead(bytes, at, TAG_RESOURCE_SPANS, resourceLengths[index++]!);
    at += resource.head.copy(bytes, at);
    for (const group of groups) {
      at = writeHead(bytes, at, TAG_SCOPE_SPANS, scopeSpansLength(group));
      at += group.scope.head.copy(bytes, at);
      group.cursor = at;
      at += group.spanBytes;
      at += group.scope.tail.copy(bytes, at);
    }
    at += resource.tail.copy(bytes, at);
  }
  bundle.bytes = bytes;
}

function scopeSpansLength(group: Group): number {
  return group.scope.head.length + group.spanBytes + group.scope.tail.length;
}

function fieldSize(length: number): number {
  return 1 + varintSize(length) + length;
}

function writeHead(bytes: Buffer, at: number, tag: number, length: number): number {
  bytes[at] = tag;
  return writeVarint(bytes, at + 1, length);
}

/** Resources (or scopes) by their bytes. */
class InternedParts {
  private readonly ids = new Map<string, number>();
  private readonly parts: EncodedPart[] = [];

  idOf({ body, schemaUrl }: ContextPart): number {
    // U+0100 cannot occur in latin1 text, so a URL never reads as the end of a body.
    const key =
      schemaUrl.length === 0
        ? body.toString('latin1')
        : `${body.toString('latin1')}\u0100${schemaUrl.toString('latin1')}`;
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    const id = this.parts.push({ head: field(TAG_PART, body), tail: field(TAG_SCHEMA_URL, schemaUrl) }) - 1;
    if (id >= ID_SCALE) throw new Error(`More than ${ID_SCALE} resources or scopes in one go`);
    this.ids.set(key, id);
    return id;
  }

  part(id: number): EncodedPart {
    return this.parts[id]!;
  }

  clear(): void {
    this.ids.clear();
    this.parts.length = 0;
  }
}

/** A length-delimited field; nothing when it is empty, as protobuf's defaults are left out. */
function field(tag: number, body: Buffer): Buffer {
  if (body.length === 0) return EMPTY;
  const bytes = Buffer.allocUnsafe(fieldSize(body.length));
  body.copy(bytes, writeHead(bytes, 0, tag, body.length));
  return bytes;
}

/** Byte ranges to copy, as columns. */
class Runs {
  count = 0;
  private group = new Int32Array(RUNS_AT_FIRST);
  private source = new Int32Array(RUNS_AT_FIRST);
  private start = new Int32Array(RUNS_AT_FIRST);
  private end = new Int32Array(RUNS_AT_FIRST);

  add(group: number, source: number, start: number, end: number): void {
    const last = this.count - 1;
    if (last >= 0 && this.end[last] === start && this.group[last] === group && this.source[last] === source) {
      this.end[last] = end;
      return;
    }
    if (this.count === this.group.length) this.grow();
    const row = this.count++;
    this.group[row] = group;
    this.source[row] = source;
    this.start[row] = start;
    this.end[row] = end;
  }

  copyInto(groups: readonly Group[], sources: readonly Buffer[]): void {
    for (let row = 0; row < this.count; row++) {
      const group = groups[this.group[row]!]!;
      const start = this.start[row]!;
      const end = this.end[row]!;
      sources[this.source[row]!]!.copy(group.bundle.bytes, group.cursor, start, end);
      group.cursor += end - start;
    }
  }

  private grow(): void {
    const rows = this.group.length * 2;
    this.group = grown(this.group, rows);
    this.source = grown(this.source, rows);
    this.start = grown(this.start, rows);
    this.end = grown(this.end, rows);
  }
}

function grown(from: Int32Array, rows: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(rows);
  to.set(from);
  return to;
}

const EMPTY = Buffer.alloc(0);
const RUNS_AT_FIRST = 4096;
const ID_SCALE = 2 ** 24;
/** Tag and length of a field of up to 2^28 bytes. */
const FIELD_HEAD_BYTES_MAX = 5;

/** A tag is `field number × 8 + wire type`. */
const TAG_RESOURCE_SPANS = 0x0a;
const TAG_SCOPE_SPANS = 0x12;
const TAG_PART = 0x0a;
const TAG_SCHEMA_URL = 0x1a;
