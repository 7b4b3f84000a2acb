import { BlockIndex, PAIR_SCALE } from './block-index.ts';
import { bloomOf } from './bloom.ts';
import type { TermSet } from './term-set.ts';
import { recordLine, type TraceRecord } from './trace-record.ts';

/** What is held in memory of every block: enough to know whether a search has to look into it. */
export interface BlockFacts {
  readonly traceCount: number;
  /** Microseconds since 1970, of each trace. */
  readonly starts: Float64Array;
  /** Microseconds, rounded to 24 bits. */
  readonly durations: Float32Array;
  /** 1 where a span failed. */
  readonly failed: Uint8Array;
  readonly bloom: Uint8Array;
  readonly startMin: number;
  readonly startMax: number;
  readonly durationMax: number;
  readonly hasFailed: boolean;
}

/** A block that grows: the traces that came last. */
export class OpenBlock {
  count = 0;
  spanCount = 0;
  /** Of OTLP. */
  bytes = 0;
  /** Broker's append time of the newest, epoch milliseconds. */
  appendedMs = 0;
  readonly lines: string[] = [];
  /** The OTLP bytes of the traces of each chunk. */
  readonly chunks: Buffer[][] = [];
  private chunkBytes = Number.POSITIVE_INFINITY;
  private pairs = new Float64Array(PAIRS_AT_FIRST);
  private pairCount = 0;
  private readonly starts = new Float64Array(BLOCK_TRACES_MAX);
  private readonly durations = new Float32Array(BLOCK_TRACES_MAX);
  private readonly failed = new Uint8Array(BLOCK_TRACES_MAX);
  private snapshotOf = -1;
  private indexed: { facts: BlockFacts; index: BlockIndex } | undefined;

  get isFull(): boolean {
    return this.count === BLOCK_TRACES_MAX || this.bytes >= BLOCK_BYTES_MAX;
  }

  /** @param otlp is kept, so it must not be a view of something much larger. */
  add(record: TraceRecord, otlp: Buffer, terms: TermSet, appendedMs: number): void {
    const ordinal = this.count++;
    this.starts[ordinal] = Number(record.startNs / 1000n);
    this.durations[ordinal] = record.durationNs / 1000;
    this.failed[ordinal] = record.errorCount > 0 ? 1 : 0;
    if (this.pairCount + terms.count > this.pairs.length) this.growPairs(terms.count);
    for (let i = 0; i < terms.count; i++) {
      this.pairs[this.pairCount++] = (terms.terms[i] as number) * PAIR_SCALE + ordinal;
    }
    if (this.chunkBytes >= CHUNK_BYTES) {
      this.chunks.push([]);
      this.chunkBytes = 0;
    }
    const chunk = this.chunks.length - 1;
    this.lines.push(recordLine(record, { chunk, offset: this.chunkBytes, length: otlp.length }));
    (this.chunks[chunk] as Buffer[]).push(otlp);
    this.chunkBytes += otlp.length;
    this.bytes += otlp.length;
    this.spanCount += record.spanCount;
    this.appendedMs = Math.max(this.appendedMs, appendedMs);
  }

  /** Facts and index of what it holds now; made again only when something was added. */
  snapshot(): { facts: BlockFacts; index: BlockIndex } {
    if (this.indexed !== undefined && this.snapshotOf === this.count) return this.indexed;
    const index = BlockIndex.of(this.pairs.slice(0, this.pairCount));
    const columns = {
      starts: this.starts.slice(0, this.count),
      durations: this.durations.slice(0, this.count),
      failed: this.failed.slice(0, this.count),
    };
    this.indexed = { facts: blockFacts(columns, bloomOf(index.terms)), index };
    this.snapshotOf = this.count;
    return this.indexed;
  }

  private growPairs(more: number): void {
    const grown = new Float64Array(Math.max(this.pairs.length * 2, this.pairCount + more));
    grown.set(this.pairs);
    this.pairs = grown;
  }
}

export function blockFacts(
  columns: Pick<BlockFacts, 'starts' | 'durations' | 'failed'>,
  bloom: Uint8Array,
): BlockFacts {
  let startMin = Number.POSITIVE_INFINITY;
  let startMax = Number.NEGATIVE_INFINITY;
  let durationMax = 0;
  for (let i = 0; i < columns.starts.length; i++) {
    startMin = Math.min(startMin, columns.starts[i] as number);
    startMax = Math.max(startMax, columns.starts[i] as number);
    durationMax = Math.max(durationMax, columns.durations[i] as number);
  }
  const hasFailed = columns.failed.includes(1);
  return { ...columns, traceCount: columns.starts.length, bloom, startMin, startMax, durationMax, hasFailed };
}

export const BLOCK_TRACES_MAX = 512;
export const BLOCK_BYTES_MAX = 2 * 1024 * 1024;
/** Of OTLP that are compressed as one: what has to be read to get one trace. */
const CHUNK_BYTES = 128 * 1024;
const PAIRS_AT_FIRST = 64 * 1024;
