import { ATTRIBUTES_OF, fieldRange, findField } from '../../trace/attributes.ts';
import { next, varint } from '../../trace/wire-cursor.ts';
import { AttributeList } from './attribute-list.ts';

/** What the scan of a request does not tell of a span: where its attributes, events, links and status message are. */
export class SpanBody {
  readonly attributes = new AttributeList();
  readonly events = new MessageList();
  readonly links = new MessageList();
  /** -1 when there is no message. */
  messageStart = -1;
  messageEnd = -1;

  /** @param start,end body of a Span message that the scan has passed. */
  read(bytes: Buffer, start: number, end: number): void {
    this.attributes.clear();
    this.events.clear();
    this.links.clear();
    this.messageStart = -1;
    for (let at = start; at < end; ) {
      let tag = bytes[at++] as number;
      if (tag >= 0x80) {
        tag = varint(bytes, at - 1, end);
        at = next;
      }
      switch (tag & 7) {
        case 0:
          while ((bytes[at++] as number) >= 0x80);
          break;
        case 1:
          at += 8;
          break;
        case 5:
          at += 4;
          break;
        default: {
          let length = bytes[at++] as number;
          if (length >= 0x80) {
            length = varint(bytes, at - 1, end);
            at = next;
          }
          this.field(bytes, tag, at, at + length);
          at += length;
        }
      }
    }
  }

  private field(bytes: Buffer, tag: number, start: number, end: number): void {
    if (tag === ATTRIBUTES_OF.span) this.attributes.add(bytes, start, end);
    else if (tag === TAG_EVENT) this.events.add(start, end);
    else if (tag === TAG_LINK) this.links.add(start, end);
    else if (tag === TAG_STATUS && findField(bytes, start, end, TAG_MESSAGE)) {
      this.messageStart = fieldRange().start;
      this.messageEnd = fieldRange().end;
    }
  }
}

/** Bodies of messages, by their first and one past their last byte. */
export class MessageList {
  count = 0;
  starts = new Int32Array(8);
  ends = new Int32Array(8);

  add(start: number, end: number): void {
    if (this.count === this.starts.length) {
      const starts = new Int32Array(this.count * 2);
      starts.set(this.starts);
      this.starts = starts;
      const ends = new Int32Array(this.count * 2);
      ends.set(this.ends);
      this.ends = ends;
    }
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }

  clear(): void {
    this.count = 0;
  }
}

/** Field number × 8 + wire type, of opentelemetry-proto trace/v1. */
const TAG_EVENT = 0x5a;
const TAG_LINK = 0x6a;
const TAG_STATUS = 0x7a;
const TAG_MESSAGE = 0x12;
