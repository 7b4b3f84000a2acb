import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { AssembledTrace } from '../../../lib/codec/records.ts';
import { BlockIndex } from '../core/hot/block-index.ts';
import { type BlockFacts, blockFacts, OpenBlock } from '../core/hot/open-block.ts';
import { OperationList } from '../core/hot/operation-list.ts';
import { type BlockQuery, searchBlocks } from '../core/hot/search-blocks.ts';
import { TERM } from '../core/hot/term-hash.ts';
import { readRecordLine, recordOf, type TraceRecord } from '../core/hot/trace-record.ts';
import { TraceTerms } from '../core/hot/trace-terms.ts';
import { HOT_MIGRATIONS } from './hot-schema.ts';
import { openSqlite, transaction } from './sqlite.ts';

export interface HotStoreLimits {
  /** Of append time, before the newest. */
  readonly retentionMs: number;
  /** Of all blocks, as stored. */
  readonly bytesMax: number;
}

export interface HotTrace {
  readonly record: TraceRecord;
  /** Read when asked for. */
  otlp(): Buffer;
}

/** The newest traces, in blocks (docs/design/console.md). One process has it open. */
export class HotStore {
  readonly operations: OperationList;
  private readonly db: DatabaseSync;
  private readonly limits: HotStoreLimits;
  private readonly terms: TraceTerms;
  private readonly statements: Statements;
  private blocks: StoredBlock[] = [];
  private open = new OpenBlock();
  private chunkCache: { key: string; bytes: Buffer } | undefined;
  private linesCache: { id: number; lines: string[] } | undefined;

  constructor(file: string, limits: HotStoreLimits) {
    this.limits = limits;
    this.db = openSqlite(file, { migrations: HOT_MIGRATIONS, cacheBytes: CACHE_BYTES, durability: 'normal' });
    this.statements = prepare(this.db);
    this.blocks = readBlocks(this.db);
    this.operations = new OperationList(readOperations(this.db));
    this.terms = new TraceTerms((service, kind, term, bytes, start, end) =>
      this.operations.saw(service, kind, term, bytes, start, end),
    );
  }

  /** Where to go on reading each partition; undefined: never read. */
  position(partition: number): number | undefined {
    const row = this.statements.position.get(partition) as { next_offset: number } | undefined;
    return row?.next_offset;
  }

  get figures(): { traces: number; spans: number; bytes: number; oldestMs: number | null; newestMs: number | null } {
    const stored = this.blocks;
    const traces = stored.reduce((sum, { facts }) => sum + facts.traceCount, this.open.count);
    const spans = stored.reduce((sum, block) => sum + block.spans, this.open.spanCount);
    const bytes = stored.reduce((sum, block) => sum + block.bytes, 0);
    const ends = [...stored.map(({ facts }) => facts), ...(this.open.count > 0 ? [this.open.snapshot().facts] : [])];
    const oldest = Math.min(...ends.map(({ startMin }) => startMin));
    const newest = Math.max(...ends.map(({ startMax }) => startMax));
    return {
      traces,
      spans,
      bytes,
      oldestMs: ends.length === 0 ? null : Math.floor(oldest / 1000),
      newestMs: ends.length === 0 ? null : Math.floor(newest / 1000),
    };
  }

  get isFull(): boolean {
    return this.open.isFull;
  }

  get openCount(): number {
    return this.open.count;
  }

  /** @returns false when its bytes are no OTLP: then it is found by its id alone. */
  add(trace: AssembledTrace, appendedMs: number): boolean {
    const whole = this.terms.read(trace.traceId, trace.otlp);
    // A copy: a decoded record is a view of the whole batch.
    this.open.add(recordOf(trace), Buffer.from(trace.otlp), this.terms.set, appendedMs);
    return whole;
  }

  /** Writes what is gathered with the positions behind it, and deletes what is too old or too much. */
  seal(positions: ReadonlyMap<number, number>): { dropped: number } {
    const { open } = this;
    return transaction(this.db, () => {
      if (open.count > 0) this.blocks.push(this.write(open));
      for (const [partition, next] of positions) this.statements.setPosition.run(partition, next);
      for (const [service, operation, kind] of this.operations.takeFresh()) {
        this.statements.addOperation.run(service, operation, kind);
      }
      this.open = new OpenBlock();
      return { dropped: this.deleteOldest() };
    });
  }

