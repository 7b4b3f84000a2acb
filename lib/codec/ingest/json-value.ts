import { Unreadable } from './converted.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

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
