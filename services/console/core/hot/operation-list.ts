export type Operation = readonly [service: string, operation: string, kind: number];

/**
 * Which services have which operations. Bounded, because names come from outside: what does not fit is found by search
 * all the same, only not offered.
 */
export class OperationList {
  private readonly services = new Map<string, Map<string, Operation>>();
  /** Hashes of operations seen lately. */
  private readonly seen = new Uint32Array(SEEN_SLOTS);
  private fresh: Operation[] = [];
  private count = 0;

  constructor(known: Iterable<Operation>) {
    for (const operation of known) this.add(operation);
  }

  /** @param term of service and operation: a name that was seen lately costs no string. */
  saw(service: string, kind: number, term: number, bytes: Buffer, start: number, end: number): void {
    const hash = (term ^ Math.imul(kind + 1, 0x9e3779b1)) >>> 0;
    const slot = hash & (SEEN_SLOTS - 1);
    if (this.seen[slot] === hash) return;
    this.seen[slot] = hash;
    const operation: Operation = [service, bytes.utf8Slice(start, Math.min(end, start + NAME_BYTES_MAX)), kind];
    if (this.add(operation)) this.fresh.push(operation);
  }

  /** Of one service or all, in the order of service and name. */
  list(service?: string, kind?: number): Operation[] {
    const maps = service === undefined ? [...this.services.values()] : [this.services.get(service) ?? new Map()];
    const all = maps.flatMap((operations) => [...operations.values()] as Operation[]);
    const wanted = kind === undefined ? all : all.filter(([, , of]) => of === kind);
    return wanted.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]) || a[2] - b[2]);
  }

  serviceNames(): string[] {
    return [...this.services.keys()].sort();
  }

  /** Added since the last call. */
  takeFresh(): Operation[] {
    const { fresh } = this;
    this.fresh = [];
    return fresh;
  }

  private add(operation: Operation): boolean {
    const [service, name, kind] = operation;
    let operations = this.services.get(service);
    const key = `${kind}${name}`;
    if (operations?.has(key) === true || this.count >= OPERATIONS_MAX) return false;
    if (operations === undefined) {
      operations = new Map();
      this.services.set(service, operations);
    }
    operations.set(key, operation);
    this.count++;
    return true;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export const OPERATIONS_MAX = 20_000;
const NAME_BYTES_MAX = 1024;
const SEEN_SLOTS = 4096;
