import { cleanName } from './clean-name.ts';

/**
 * Small numbers for the services and operations that a worker meets, looked up by their UTF-8 bytes without making a
 * string. Numbers count from 0 and hold until `clear`.
 *
 * Bounded: once a limit is reached, further services are `__other__`, further operations of a service its operation
 * `__other__`. So a hundred thousand names cost no more memory, here or in whoever reads the deltas.
 *
 * Services beyond the limit have numbers of their own until the next trace begins, and only their names are one: which
 * spans call each other must not depend on what was met before this trace. A service without a name has no limit.
 */
export class NameTable {
  /** Names that were counted as OTHER since the last `clear`. */
  overflowed = 0;
  private readonly limits: NameLimits;
  private readonly services: ByteTable;
  private readonly operations: ByteTable;
  private readonly serviceNames: string[] = [];
  private readonly operationNames: string[] = [];
  /** Service of each operation. */
  private readonly owner: number[] = [];
  private readonly operationCount: number[] = [];
  /** Number of a service's operation OTHER, or -1. */
  private readonly otherOperation: number[] = [];
  private otherService = -1;
  private nameless = NONE;
  /** Of the trace at hand: services beyond the limit, by their bytes. */
  private readonly beyond = new Map<string, number>();
  private readonly firstBeyond: number;
  private readonly lowerCaseServices: boolean;
  /** Per service: the number of its name in lower case, when that is how services are named. */
  private readonly canonical: number[] = [];

  /** @param options.lowerCaseServices as Zipkin names services. */
  constructor(limits: NameLimits, options: { readonly lowerCaseServices?: boolean } = {}) {
    this.lowerCaseServices = options.lowerCaseServices ?? false;
    if (
      limits.services + UNLIMITED >= SERVICES_MAX ||
      limits.operations + limits.services + UNLIMITED >= OPERATIONS_MAX
    ) {
      throw new RangeError(
        `At most ${SERVICES_MAX} services and ${OPERATIONS_MAX} operations, got ${JSON.stringify(limits)}`,
      );
    }
    this.limits = limits;
    this.firstBeyond = limits.services + UNLIMITED;
    this.services = new ByteTable(this.firstBeyond);
    this.operations = new ByteTable(limits.operations + this.firstBeyond);
  }

  /** Numbers of services beyond the limit are void. */
  beginTrace(): void {
    if (this.beyond.size > 0) this.beyond.clear();
  }

  service(bytes: Uint8Array, start: number, end: number): number {
    const to = Math.min(end, start + NAME_BYTES_MAX);
    const known = this.services.find(bytes, start, to, 0);
    if (known >= 0) return this.lowerCaseServices ? (this.canonical[known] as number) : known;
    if (start === end) return this.addService(bytes, start, to);
    if (this.lowerCaseServices) return this.addCanonical(bytes, start, to);
    return this.isFull ? this.serviceBeyond(bytes, start, to) : this.addService(bytes, start, to);
  }

  /** Whether a service is one of those that are all named OTHER. */
  isBeyond(service: number): boolean {
    return service >= this.firstBeyond;
  }

  /** Number of the service whose name is empty, or -2 when none was met: no span of it says whose it is. */
  get namelessService(): number {
    return this.nameless;
  }

  serviceNamed(name: string): number {
    const bytes = Buffer.from(name, 'utf8');
    return this.service(bytes, 0, bytes.length);
  }

  /** The operation of that name of that service. */
  operation(of: number, bytes: Uint8Array, start: number, end: number): number {
    const service = this.isBeyond(of) ? this.otherService : of;
    const to = Math.min(end, start + NAME_BYTES_MAX);
    const known = this.operations.find(bytes, start, to, service);
    if (known >= 0) return known;
    const isFull =
      this.operations.count >= this.limits.operations ||
      (this.operationCount[service] as number) >= this.limits.operationsPerService;
    if (!isFull) return this.addOperation(service, bytes, start, to);
    this.overflowed++;
    const other = this.otherOperation[service] as number;
    if (other >= 0) return other;
    const added = this.addOperation(service, OTHER_BYTES, 0, OTHER_BYTES.length);
    this.otherOperation[service] = added;
    return added;
  }

  operationNamed(service: number, name: string): number {
    const bytes = Buffer.from(name, 'utf8');
    return this.operation(service, bytes, 0, bytes.length);
  }

  serviceName(service: number): string {
    if (this.isBeyond(service)) return OTHER;
    return this.serviceNames[service] as string;
  }

  operationName(operation: number): string {
    return this.operationNames[operation] as string;
  }

  /** That of OTHER for all operations of services beyond the limit: to be compared as a name, not as a service. */
  serviceOf(operation: number): number {
    return this.owner[operation] as number;
  }

  /** Forgets every name. Numbers given before are void. */
  clear(): void {
    this.overflowed = 0;
    this.beyond.clear();
    this.services.clear();
    this.operations.clear();
    this.serviceNames.length = 0;
    this.operationNames.length = 0;
    this.owner.length = 0;
    this.operationCount.length = 0;
    this.otherOperation.length = 0;
    this.otherService = -1;
    this.nameless = NONE;
    this.canonical.length = 0;
  }

