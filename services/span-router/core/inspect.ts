import { childKind, FIRST_MESSAGE_KIND, KIND, type Kind } from './message-kinds.ts';
import { ACTION, type RedactionRules } from './redaction-rules.ts';

/** What a message needs; a larger number outweighs a smaller one. */
export const VERDICT = {
  /** Can be copied as it is. */
  clean: 0,
  /** An attribute is to be redacted. */
  edit: 1,
  /** A length does not fit, or a wire type is not one. */
  invalid: 2,
  /** More than NESTING_MAX messages inside one another. */
  tooDeep: 3,
} as const;
export type Verdict = (typeof VERDICT)[keyof typeof VERDICT];

/** No SDK nests attribute values deeper than a few; without a limit a small record could exhaust the stack. */
export const NESTING_MAX = 64;

/**
 * Looks through a span, resource or scope down to its attribute values: whether it is well-formed to the last field,
 * and whether an attribute has a name to redact, or a text something that a pattern finds. Runs for every span, so it
 * allocates nothing as long as there are no patterns.
 */
export function inspect(kind: Kind, bytes: Uint8Array, start: number, end: number, rules: RedactionRules): Verdict {
  return inspectMessage(kind, bytes, start, end, rules, NESTING_MAX);
}

function inspectMessage(
  kind: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  rules: RedactionRules,
  depthLeft: number,
): Verdict {
  if (depthLeft === 0) return VERDICT.tooDeep;
  if (kind === KIND.keyValue) return inspectKeyValue(bytes, start, end, rules, depthLeft);
  let verdict: Verdict = VERDICT.clean;
  let at = start;
  while (at < end) {
    const tag = varint(bytes, at, end);
    if ((tag & 7) === WIRE_LENGTH && tag > 7 && tag <= TAG_MAX) {
      const length = varint(bytes, next, end);
      const bodyStart = next;
      at = bodyStart + length;
      if (length < 0 || at > end) return VERDICT.invalid;
      const child = childKind(kind, tag >>> 3);
      if (child >= FIRST_MESSAGE_KIND && length > 0) {
        const found = inspectMessage(child, bytes, bodyStart, at, rules, depthLeft - 1);
        if (found > verdict) verdict = found;
        if (verdict >= VERDICT.invalid) return verdict;
      } else if (child === KIND.text && rules.patterns?.fits(bytes, bodyStart, at)) {
        verdict = VERDICT.edit;
      }
    } else {
      at = skip(bytes, tag, next, end);
      if (at < 0) return VERDICT.invalid;
    }
  }
  return verdict;
}

function inspectKeyValue(
  bytes: Uint8Array,
  start: number,
  end: number,
  rules: RedactionRules,
  depthLeft: number,
): Verdict {
  let verdict: Verdict = VERDICT.clean;
  let keyStart = -1;
  let keyEnd = -1;
  let valueStart = -1;
  let valueEnd = -1;
  let at = start;
  while (at < end) {
    const tag = varint(bytes, at, end);
    if ((tag & 7) === WIRE_LENGTH && tag > 7 && tag <= TAG_MAX) {
      const length = varint(bytes, next, end);
      const bodyStart = next;
      at = bodyStart + length;
      if (length < 0 || at > end) return VERDICT.invalid;
      if (tag === TAG_KEY) {
        // Decoders take the last of two keys or merge two values; no encoder writes that, and a rule could be evaded.
        if (keyStart >= 0) return VERDICT.invalid;
        keyStart = bodyStart;
        keyEnd = at;
      } else if (tag === TAG_VALUE) {
        if (valueStart >= 0) return VERDICT.invalid;
        valueStart = bodyStart;
        valueEnd = at;
        // A plain text value has no more inside; that is nearly all of them.
        if (isWholeText(bytes, bodyStart, at)) {
          if (rules.patterns?.fits(bytes, bodyStart + 2, at)) verdict = VERDICT.edit;
          continue;
        }
        const found = inspectMessage(KIND.anyValue, bytes, bodyStart, at, rules, depthLeft - 1);
        if (found > verdict) verdict = found;
        if (verdict >= VERDICT.invalid) return verdict;
      }
    } else {
      at = skip(bytes, tag, next, end);
      if (at < 0) return VERDICT.invalid;
    }
  }
  if (keyStart < 0) return verdict;
  const action = rules.actionFor(bytes, keyStart, keyEnd);
  if (action === ACTION.keep) return verdict;
  if (action === ACTION.cutQuery && !hasQuery(bytes, valueStart, valueEnd)) return verdict;
  return VERDICT.edit;
}

/** True for a value that is one string of up to 127 bytes and nothing else. */
function isWholeText(bytes: Uint8Array, start: number, end: number): boolean {
  return bytes[start] === TAG_STRING_VALUE && end - start < 130 && bytes[start + 1] === end - start - 2;
}

/** True when a value has text with a question mark in it; the value is well-formed. */
function hasQuery(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const tag = varint(bytes, at, end);
    const bodyStart = next;
    if (tag !== TAG_STRING_VALUE) at = skip(bytes, tag, bodyStart, end);
    else {
      at = skip(bytes, tag, bodyStart, end);
      for (let i = bodyStart + 1; i < at; i++) if (bytes[i] === QUESTION_MARK) return true;
    }
    if (at < 0) return false;
  }
  return false;
}

/** Where the last varint ended. */
let next = 0;

/** A varint up to 2^53, or -1 when it does not end; sets `next`. */
function varint(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  if (first < 0x80 && at < end) {
    next = at + 1;
    return first;
  }
  let value = 0;
  let scale = 1;
  for (let i = at; i < end && i < at + VARINT_BYTES_MAX; i++) {
    const byte = bytes[i] as number;
    if (byte < 0x80) {
      next = i + 1;
      return value + byte * scale;
    }
    value += (byte & 0x7f) * scale;
    scale *= 128;
  }
  return -1;
}

/** One past the field whose tag was read, or -1 when it is not one. */
function skip(bytes: Uint8Array, tag: number, at: number, end: number): number {
  if (tag < 8 || tag > TAG_MAX) return -1;
  switch (tag % 8) {
    case WIRE_VARINT:
      return varint(bytes, at, end) < 0 ? -1 : next;
    case WIRE_FIXED64:
      return at + 8 > end ? -1 : at + 8;
    case WIRE_LENGTH: {
      const length = varint(bytes, at, end);
      return length < 0 || next + length > end ? -1 : next + length;
    }
    case WIRE_FIXED32:
      return at + 4 > end ? -1 : at + 4;
    default:
      return -1;
  }
}

const VARINT_BYTES_MAX = 10;
/** Field numbers have 29 bits. Decoders cut longer tags to 32 bits, and would see an attribute that we did not. */
const TAG_MAX = 0xffffffff;
const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_LENGTH = 2;
const WIRE_FIXED32 = 5;
const TAG_KEY = 0x0a;
const TAG_VALUE = 0x12;
const TAG_STRING_VALUE = 0x0a;
const QUESTION_MARK = 0x3f;
