/**
 * Terms are what a trace can be found by, as 32-bit hashes: two terms may share one, so whoever finds a trace by its
 * terms looks at the trace before showing it.
 */
export const TERM = {
  traceId: (hex: string): number => finish(hashText(SEED.traceId, hex)),
  service: (name: string): number => finish(hashText(SEED.service, name)),
  operation: (name: string): number => finish(hashText(SEED.operation, name)),
  serviceOperation: (service: string, operation: string): number => finish(hashText(seedOfService(service), operation)),
  attribute: (key: string, value: string): number => {
    const bytes = Buffer.from(value);
    const keyed = hashByte(hashText(SEED.attribute, key), EQUALS);
    return finish(hashBytes(keyed, bytes, 0, Math.min(bytes.length, VALUE_BYTES_HASHED)));
  },
  /** Has every trace that has more terms than are kept. */
  overflow: 1,
} as const;

/** Longer values share the term of what begins alike. */
export const VALUE_BYTES_HASHED = 256;

/** Start of the hash of an operation within a service. */
export function seedOfService(service: string): number {
  return hashByte(hashText(SEED.serviceOperation, service), 0);
}

/** FNV-1a; unfinished hashes can be gone on with. */
export function hashBytes(seed: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = seed;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), FNV_PRIME);
  return hash;
}

export function hashByte(seed: number, byte: number): number {
  return Math.imul(seed ^ byte, FNV_PRIME);
}

export function hashText(seed: number, text: string): number {
  const bytes = Buffer.from(text);
  return hashBytes(seed, bytes, 0, bytes.length);
}

/** Spreads the last bytes over all bits. @returns an unsigned 32-bit number. */
export function finish(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

const FNV_PRIME = 0x01000193;
const FNV_OFFSET = 0x811c9dc5;
export const EQUALS = 0x3d;
export const SEED = {
  traceId: hashByte(FNV_OFFSET, 1),
  service: hashByte(FNV_OFFSET, 2),
  operation: hashByte(FNV_OFFSET, 3),
  serviceOperation: hashByte(FNV_OFFSET, 4),
  attribute: hashByte(FNV_OFFSET, 5),
} as const;