  /** The records of the traces that may match, newest first; hashes may let in others. */
  *search(query: BlockQuery): Generator<HotTrace> {
    const { open } = this;
    const opened: SearchableBlock[] = open.count > 0 ? [{ id: OPEN_ID, facts: open.snapshot().facts }] : [];
    const indexOf = (block: SearchableBlock): BlockIndex =>
      block.id === OPEN_ID ? open.snapshot().index : this.index(block.id);
    for (const { block, ordinal } of searchBlocks([...this.blocks, ...opened], query, indexOf)) {
      yield this.trace(block.id, ordinal, open);
    }
  }

  /** All revisions that are held. @param traceId 32 lower-case hex digits. */
  find(traceId: string): HotTrace[] {
    const all = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
    const query = { ...all, durationMin: 0, durationMax: Number.POSITIVE_INFINITY, failed: undefined };
    const found = [...this.search({ ...query, terms: [TERM.traceId(traceId)] })];
    return found
      .filter(({ record }) => record.traceId === traceId)
      .sort((a, b) => a.record.revision - b.record.revision);
  }

  close(): void {
    this.db.close();
  }

  private trace(blockId: number, ordinal: number, open: OpenBlock): HotTrace {
    if (blockId === OPEN_ID) {
      const { record, place } = readRecordLine(open.lines[ordinal] as string);
      return {
        record,
        otlp: () =>
          chunkBytes(open.chunks[place.chunk] as Buffer[]).subarray(place.offset, place.offset + place.length),
      };
    }
    const { record, place } = readRecordLine(this.lines(blockId)[ordinal] as string);
    const { chunk, offset, length } = place;
    return { record, otlp: () => this.chunk(blockId, chunk).subarray(offset, offset + length) };
  }

  private index(id: number): BlockIndex {
    const { bytes } = this.statements.index.get(id) as { bytes: Uint8Array };
    return BlockIndex.read(bytes);
  }

  private lines(id: number): string[] {
    if (this.linesCache?.id !== id) {
      const { bytes } = this.statements.lines.get(id) as { bytes: Uint8Array };
      this.linesCache = { id, lines: zstdDecompressSync(bytes).toString().split('\n') };
    }
    return this.linesCache.lines;
  }

  private chunk(id: number, chunk: number): Buffer {
    const key = `${id}/${chunk}`;
    if (this.chunkCache?.key !== key) {
      const { bytes } = this.statements.chunk.get(id, chunk) as { bytes: Uint8Array };
      this.chunkCache = { key, bytes: zstdDecompressSync(bytes) };
    }
    return this.chunkCache.bytes;
  }

  private write(open: OpenBlock): StoredBlock {
    const { facts, index } = open.snapshot();
    const encodedIndex = index.encode();
    const lines = zstdCompressSync(open.lines.join('\n'), ZSTD);
    const chunks = open.chunks.map((parts) => zstdCompressSync(chunkBytes(parts), ZSTD));
    const columns = facts.traceCount * COLUMN_BYTES + facts.bloom.length;
    const bytes = [encodedIndex, lines, ...chunks].reduce((sum, part) => sum + part.length, columns);
    const { statements } = this;
    const { lastInsertRowid } = statements.addBlock.run(
      open.spanCount,
      bytes,
      open.appendedMs,
      asBytes(facts.starts),
      asBytes(facts.durations),
      facts.failed,
      facts.bloom,
    );
    const id = Number(lastInsertRowid);
    statements.addIndex.run(id, encodedIndex);
    statements.addLines.run(id, lines);
    for (const [i, chunk] of chunks.entries()) statements.addChunk.run(id, i, chunk);
    return { id, facts, spans: open.spanCount, bytes, appendedMs: open.appendedMs };
  }

