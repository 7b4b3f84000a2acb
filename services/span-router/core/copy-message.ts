import type { WireReader } from '../../../lib/trace/wire-reader.ts';
import type { WireWriter } from '../../../lib/trace/wire-writer.ts';
import { childKind, FIRST_MESSAGE_KIND, KIND, type Kind } from './message-kinds.ts';

/** Decides on the fields that can lead to an attribute, see message-kinds.ts. */
export interface FieldVisitor {
  /**
   * @returns true when the visitor has dealt with the field: wrote something in its place, or nothing to drop it.
   *   Otherwise messages are gone into, other fields copied.
   */
  field(kind: Kind, field: WireReader, out: WireWriter): boolean;
}

/** Copies the body of a message that `inspect` found well-formed, letting the visitor change it. */
export function copyMessage(kind: Kind, body: WireReader, out: WireWriter, visitor: FieldVisitor): void {
  while (body.next()) {
    const child = body.tag % 8 === 2 ? (childKind(kind, Math.floor(body.tag / 8)) as Kind) : KIND.opaque;
    if (child !== KIND.opaque && visitor.field(child, body, out)) continue;
    if (child < FIRST_MESSAGE_KIND) out.copy(body.bytes, body.fieldStart, body.bodyEnd);
    else {
      const mark = out.begin(body.tag, body.bodyEnd - body.bodyStart);
      copyMessage(child, body.message(), out, visitor);
      out.end(mark);
    }
  }
}

/** Where key and value of a KeyValue stand; start and end are equal when one is missing. */
export interface KeyValueRanges {
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

export function keyValueRanges(keyValue: WireReader): KeyValueRanges {
  const ranges = { keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0 };
  while (keyValue.next()) {
    if (keyValue.tag === TAG_KEY) {
      ranges.keyStart = keyValue.bodyStart;
      ranges.keyEnd = keyValue.bodyEnd;
    } else if (keyValue.tag === TAG_VALUE) {
      ranges.valueStart = keyValue.bodyStart;
      ranges.valueEnd = keyValue.bodyEnd;
    }
  }
  return ranges;
}

export const TAG_KEY = 0x0a;
export const TAG_VALUE = 0x12;
export const TAG_STRING_VALUE = 0x0a;
export const TAG_ARRAY_VALUE = 0x2a;
