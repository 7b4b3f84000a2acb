import type { SpanTable } from '../../../lib/trace/span-table.ts';
import { RUN_HEADER_BYTES } from '../../../lib/trace/window-fragment.ts';

/**
 * Groups the spans of one scanned bundle by trace id without making a key for each span: an open-addressing table over
 * the ids' own bytes, then a linked list of rows per group. Rows with a problem are left out. Valid until the next `group`.
 */
export class SpanGrouper {
  /** Groups found; the columns below have that many valid rows. */
  count = 0;
  spanCount = new Int32Array(GROUPS_AT_FIRST);
  /** Bytes of the group as a fragment. */
  fragmentBytes = new Int32Array(GROUPS_AT_FIRST);
  /** 1 when a span without a parent is among them. */
  hasRoot = new Uint8Array(GROUPS_AT_FIRST);
  private firstRow = new Int32Array(GROUPS_AT_FIRST);
  private lastRow = new Int32Array(GROUPS_AT_FIRST);
  private nextRow = new Int32Array(GROUPS_AT_FIRST);
  private slots = new Int32Array(GROUPS_AT_FIRST * 2);

  group(bytes: Buffer, table: SpanTable): void {
    this.count = 0;
    this.makeRoom(table.count);
    const mask = this.slots.length - 1;
    this.slots.fill(-1);
    for (let row = 0; row < table.count; row++) {
      if (table.problem[row] !== 0) continue;
      const id = table.traceId[row] as number;
      // Ids are random, or a counter in their last bytes: mix the last word with the first.
      const hash = Math.imul(word(bytes, id + 12) ^ Math.imul(word(bytes, id + 8), 0x9e3779b1), 0x85ebca6b);
      let slot = (hash ^ (hash >>> 15)) & mask;
      let group = this.slots[slot] as number;
      while (group >= 0 && !sameId(bytes, table.traceId[this.firstRow[group] as number] as number, id)) {
        slot = (slot + 1) & mask;
        group = this.slots[slot] as number;
      }
      if (group < 0) {
        group = this.count++;
        this.slots[slot] = group;
        this.firstRow[group] = row;
        this.spanCount[group] = 0;
        this.fragmentBytes[group] = RUN_HEADER_BYTES;
        this.hasRoot[group] = 0;
      } else {
        const last = this.lastRow[group] as number;
        this.nextRow[last] = row;
        if (table.context[last] !== table.context[row]) {
          this.fragmentBytes[group] = (this.fragmentBytes[group] as number) + RUN_HEADER_BYTES;
        }
      }
      this.lastRow[group] = row;
      this.nextRow[row] = -1;
      this.spanCount[group] = (this.spanCount[group] as number) + 1;
      this.fragmentBytes[group] =
        (this.fragmentBytes[group] as number) + (table.bodyEnd[row] as number) - (table.fieldStart[row] as number);
      if (table.parentSpanId[row] === -1) this.hasRoot[group] = 1;
    }
  }

  /** Position of the group's 16-byte trace id in the scanned bytes. */
  traceIdAt(group: number, table: SpanTable): number {
    return table.traceId[this.firstRow[group] as number] as number;
  }

  /**
   * Writes the group as a fragment (see fragment.ts) into `out` at `at`; it takes `fragmentBytes[group]` bytes.
   * @param contextIds interned id of each context row of the table.
   */
  writeFragment(
    group: number,
    bytes: Buffer,
    table: SpanTable,
    contextIds: readonly number[],
    out: Buffer,
    at: number,
  ): void {
    let row = this.firstRow[group] as number;
    let to = at;
    while (row >= 0) {
      const context = table.context[row] as number;
      const header = to;
      to += RUN_HEADER_BYTES;
      while (row >= 0 && table.context[row] === context) {
        // Neighbours in the bundle are copied together.
        const from = table.fieldStart[row] as number;
        let end = table.bodyEnd[row] as number;
        row = this.nextRow[row] as number;
        while (row >= 0 && table.fieldStart[row] === end && table.context[row] === context) {
          end = table.bodyEnd[row] as number;
          row = this.nextRow[row] as number;
        }
        bytes.copy(out, to, from, end);
        to += end - from;
      }
      out.writeUInt32LE(contextIds[context] as number, header);
      out.writeUInt32LE(to - header - RUN_HEADER_BYTES, header + 4);
    }
  }

  private makeRoom(rows: number): void {
    if (rows > this.nextRow.length) {
      const size = powerOfTwoFrom(rows);
      this.spanCount = new Int32Array(size);
      this.fragmentBytes = new Int32Array(size);
      this.hasRoot = new Uint8Array(size);
      this.firstRow = new Int32Array(size);
      this.lastRow = new Int32Array(size);
      this.nextRow = new Int32Array(size);
      this.slots = new Int32Array(size * 2);
    }
  }
}

const GROUPS_AT_FIRST = 1024;

function powerOfTwoFrom(n: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(n, 1)));
}

function word(bytes: Buffer, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function sameId(bytes: Buffer, a: number, b: number): boolean {
  for (let i = 15; i >= 0; i--) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
}
