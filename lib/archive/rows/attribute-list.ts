import { next, varint } from '../../trace/wire-cursor.ts';

/** Where the attributes of one message are in its bytes; filled anew for each message, so nothing is allocated. */
export class AttributeList {
  count = 0;
  keyStart = new Int32Array(ATTRIBUTES_AT_FIRST);
  keyEnd = new Int32Array(ATTRIBUTES_AT_FIRST);
  /** The AnyValue; start === end for null. */
  valueStart = new Int32Array(ATTRIBUTES_AT_FIRST);
  valueEnd = new Int32Array(ATTRIBUTES_AT_FIRST);

  clear(): void {
    this.count = 0;
  }

  /** @param start,end body of a KeyValue. What does not end inside it is left out. */
  add(bytes: Uint8Array, start: number, end: number): void {
    if (this.count === this.keyStart.length) this.grow();
    const row = this.count++;
    this.keyStart[row] = start;
    this.keyEnd[row] = start;
    this.valueStart[row] = start;
    this.valueEnd[row] = start;
    for (let at = start; at < end; ) {
      const tag = bytes[at] as number;
      let length = bytes[at + 1] as number;
      let body = at + 2;
      if (length >= 0x80) {
        length = varint(bytes, at + 1, end);
        body = next;
      }
      const bodyEnd = body + length;
      if (bodyEnd > end) return;
      if (tag === TAG_KEY) {
        this.keyStart[row] = body;
        this.keyEnd[row] = bodyEnd;
      } else if (tag === TAG_VALUE) {
        this.valueStart[row] = body;
        this.valueEnd[row] = bodyEnd;
      } else if ((tag & 7) !== WIRE_LENGTH || tag >= 0x80) return;
      at = bodyEnd;
    }
  }

  private grow(): void {
    const rows = this.keyStart.length * 2;
    this.keyStart = grown(this.keyStart, rows);
    this.keyEnd = grown(this.keyEnd, rows);
    this.valueStart = grown(this.valueStart, rows);
    this.valueEnd = grown(this.valueEnd, rows);
  }
}

function grown(from: Int32Array, rows: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(rows);
  to.set(from);
  return to;
}

const ATTRIBUTES_AT_FIRST = 64;
const TAG_KEY = 0x0a;
const TAG_VALUE = 0x12;
const WIRE_LENGTH = 2;
