import { Unreadable } from './converted.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * JSON text, with whole numbers beyond 2^53 as their digits instead of losing the last ones.
 * @param text UTF-8, with or without a byte order mark.
 * @throws Unreadable naming the place; the parser's own message quotes the text, which may hold what redaction removes.
 */
export function parseJson(text: Buffer): unknown {
  try {
    return parseExact(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (error) {
    const place = /position (\d+)/.exec(error instanceof Error ? error.message : '');
    throw new Unreadable(`The text is not JSON${place === null ? '' : ` (character ${place[1]})`}`);
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws Unreadable when it is something else; `where` begins the sentence. */
export function objectAt(value: unknown, where: string): JsonObject {
  if (!isObject(value)) throw new Unreadable(`${where} is not an object`);
  return value;
}

/** An absent list is an empty one. */
export function listAt(value: unknown, where: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Unreadable(`${where} is not an array`);
  return value;
}

/** An absent text is empty. */
export function textAt(value: unknown, where: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new Unreadable(`${where} is not a string`);
  return value;
}

/** A whole number, given as one or as its digits; `undefined` when absent. */
export function integerAt(value: unknown, where: string): bigint | undefined {
  if (value === undefined || value === null) return undefined;
  // Some tracers write microseconds with a fraction.
  if (typeof value === 'number' && Number.isFinite(value)) return BigInt(Math.trunc(value));
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  throw new Unreadable(`${where} is not a whole number`);
}

function parseExact(text: string): unknown {
  if (!/[:[,]\s*-?\d{16}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    const source = context?.source;
    return source !== undefined && /^-?\d+$/.test(source) ? source : value;
  });
}