  private deleteOldest(): number {
    let bytes = this.blocks.reduce((sum, block) => sum + block.bytes, 0);
    const newestMs = this.blocks.reduce((newest, block) => Math.max(newest, block.appendedMs), 0);
    let count = 0;
    let traces = 0;
    for (const block of this.blocks) {
      const isOld = block.appendedMs < newestMs - this.limits.retentionMs;
      if (!isOld && bytes <= this.limits.bytesMax) break;
      bytes -= block.bytes;
      traces += block.facts.traceCount;
      count++;
      for (const statement of this.statements.deletes) statement.run(block.id);
    }
    if (count > 0) this.blocks = this.blocks.slice(count);
    return traces;
  }
}

interface SearchableBlock {
  readonly id: number;
  readonly facts: BlockFacts;
}

interface StoredBlock extends SearchableBlock {
  readonly spans: number;
  readonly bytes: number;
  readonly appendedMs: number;
}

interface Statements {
  readonly position: StatementSync;
  readonly setPosition: StatementSync;
  readonly addOperation: StatementSync;
  readonly addBlock: StatementSync;
  readonly addIndex: StatementSync;
  readonly addLines: StatementSync;
  readonly addChunk: StatementSync;
  readonly index: StatementSync;
  readonly lines: StatementSync;
  readonly chunk: StatementSync;
  readonly deletes: readonly StatementSync[];
}

function prepare(db: DatabaseSync): Statements {
  return {
    position: db.prepare('SELECT next_offset FROM position WHERE partition = ?'),
    setPosition: db.prepare('INSERT OR REPLACE INTO position (partition, next_offset) VALUES (?, ?)'),
    addOperation: db.prepare('INSERT OR IGNORE INTO operation (service, operation, kind) VALUES (?, ?, ?)'),
    addBlock: db.prepare(
      'INSERT INTO block (spans, bytes, appended_ms, starts, durations, failed, bloom) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    addIndex: db.prepare('INSERT INTO block_index (block, bytes) VALUES (?, ?)'),
    addLines: db.prepare('INSERT INTO block_lines (block, bytes) VALUES (?, ?)'),
    addChunk: db.prepare('INSERT INTO chunk (block, chunk, bytes) VALUES (?, ?, ?)'),
    index: db.prepare('SELECT bytes FROM block_index WHERE block = ?'),
    lines: db.prepare('SELECT bytes FROM block_lines WHERE block = ?'),
    chunk: db.prepare('SELECT bytes FROM chunk WHERE block = ? AND chunk = ?'),
    deletes: [
      db.prepare('DELETE FROM block WHERE id = ?'),
      db.prepare('DELETE FROM block_index WHERE block = ?'),
      db.prepare('DELETE FROM block_lines WHERE block = ?'),
      db.prepare('DELETE FROM chunk WHERE block = ?'),
    ],
  };
}

function readBlocks(db: DatabaseSync): StoredBlock[] {
  const blocks: StoredBlock[] = [];
  const rows = db.prepare('SELECT * FROM block ORDER BY id').iterate() as Iterable<BlockRow>;
  for (const row of rows) {
    const columns = {
      starts: new Float64Array(aligned(row.starts)),
      durations: new Float32Array(aligned(row.durations)),
      failed: row.failed,
    };
    const { id, spans, bytes } = row;
    blocks.push({ id, facts: blockFacts(columns, row.bloom), spans, bytes, appendedMs: row.appended_ms });
  }
  return blocks;
}

interface BlockRow {
  readonly id: number;
  readonly spans: number;
  readonly bytes: number;
  readonly appended_ms: number;
  readonly starts: Uint8Array;
  readonly durations: Uint8Array;
  readonly failed: Uint8Array;
  readonly bloom: Uint8Array;
}

function readOperations(db: DatabaseSync): [string, string, number][] {
  const rows = db.prepare('SELECT service, operation, kind FROM operation').all() as unknown as {
    service: string;
    operation: string;
    kind: number;
  }[];
  return rows.map(({ service, operation, kind }) => [service, operation, kind]);
}

function aligned(bytes: Uint8Array): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

function asBytes(array: Float64Array | Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function chunkBytes(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

const OPEN_ID = 0;
const CACHE_BYTES = 32 * 1024 * 1024;
/** Start, duration and failure of a trace. */
const COLUMN_BYTES = 13;
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