  /** The number of the name in lower case; the name as it stands is noted beside it while there is room. */
  private addCanonical(bytes: Uint8Array, start: number, end: number): number {
    const name = cleanName(bytes, start, end);
    const lower = name.toLowerCase();
    if (lower !== name) {
      const canonical = this.serviceNamed(lower);
      if (this.isFull) return canonical;
      this.canonical[this.addService(bytes, start, end)] = canonical;
      return canonical;
    }
    return this.isFull ? this.serviceBeyond(bytes, start, end) : this.addService(bytes, start, end);
  }

  private get isFull(): boolean {
    return this.services.count - (this.nameless < 0 ? 0 : 1) >= this.limits.services;
  }

  private serviceBeyond(bytes: Uint8Array, start: number, end: number): number {
    this.overflowed++;
    if (this.otherService < 0) this.otherService = this.addService(OTHER_BYTES, 0, OTHER_BYTES.length);
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).latin1Slice();
    const known = this.beyond.get(name);
    if (known !== undefined) return known;
    const service = this.firstBeyond + this.beyond.size;
    if (service >= SERVICES_MAX) return this.otherService;
    this.beyond.set(name, service);
    return service;
  }

  private addService(bytes: Uint8Array, start: number, end: number): number {
    const service = this.services.add(bytes, start, end, 0);
    this.canonical[service] = service;
    if (start === end) this.nameless = service;
    this.serviceNames.push(cleanName(bytes, start, end) || UNKNOWN_SERVICE);
    this.operationCount.push(0);
    this.otherOperation.push(-1);
    return service;
  }

  private addOperation(service: number, bytes: Uint8Array, start: number, end: number): number {
    const operation = this.operations.add(bytes, start, end, service);
    this.operationNames.push(cleanName(bytes, start, end));
    this.owner.push(service);
    this.operationCount[service] = (this.operationCount[service] as number) + 1;
    return operation;
  }
}

export interface NameLimits {
  readonly services: number;
  readonly operations: number;
  readonly operationsPerService: number;
}

/** Numbers stay below these, so that a pair of them fits a key. */
export const SERVICES_MAX = 2 ** 17;
export const OPERATIONS_MAX = 2 ** 20;

/** Stands for everything beyond a limit. */
export const OTHER = '__other__';
/** As OpenTelemetry names a service that has no name. */
export const UNKNOWN_SERVICE = 'unknown_service';
/** Names that agree in so many bytes are one name. */
const NAME_BYTES_MAX = 1024;
const NONE = -2;
/** Services beside those that the limit counts: OTHER, and the one without a name. */
const UNLIMITED = 2;
const OTHER_BYTES = Buffer.from(OTHER);

/** A set of byte strings, each with a number below 2^32 beside it; open addressing, never more than half full. */
class ByteTable {
  count = 0;
  private readonly slots: Int32Array;
  private readonly mask: number;
  private readonly hashes: number[] = [];
  private readonly beside: number[] = [];
  private readonly starts: number[] = [];
  private arena = Buffer.alloc(ARENA_BYTES_AT_FIRST);
  private arenaEnd = 0;

  constructor(entriesMax: number) {
    const slots = 2 ** Math.ceil(Math.log2(entriesMax * 2 + 1));
    this.slots = new Int32Array(slots).fill(-1);
    this.mask = slots - 1;
  }

  /** Number of the entry, or -1. */
  find(bytes: Uint8Array, start: number, end: number, beside: number): number {
    const hash = hashOf(bytes, start, end, beside);
    for (let slot = hash & this.mask; ; slot = (slot + 1) & this.mask) {
      const entry = this.slots[slot] as number;
      if (entry < 0) return -1;
      if (this.hashes[entry] === hash && this.beside[entry] === beside && this.hasBytes(entry, bytes, start, end)) {
        return entry;
      }
    }
  }

  /** Adds what `find` did not find. */
  add(bytes: Uint8Array, start: number, end: number, beside: number): number {
    if (this.count * 2 > this.mask) throw new Error(`ByteTable holds ${this.count} entries, more than it was made for`);
    const hash = hashOf(bytes, start, end, beside);
    let slot = hash & this.mask;
    while ((this.slots[slot] as number) >= 0) slot = (slot + 1) & this.mask;
    const entry = this.count++;
    this.slots[slot] = entry;
    this.hashes.push(hash);
    this.beside.push(beside);
    this.starts.push(this.arenaEnd);
    const length = end - start;
    if (this.arenaEnd + length > this.arena.length) {
      const larger = Buffer.alloc(Math.max(this.arena.length * 2, this.arenaEnd + length));
      larger.set(this.arena);
      this.arena = larger;
    }
    this.arena.set(bytes.subarray(start, end), this.arenaEnd);
    this.arenaEnd += length;
    return entry;
  }

  clear(): void {
    this.count = 0;
    this.slots.fill(-1);
    this.hashes.length = 0;
    this.beside.length = 0;
    this.starts.length = 0;
    this.arena = Buffer.alloc(ARENA_BYTES_AT_FIRST);
    this.arenaEnd = 0;
  }

  private hasBytes(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.starts[entry] as number;
    const to = entry + 1 < this.count ? (this.starts[entry + 1] as number) : this.arenaEnd;
    if (to - from !== end - start) return false;
    for (let i = start, at = from; i < end; i++, at++) if (bytes[i] !== this.arena[at]) return false;
    return true;
  }
}

const ARENA_BYTES_AT_FIRST = 64 * 1024;

/** FNV-1a over the bytes, begun with `seed`. */
function hashOf(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = Math.imul(seed, 0x9e3779b1) ^ 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return (hash ^ (hash >>> 16)) & 0x7fffffff;
}
