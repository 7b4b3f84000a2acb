import { WireReader } from '../../../lib/trace/wire-reader.ts';
import type { WireWriter } from '../../../lib/trace/wire-writer.ts';
import {
  copyMessage,
  type FieldVisitor,
  keyValueRanges,
  TAG_KEY,
  TAG_STRING_VALUE,
  TAG_VALUE,
} from './copy-message.ts';
import { KIND, type Kind } from './message-kinds.ts';
import { ACTION, type RedactionRules } from './redaction-rules.ts';
import { MASK } from './value-patterns.ts';

/** Stands in for a value: the same value gives the same text, and without the key it cannot be guessed. */
export type ValueHash = (value: Uint8Array) => string;

/**
 * Rewrites messages that `inspect` judged `edit`: attributes are dropped, hashed, masked, or lose their query string, and
 * texts lose what patterns find in them.
 */
export class Redactor implements FieldVisitor {
  /** Redactions since it was last set to zero, by what was done; index in `kinds`. */
  counts: number[];
  /** Names of the counts: the actions on attributes, then the patterns. */
  readonly kinds: readonly string[];
  private readonly rules: RedactionRules;
  private readonly hash: ValueHash;

  constructor(rules: RedactionRules, hash: ValueHash) {
    this.rules = rules;
    this.hash = hash;
    this.kinds = [...COUNTED, ...(rules.patterns?.names.map((name) => `pattern:${name}`) ?? [])];
    this.counts = this.kinds.map(() => 0);
  }

  /** Writes the body of the message at [start, end) without what the rules forbid. */
  redact(kind: Kind, bytes: Buffer, start: number, end: number, out: WireWriter): void {
    copyMessage(kind, new WireReader(bytes, start, end), out, this);
  }

  field(kind: Kind, field: WireReader, out: WireWriter): boolean {
    if (kind === KIND.text) return this.redactText(field, out);
    if (kind !== KIND.keyValue) return false;
    const { bytes } = field;
    const { keyStart, keyEnd, valueStart, valueEnd } = keyValueRanges(field.message());
    const action = this.rules.actionFor(bytes, keyStart, keyEnd);
    if (action === ACTION.keep) return false;
    if (action === ACTION.drop) {
      this.count(COUNT.drop);
      return true;
    }
    if (action === ACTION.mask) {
      this.count(COUNT.mask);
      writeAttribute(out, field.tag, bytes, keyStart, keyEnd, MASK);
      return true;
    }
    if (action === ACTION.hash) {
      this.count(COUNT.hash);
      writeAttribute(out, field.tag, bytes, keyStart, keyEnd, this.hash(hashedPart(bytes, valueStart, valueEnd)));
      return true;
    }
    const text = textOf(bytes, valueStart, valueEnd);
    const query = text?.indexOf('?') ?? -1;
    if (text === undefined || query < 0) return false;
    this.count(COUNT.cutQuery);
    const cut = text.slice(0, query);
    writeAttribute(out, field.tag, bytes, keyStart, keyEnd, this.withoutPatterns(cut) ?? cut);
    return true;
  }

  private redactText(field: WireReader, out: WireWriter): boolean {
    if (this.rules.patterns === undefined) return false;
    const redacted = this.withoutPatterns(field.text());
    if (redacted === undefined) return false;
    out.textField(field.tag, redacted);
    return true;
  }

  private withoutPatterns(text: string): string | undefined {
    return this.rules.patterns?.redact(text, this.hash, (index) => this.count(COUNTED.length + index));
  }

  private count(index: number): void {
    this.counts[index] = (this.counts[index] as number) + 1;
  }
}

const COUNTED = ['drop', 'hash', 'cut_query', 'mask'];
const COUNT = { drop: 0, hash: 1, cutQuery: 2, mask: 3 };

function writeAttribute(
  out: WireWriter,
  tag: number,
  bytes: Buffer,
  keyStart: number,
  keyEnd: number,
  text: string,
): void {
  const keyValue = out.begin(tag, keyEnd - keyStart + text.length);
  out.bytesField(TAG_KEY, bytes, keyStart, keyEnd);
  const value = out.begin(TAG_VALUE, text.length);
  out.textField(TAG_STRING_VALUE, text);
  out.end(value);
  out.end(keyValue);
}

/** Text is hashed as its UTF-8 bytes, so that others can compute the same; other values as they are on the wire. */
function hashedPart(bytes: Buffer, start: number, end: number): Uint8Array {
  const value = new WireReader(bytes, start, end);
  if (value.next() && value.tag === TAG_STRING_VALUE && value.bodyEnd === end) {
    return bytes.subarray(value.bodyStart, value.bodyEnd);
  }
  return bytes.subarray(start, end);
}

/** The text of a value; of several texts, which no encoder writes, the last, as decoders take it. */
function textOf(bytes: Buffer, start: number, end: number): string | undefined {
  const value = new WireReader(bytes, start, end);
  let text: string | undefined;
  while (value.next()) if (value.tag === TAG_STRING_VALUE) text = value.text();
  return text;
}
