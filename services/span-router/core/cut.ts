import { WireReader } from '../../../lib/trace/wire-reader.ts';
import { WireWriter } from '../../../lib/trace/wire-writer.ts';
import { copyMessage, type FieldVisitor, keyValueRanges, TAG_ARRAY_VALUE, TAG_KEY, TAG_VALUE } from './copy-message.ts';
import { ATTRIBUTES_TAG, KIND, type Kind } from './message-kinds.ts';

/** An attribute that the router adds: an array of the names of the attributes that it cut. */
export const TRUNCATED_ATTRIBUTE = 'spanloom.truncated';

/**
 * Cuts the largest texts and bytes of a message, all to the same length, until it fits; and says so in an attribute.
 * What is cut: attribute values at any depth, and the names and messages of spans, events and status.
 *
 * @param body of a message that `inspect` found well-formed.
 * @returns the new body, at most `bytesMax` long; undefined when cutting cannot make it fit.
 */
export function cutToFit(kind: 'span' | 'resource' | 'scope', body: Buffer, bytesMax: number): Buffer | undefined {
  const measured = new Measurer();
  const out = new WireWriter(body.length);
  copyMessage(KIND[kind], new WireReader(body), out, measured);
  const cap = capFor(measured.lengths, body.length - (bytesMax - MARK_BYTES_MAX));
  if (cap === undefined) return undefined;
  const cutter = new Cutter(cap);
  out.clear();
  copyMessage(KIND[kind], new WireReader(body), out, cutter);
  writeMark(out, ATTRIBUTES_TAG[kind], cutter.names);
  return out.at <= bytesMax ? out.toBuffer() : undefined;
}

/** The largest length to which the longest values can be cut so that `excess` bytes go away. */
function capFor(lengths: number[], excess: number): number | undefined {
  lengths.sort((a, b) => b - a);
  let above = 0;
  for (let i = 0; i < lengths.length; i++) {
    above += lengths[i]!;
    const nextLength = lengths[i + 1] ?? 0;
    if (above - nextLength * (i + 1) >= excess) return Math.max(0, Math.floor((above - excess) / (i + 1)));
  }
  return undefined;
}

class Measurer implements FieldVisitor {
  readonly lengths: number[] = [];

  field(kind: Kind, field: WireReader): boolean {
    if (kind === KIND.text || kind === KIND.bytes) this.lengths.push(field.bodyEnd - field.bodyStart);
    return false;
  }
}

class Cutter implements FieldVisitor {
  /** Of the attributes that were cut. */
  readonly names = new Set<string>();
  private readonly cap: number;
  private attribute = '';
  private attributeEnd = -1;

  constructor(cap: number) {
    this.cap = cap;
  }

  field(kind: Kind, field: WireReader, out: WireWriter): boolean {
    if (kind === KIND.keyValue && field.fieldStart >= this.attributeEnd) {
      const { keyStart, keyEnd } = keyValueRanges(field.message());
      this.attribute = field.bytes.toString('utf8', keyStart, Math.min(keyEnd, keyStart + MARK_NAME_BYTES_MAX));
      this.attributeEnd = field.bodyEnd;
    }
    const length = field.bodyEnd - field.bodyStart;
    if ((kind !== KIND.text && kind !== KIND.bytes) || length <= this.cap) return false;
    this.names.add(field.fieldStart < this.attributeEnd ? this.attribute : 'name or message');
    let end = field.bodyStart + this.cap;
    if (kind === KIND.text) end = characterBorder(field.bytes, field.bodyStart, end);
    out.bytesField(field.tag, field.bytes, field.bodyStart, end);
    return true;
  }
}

/** The last place at or before `end` where no UTF-8 character is cut through. */
function characterBorder(bytes: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && end - at < 4 && ((bytes[at] as number) & 0xc0) === 0x80) at--;
  return at;
}

/** Writes the attribute `spanloom.truncated`: an array of names. */
function writeMark(out: WireWriter, tag: number, names: ReadonlySet<string>): void {
  const keyValue = out.begin(tag, 1024);
  out.textField(TAG_KEY, TRUNCATED_ATTRIBUTE);
  const value = out.begin(TAG_VALUE, 1024);
  const array = out.begin(TAG_ARRAY_VALUE, 1024);
  const arrayStart = out.at;
  let left = names.size;
  for (const name of names) {
    if (out.at - arrayStart > MARK_BYTES_MAX - 4 * MARK_NAME_BYTES_MAX) break;
    writeArrayText(out, name);
    left--;
  }
  if (left > 0) writeArrayText(out, `and ${left} more`);
  out.end(array);
  out.end(value);
  out.end(keyValue);
}

function writeArrayText(out: WireWriter, text: string): void {
  const item = out.begin(TAG_ARRAY_ITEM, text.length);
  out.textField(TAG_TEXT, text);
  out.end(item);
}

/** Room kept for the mark. */
const MARK_BYTES_MAX = 4096;
const MARK_NAME_BYTES_MAX = 128;
const TAG_ARRAY_ITEM = 0x0a;
const TAG_TEXT = 0x0a;
