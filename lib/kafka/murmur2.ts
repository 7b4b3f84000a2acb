/**
 * Partition of a trace: Kafka's own hash over the low 8 bytes of the trace id, so that the 64-bit and the 128-bit form of
 * one Zipkin trace meet, and any client that hashes those 8 bytes as a record key finds the same partition.
 *
 * @param offset where the 16 bytes of the trace id begin in `bytes`.
 * @param partitions at least 1.
 */
export function partitionOfTraceId(bytes: Uint8Array, offset: number, partitions: number): number {
  return (murmur2(bytes, offset + 8, offset + 16) & 0x7fff_ffff) % partitions;
}

/**
 * MurmurHash2 with Kafka's seed, as in org.apache.kafka.common.utils.Utils.murmur2, over `bytes[from, to)`.
 * @returns a signed 32-bit number.
 */
export function murmur2(bytes: Uint8Array, from: number, to: number): number {
  let hash = SEED ^ (to - from);
  let at = from;
  for (const end = to - 4; at <= end; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    word = Math.imul(word, M);
    word = Math.imul(word ^ (word >>> 24), M);
    hash = Math.imul(hash, M) ^ word;
  }
  const rest = to - at;
  if (rest === 3) hash ^= bytes[at + 2]! << 16;
  if (rest >= 2) hash ^= bytes[at + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ bytes[at]!, M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
