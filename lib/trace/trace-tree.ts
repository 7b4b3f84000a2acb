import { SPAN_KIND, type SpanTable } from './span-table.ts';

/**
 * Who called whom among the spans of one trace, as columns over the rows of a SpanTable.
 *
 * Never recursive, so 10 000 spans in a chain are fine; nothing is allocated once the columns have grown. A tree is
 * made once per worker and built again for every trace.
 *
 * - A SERVER span with the id of a CLIENT or PRODUCER span (Zipkin's shared ids) becomes that span's child. A child of
 *   the shared id hangs under the half of its own service; of neither service: under the calling half.
 * - Spans of the same id, service and kind are one span; the longest of them stands for it, the others are duplicates.
 *   A span without a kind, or of no named service, is a part of whichever span of its id it does not contradict.
 *   A span of which only some parts know a parent that is in the trace has that one.
 * - A span that names itself as parent has none. A cycle is cut above its earliest span.
 * - A span whose parent is not in the trace is an orphan: parent -1, and not a root.
 */
export class TraceTree {
  /** Row of the parent, or -1. Duplicates have -1 and are nobody's parent. */
  parent = new Int32Array(0);
  /** First and next child in row order, or -1. */
  firstChild = new Int32Array(0);
  nextSibling = new Int32Array(0);
  /** Bits of TREE_FLAGS; the others are of no meaning outside. */
  flags = new Uint8Array(0);
  /** The row that stands for a duplicate, else -1. */
  duplicateOf = new Int32Array(0);
  /** The first `orderCount` entries are all rows but duplicates, each after its parent. */
  order = new Int32Array(0);
  orderCount = 0;
  duplicateCount = 0;

  private idHi = new Int32Array(0);
  private idLo = new Int32Array(0);
  /** Next row with the same id, or -1. */
  private nextSameId = new Int32Array(0);
  private placed = new Uint8Array(0);
  /** Row of the first span with an id, by the id's hash, open addressing; -1 is free. */
  private slots = new Int32Array(0);
  private slotMask = 0;
  private nameless = -1;

  /**
   * @param serviceOfContext a number per context of the table that tells services apart.
   * @param nameless the one that stands for spans which do not name their service, if any.
   */
  build(bytes: Uint8Array, table: SpanTable, serviceOfContext: Int32Array, nameless = -1): void {
    const count = table.count;
    this.nameless = nameless;
    this.reserve(count);
    this.orderCount = 0;
    this.duplicateCount = 0;
    for (let row = 0; row < count; row++) this.addId(bytes, table, serviceOfContext, row);
    if (this.duplicateCount > 0) this.resolveDuplicates(count);
    for (let row = 0; row < count; row++) this.findParent(bytes, table, serviceOfContext, row);
    if (this.duplicateCount > 0) this.takeParentsOfDuplicates(bytes, table, serviceOfContext, count);
    // Backwards, so that children come in row order.
    for (let row = count - 1; row >= 0; row--) {
      const parent = this.parent[row] as number;
      if (parent < 0) continue;
      this.nextSibling[row] = this.firstChild[parent] as number;
      this.firstChild[parent] = row;
    }
    this.placeFromRoots(count);
    this.cutCycles(table, count);
  }

  isOrphan(row: number): boolean {
    return ((this.flags[row] as number) & (TREE_FLAGS.orphan | TREE_FLAGS.cut)) !== 0;
  }

  /** A span by the 8 bytes of its id: of several the one that calls, else the first; -1 when there is none. */
  find(bytes: Uint8Array, at: number, table: SpanTable): number {
    const first = this.lookUp(word(bytes, at), word(bytes, at + 4));
    for (let row = first; row >= 0; row = this.nextSameId[row] as number) {
      const kind = table.kind[row];
      if (kind === SPAN_KIND.client || kind === SPAN_KIND.producer) return row;
    }
    return first;
  }

  /** No parent, and none is missing. */
  isRoot(row: number): boolean {
    return (this.parent[row] as number) < 0 && !this.isOrphan(row);
  }

  /** Enters a row under its id, or finds that it repeats one. */
  private addId(bytes: Uint8Array, table: SpanTable, serviceOfContext: Int32Array, row: number): void {
    const at = table.spanId[row] as number;
    const hi = at < 0 ? 0 : word(bytes, at);
    const lo = at < 0 ? 0 : word(bytes, at + 4);
    this.idHi[row] = hi;
    this.idLo[row] = lo;
    let slot = hashOf(hi, lo) & this.slotMask;
    let other = this.slots[slot] as number;
    while (other >= 0 && (this.idHi[other] !== hi || this.idLo[other] !== lo)) {
      slot = (slot + 1) & this.slotMask;
      other = this.slots[slot] as number;
    }
    if (other < 0) {
      this.slots[slot] = row;
      return;
    }
    this.addSameId(table, serviceOfContext, row, slot, other);
  }

