import type { SpanTable } from '../../../lib/trace/span-table.ts';
import type { TraceRequest } from './assemble-trace.ts';
import type { SpanContext } from './contexts.ts';
import { hashHi, hashLo, hashSpan } from './span-hash.ts';

/**
 * Finds copies among the spans of one trace: the same bytes from the same service, in this window or in what earlier
 * revisions emitted. Spans that merely share an id (partial spans, Zipkin's shared spans) differ in bytes and stay.
 */
export class CopyFilter {
  /** 1 for each row that `mark` found to be a copy. */
  isCopy = new Uint8Array(ROWS_AT_FIRST);
  private hi = new Uint32Array(ROWS_AT_FIRST);
  private lo = new Uint32Array(ROWS_AT_FIRST);
  private rows = 0;

  /** Hashes every span and marks the copies; the first of equal spans stays. @returns how many copies there are. */
  mark(request: TraceRequest, table: SpanTable, earlierHashes: Buffer): number {
    this.makeRoom(table.count);
    this.rows = table.count;
    seen.reset(table.count + earlierHashes.length / HASH_BYTES);
    for (let at = 0; at < earlierHashes.length; at += HASH_BYTES) {
      seen.add(earlierHashes.readUInt32LE(at), earlierHashes.readUInt32LE(at + 4));
    }
    let copies = 0;
    for (let row = 0; row < table.count; row++) {
      const { serviceSeed } = request.contexts[table.context[row] as number] as SpanContext;
      hashSpan(request.bytes, table.bodyStart[row] as number, table.bodyEnd[row] as number, serviceSeed);
      this.hi[row] = hashHi;
      this.lo[row] = hashLo;
      const isNew = seen.add(hashHi, hashLo);
      this.isCopy[row] = isNew ? 0 : 1;
      if (!isNew) copies++;
    }
    return copies;
  }

  /** Hashes of the rows that are no copies, eight bytes each. */
  keptHashes(copies: number): Buffer {
    const hashes = Buffer.allocUnsafe((this.rows - copies) * HASH_BYTES);
    let at = 0;
    for (let row = 0; row < this.rows; row++) {
      if (this.isCopy[row] === 1) continue;
      hashes.writeUInt32LE(this.hi[row] as number, at);
      hashes.writeUInt32LE(this.lo[row] as number, at + 4);
      at += HASH_BYTES;
    }
    return hashes;
  }

  private makeRoom(rows: number): void {
    if (rows <= this.hi.length) return;
    this.isCopy = new Uint8Array(rows * 2);
    this.hi = new Uint32Array(rows * 2);
    this.lo = new Uint32Array(rows * 2);
  }
}

/** A set of 64-bit hashes in typed arrays; (0, 0) stands for an empty slot and is moved to (0, 1). */
class HashSet {
  private hi = new Uint32Array(64);
  private lo = new Uint32Array(64);
  private mask = 63;

  reset(entries: number): void {
    const size = Math.max(64, 2 ** Math.ceil(Math.log2(entries * 2 + 1)));
    if (size > this.hi.length) {
      this.hi = new Uint32Array(size);
      this.lo = new Uint32Array(size);
    } else {
      this.hi.fill(0, 0, size);
      this.lo.fill(0, 0, size);
    }
    this.mask = size - 1;
  }

  /** @returns false when it was in already. */
  add(hi: number, lo: number): boolean {
    const low = hi === 0 && lo === 0 ? 1 : lo;
    let slot = low & this.mask;
    for (;;) {
      if (this.hi[slot] === 0 && this.lo[slot] === 0) {
        this.hi[slot] = hi;
        this.lo[slot] = low;
        return true;
      }
      if (this.hi[slot] === hi && this.lo[slot] === low) return false;
      slot = (slot + 1) & this.mask;
    }
  }
}

const HASH_BYTES = 8;
const ROWS_AT_FIRST = 1024;
const seen = new HashSet();
