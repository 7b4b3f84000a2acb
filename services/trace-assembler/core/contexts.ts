import { resourceServiceName } from '../../../lib/trace/service-name.ts';
import type { SpanTable } from '../../../lib/trace/span-table.ts';
import { hashService } from './span-hash.ts';

/** A (resource, scope) pair that spans of a partition share, interned so that windows hold four bytes instead. */
export interface SpanContext {
  readonly id: number;
  /** Equal for contexts of equal resource: they share one ResourceSpans in an assembled trace. */
  readonly resourceId: number;
  readonly serviceName: string;
  /** Seed of the span hash: copies are copies only within a service. */
  readonly serviceSeed: number;
  /** Message bodies; `null` when the field was absent. */
  readonly resource: Buffer | null;
  readonly resourceSchemaUrl: Buffer | null;
  readonly scope: Buffer | null;
  readonly scopeSchemaUrl: Buffer | null;
}

/**
 * The contexts of one partition. Ids only grow within a namespace. When there are more than `contextsMax`, a new
 * generation begins and the old one is dropped as soon as no open window can use it.
 */
export class ContextTable {
  private readonly contextsMax: number;
  private readonly byId = new Map<number, SpanContext>();
  private byKey = new Map<string, number>();
  private resourceIds = new Map<string, number>();
  private nextId = 1;
  private fresh: SpanContext[] = [];
  private generations: { lastId: number; endedAtOffset: number }[] = [];

  constructor(contextsMax: number) {
    this.contextsMax = contextsMax;
  }

  get size(): number {
    return this.byId.size;
  }

  /** Id of the context in row `row` of a scanned bundle. */
  intern(bytes: Buffer, table: SpanTable, row: number): number {
    const resource = slice(bytes, table.resourceStart[row], table.resourceEnd[row]);
    const resourceSchemaUrl = slice(bytes, table.resourceSchemaUrlStart[row], table.resourceSchemaUrlEnd[row]);
    const scope = slice(bytes, table.scopeStart[row], table.scopeEnd[row]);
    const scopeSchemaUrl = slice(bytes, table.scopeSchemaUrlStart[row], table.scopeSchemaUrlEnd[row]);
    const resourceKey = `${keyPart(resource)}\n${keyPart(resourceSchemaUrl)}`;
    let resourceId = this.resourceIds.get(resourceKey);
    if (resourceId === undefined) {
      resourceId = this.nextId++;
      this.resourceIds.set(resourceKey, resourceId);
    }
    const key = `${resourceId}\n${keyPart(scope)}\n${keyPart(scopeSchemaUrl)}`;
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const serviceName = resource === null ? '' : resourceServiceName(resource, 0, resource.length);
    const context: SpanContext = {
      id: this.nextId++,
      resourceId,
      serviceName,
      serviceSeed: hashService(serviceName),
      // Copies: a slice would keep the whole bundle alive.
      resource: copy(resource),
      resourceSchemaUrl: copy(resourceSchemaUrl),
      scope: copy(scope),
      scopeSchemaUrl: copy(scopeSchemaUrl),
    };
    this.byKey.set(key, context.id);
    this.byId.set(context.id, context);
    this.fresh.push(context);
    return context.id;
  }

  get(id: number): SpanContext | undefined {
    return this.byId.get(id);
  }

  /** Contexts interned since the last call. */
  takeFresh(): SpanContext[] {
    const fresh = this.fresh;
    this.fresh = [];
    return fresh;
  }

  /** Begins a new generation when this one is full. @param nextOffset input offset from which the new one is used. */
  rotate(nextOffset: number): void {
    if (this.byKey.size < this.contextsMax) return;
    this.generations.push({ lastId: this.nextId - 1, endedAtOffset: nextOffset });
    this.byKey = new Map();
    this.resourceIds = new Map();
  }

  /** Drops generations that ended at or below `lowOffset`, the first offset of the oldest open window. Answers the ids. */
  retire(lowOffset: number): number[] {
    const retired: number[] = [];
    for (
      let oldest = this.generations[0];
      oldest !== undefined && oldest.endedAtOffset <= lowOffset;
      oldest = this.generations[0]
    ) {
      this.generations.shift();
      for (const id of this.byId.keys()) {
        if (id > oldest.lastId) break;
        retired.push(id);
        this.byId.delete(id);
      }
    }
    return retired;
  }

  snapshot(): ContextSnapshot {
    return { contexts: [...this.byId.values()], nextId: this.nextId };
  }

  /** All restored contexts form one generation that ended at `offset`: they are looked up, never interned again. */
  restore(snapshot: ContextSnapshot, offset: number): void {
    for (const context of snapshot.contexts) this.byId.set(context.id, withBuffers(context));
    this.nextId = snapshot.nextId;
    if (snapshot.contexts.length > 0) this.generations.push({ lastId: this.nextId - 1, endedAtOffset: offset });
  }
}

export interface ContextSnapshot {
  contexts: SpanContext[];
  nextId: number;
}

function slice(bytes: Buffer, start: number | undefined, end: number | undefined): Buffer | null {
  return start === undefined || end === undefined || start < 0 ? null : bytes.subarray(start, end);
}

function keyPart(part: Buffer | null): string {
  return part === null ? '-' : `${part.length}:${part.latin1Slice(0, part.length)}`;
}

function copy(part: Buffer | null): Buffer | null {
  return part === null ? null : Buffer.from(part);
}

function withBuffers(context: SpanContext): SpanContext {
  return {
    ...context,
    resource: asBuffer(context.resource),
    resourceSchemaUrl: asBuffer(context.resourceSchemaUrl),
    scope: asBuffer(context.scope),
    scopeSchemaUrl: asBuffer(context.scopeSchemaUrl),
  };
}

/** Deserialising gives plain Uint8Array. */
function asBuffer(part: Uint8Array | null): Buffer | null {
  return part === null ? null : Buffer.from(part.buffer, part.byteOffset, part.byteLength);
}