  private addSameId(table: SpanTable, serviceOfContext: Int32Array, row: number, slot: number, first: number): void {
    const service = serviceOfContext[table.context[row] as number] as number;
    let before = -1;
    let other = first;
    for (let seen = 0; ; seen++) {
      const otherService = serviceOfContext[table.context[other] as number] as number;
      const isSameService = otherService === service || service === this.nameless || otherService === this.nameless;
      const isSameKind = table.kind[other] === table.kind[row] || table.kind[row] === 0 || table.kind[other] === 0;
      if ((isSameService && isSameKind) || seen === SAME_ID_MAX) break;
      const after = this.nextSameId[other] as number;
      if (after < 0) {
        this.nextSameId[other] = row;
        return;
      }
      before = other;
      other = after;
    }
    this.duplicateCount++;
    if (!this.standsFor(table, serviceOfContext, row, other)) {
      this.duplicateOf[row] = other;
      return;
    }
    this.duplicateOf[other] = row;
    this.nextSameId[row] = this.nextSameId[other] as number;
    if (before < 0) this.slots[slot] = row;
    else this.nextSameId[before] = row;
  }

  /** Of two parts of one span: whether `row` says more than `other`, by kind, service, then duration. */
  private standsFor(table: SpanTable, serviceOfContext: Int32Array, row: number, other: number): boolean {
    const hasKind = table.kind[row] !== 0;
    if (hasKind !== (table.kind[other] !== 0)) return hasKind;
    const isNameless = serviceOfContext[table.context[row] as number] === this.nameless;
    const isOtherNameless = serviceOfContext[table.context[other] as number] === this.nameless;
    if (isNameless !== isOtherNameless) return isOtherNameless;
    return durationNanos(table, row) > durationNanos(table, other);
  }

  /** A span that stood for others may itself have given way to a longer one. */
  private resolveDuplicates(count: number): void {
    for (let row = 0; row < count; row++) {
      let last = row;
      while ((this.duplicateOf[last] as number) >= 0) last = this.duplicateOf[last] as number;
      for (let at = row; at !== last; ) {
        const after = this.duplicateOf[at] as number;
        this.duplicateOf[at] = last;
        at = after;
      }
    }
  }

  private takeParentsOfDuplicates(
    bytes: Uint8Array,
    table: SpanTable,
    serviceOfContext: Int32Array,
    count: number,
  ): void {
    for (let row = 0; row < count; row++) {
      const original = this.duplicateOf[row] as number;
      const at = table.parentSpanId[row] as number;
      if (original < 0 || at < 0 || (this.parent[original] as number) >= 0) continue;
      const first = this.lookUp(word(bytes, at), word(bytes, at + 4));
      if (first < 0) continue;
      const parent = this.chooseParent(table, serviceOfContext, original, first);
      if (parent === original) continue;
      this.parent[original] = parent;
      this.flags[original] = 0;
    }
  }

  private findParent(bytes: Uint8Array, table: SpanTable, serviceOfContext: Int32Array, row: number): void {
    if ((this.duplicateOf[row] as number) >= 0) return;
    const at = table.parentSpanId[row] as number;
    const shared = this.callingHalf(table, row);
    if (shared >= 0) {
      this.parent[row] = shared;
      return;
    }
    if (at < 0) return;
    const hi = word(bytes, at);
    const lo = word(bytes, at + 4);
    if (hi === this.idHi[row] && lo === this.idLo[row]) return;
    const first = this.lookUp(hi, lo);
    if (first < 0) this.flags[row] = TREE_FLAGS.orphan;
    else if ((this.nextSameId[first] as number) < 0) this.parent[row] = first;
    else this.parent[row] = this.chooseParent(table, serviceOfContext, row, first);
  }

  /** The CLIENT or PRODUCER span whose id a SERVER or CONSUMER span shares, or -1. */
  private callingHalf(table: SpanTable, row: number): number {
    const kind = table.kind[row];
    if (kind !== SPAN_KIND.server && kind !== SPAN_KIND.consumer) return -1;
    let other = this.lookUp(this.idHi[row] as number, this.idLo[row] as number);
    if (other === row && (this.nextSameId[row] as number) < 0) return -1;
    while (other >= 0) {
      const otherKind = table.kind[other];
      if (otherKind === SPAN_KIND.producer || (otherKind === SPAN_KIND.client && kind === SPAN_KIND.server))
        return other;
      other = this.nextSameId[other] as number;
    }
    return -1;
  }

  /** Among spans that share the parent's id: the half of the child's own service, else the calling half. */
  private chooseParent(table: SpanTable, serviceOfContext: Int32Array, row: number, first: number): number {
    const service = serviceOfContext[table.context[row] as number];
    let own = -1;
    let calling = -1;
    for (let other = first; other >= 0; other = this.nextSameId[other] as number) {
      const kind = table.kind[other];
      const serves = kind === SPAN_KIND.server || kind === SPAN_KIND.consumer;
      if (!serves && calling < 0) calling = other;
      if (serviceOfContext[table.context[other] as number] === service && (own < 0 || serves)) own = other;
    }
    if (own >= 0) return own;
    return calling >= 0 ? calling : first;
  }

