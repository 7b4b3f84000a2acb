import { createHash } from 'node:crypto';

/** A 53-bit key over byte ranges: the first bits of SHA-1, which no accident makes equal. */
export function keyOf(...parts: readonly (Uint8Array | string)[]): number {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(typeof part === 'string' ? `${part}\n` : part);
  const digest = hash.digest();
  return digest.readUInt32BE(0) * 2 ** 21 + (digest.readUInt32BE(4) >>> 11);
}
