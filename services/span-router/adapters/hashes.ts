import { createHash, createHmac } from 'node:crypto';

/** 64 hex characters. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * A stand-in for a redacted value: HMAC-SHA-256 under `key`, cut to 128 bits, so that equal values stay equal and
 * nobody without the key can try values out.
 */
export function keyedHash(key: string): (value: Uint8Array) => string {
  return (value) => `hmac:${createHmac('sha256', key).update(value).digest('hex').slice(0, HASH_CHARS)}`;
}

const HASH_CHARS = 32;