  private lookUp(hi: number, lo: number): number {
    let slot = hashOf(hi, lo) & this.slotMask;
    let row = this.slots[slot] as number;
    while (row >= 0 && (this.idHi[row] !== hi || this.idLo[row] !== lo)) {
      slot = (slot + 1) & this.slotMask;
      row = this.slots[slot] as number;
    }
    return row;
  }

  private placeFromRoots(count: number): void {
    for (let row = 0; row < count; row++) {
      if ((this.parent[row] as number) < 0 && (this.duplicateOf[row] as number) < 0) this.place(row);
    }
    this.placeBelow(0);
  }

  private place(row: number): void {
    this.placed[row] = 1;
    this.order[this.orderCount++] = row;
  }

  /** Breadth first: `order` is the queue. */
  private placeBelow(from: number): void {
    for (let at = from; at < this.orderCount; at++) {
      let child = this.firstChild[this.order[at] as number] as number;
      while (child >= 0) {
        this.place(child);
        child = this.nextSibling[child] as number;
      }
    }
  }

  /** Rows that no root reaches hang under a cycle: each is cut once, and then reached from there. */
  private cutCycles(table: SpanTable, count: number): void {
    for (let row = 0; row < count; row++) {
      if (this.placed[row] !== 0 || (this.duplicateOf[row] as number) >= 0) continue;
      const cut = this.earliestOfCycle(table, row);
      this.removeFromParent(cut);
      this.flags[cut] = TREE_FLAGS.cut;
      const from = this.orderCount;
      this.place(cut);
      this.placeBelow(from);
    }
  }

  private earliestOfCycle(table: SpanTable, below: number): number {
    let row = below;
    while (((this.flags[row] as number) & WALKED) === 0) {
      this.flags[row] = (this.flags[row] as number) | WALKED;
      row = this.parent[row] as number;
    }
    let earliest = row;
    for (let at = this.parent[row] as number; at !== row; at = this.parent[at] as number) {
      if (startsBefore(table, at, earliest)) earliest = at;
    }
    return earliest;
  }

  private removeFromParent(row: number): void {
    const parent = this.parent[row] as number;
    this.parent[row] = -1;
    if (this.firstChild[parent] === row) {
      this.firstChild[parent] = this.nextSibling[row] as number;
    } else {
      let before = this.firstChild[parent] as number;
      while (this.nextSibling[before] !== row) before = this.nextSibling[before] as number;
      this.nextSibling[before] = this.nextSibling[row] as number;
    }
    this.nextSibling[row] = -1;
  }

  private reserve(count: number): void {
    if (count > this.parent.length) {
      const rows = Math.max(ROWS_AT_FIRST, 2 ** Math.ceil(Math.log2(count)));
      this.parent = new Int32Array(rows);
      this.firstChild = new Int32Array(rows);
      this.nextSibling = new Int32Array(rows);
      this.flags = new Uint8Array(rows);
      this.duplicateOf = new Int32Array(rows);
      this.order = new Int32Array(rows);
      this.idHi = new Int32Array(rows);
      this.idLo = new Int32Array(rows);
      this.nextSameId = new Int32Array(rows);
      this.placed = new Uint8Array(rows);
      this.slots = new Int32Array(rows * 2);
    }
    this.parent.fill(-1, 0, count);
    this.firstChild.fill(-1, 0, count);
    this.nextSibling.fill(-1, 0, count);
    this.flags.fill(0, 0, count);
    this.duplicateOf.fill(-1, 0, count);
    this.nextSameId.fill(-1, 0, count);
    this.placed.fill(0, 0, count);
    let slots = SLOTS_AT_LEAST;
    while (slots < count * 2) slots *= 2;
    this.slotMask = slots - 1;
    this.slots.fill(-1, 0, slots);
  }
}

/** orphan: names a parent that is not in the trace. cut: the span above which a cycle was cut. */
export const TREE_FLAGS = { orphan: 1, cut: 2 } as const;

/** Nanoseconds, negative when it ends before it starts; beyond 2^53 (104 days) rounded. */
export function durationNanos(table: SpanTable, row: number): number {
  const hi = (table.endHi[row] as number) - (table.startHi[row] as number);
  return hi * 2 ** 32 + ((table.endLo[row] as number) - (table.startLo[row] as number));
}

export function startsBefore(table: SpanTable, row: number, other: number): boolean {
  const hi = (table.startHi[row] as number) - (table.startHi[other] as number);
  return hi !== 0 ? hi < 0 : (table.startLo[row] as number) < (table.startLo[other] as number);
}

/** Bit of `flags` while looking for a cycle; rows are walked at most once, so it need not be taken back. */
const WALKED = 0x80;
const ROWS_AT_FIRST = 1024;
const SLOTS_AT_LEAST = 16;
/** So many different spans may share an id; further ones count as duplicates. Keeps a hostile trace linear. */
const SAME_ID_MAX = 64;

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function hashOf(hi: number, lo: number): number {
  const mixed = Math.imul(hi ^ Math.imul(lo, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
