import { compress, decompress, type WriteCompression } from './compression.ts';
import { crc32c } from './crc32c.ts';
import { type AbortedTransaction, ReadCommittedFilter } from './read-committed.ts';
import { RecordCursor, varintSize, writeVarint } from './record-cursor.ts';
import type { LogRecord, OutRecord } from './types.ts';

/*
 * A record batch, format 2 (https://kafka.apache.org/documentation/#recordbatch):
 *
 *    0 base offset i64        8 length i32 (of all that follows)   12 leader epoch i32   16 magic i8   17 crc-32c u32
 *   21 attributes i16        23 last offset delta i32              27 base timestamp i64      35 max timestamp i64
 *   43 producer id i64       51 producer epoch i16                 53 base sequence i32       57 record count i32
 *   61 records, together compressed by the codec in the attributes
 */

export interface ReadBatches {
  readonly records: LogRecord[];
  /** Behind the last batch that was read, filtered ones too; never below the offset asked for. */
  readonly nextOffset: number;
  /** Why reading stopped before the end of the bytes, when a batch could not be read. */
  readonly undecodable?: { readonly nextOffset: number; readonly reason: string };
}

/**
 * Reads the batches of one partition of a fetch response, leaving out control batches, aborted transactions and records
 * below `fromOffset` (the first batch may begin before it). Keys, values and headers are views into `bytes` or into one
 * decompressed batch: who keeps a small one for long copies it.
 *
 * Reading stops once `bytesMax` decompressed bytes are there (at least one batch is read), at a batch that is cut short by
 * the end of `bytes`, and at an undecodable one, which is an outcome and not an exception.
 */
export function readBatches(
  bytes: Buffer,
  options: {
    fromOffset: number;
    aborted: readonly AbortedTransaction[];
    /** Bound for one batch once decompressed. */
    batchBytesMax: number;
    /** Bound for the sum over batches. */
    bytesMax: number;
  },
): ReadBatches {
  const filter = new ReadCommittedFilter(options.aborted);
  const records: LogRecord[] = [];
  let nextOffset = options.fromOffset;
  let bytesRead = 0;
  for (let at = 0; at + LENGTH_END <= bytes.length && bytesRead < options.bytesMax; ) {
    const end = at + LENGTH_END + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    const bad = (reason: string, lastOffset: number): ReadBatches => ({
      records,
      nextOffset,
      undecodable: { nextOffset: Math.max(lastOffset, nextOffset) + 1, reason },
    });
    const baseOffset = safeOffset(bytes.readBigInt64BE(at));
    if (end < at + HEADER_BYTES || bytes[at + 16] !== MAGIC)
      return bad('it has the message format of Kafka before 0.11', baseOffset);
    const header = readHeader(bytes, at, baseOffset);
    if (crc32c(bytes, at + CRC_FROM, end) !== bytes.readUInt32BE(at + 17))
      return bad('its checksum is wrong', header.lastOffset);
    try {
      if (filter.passes({ ...header, control: header.control ? controlType(bytes.subarray(at, end)) : undefined })) {
        const body = decompress(bytes.subarray(at + HEADER_BYTES, end), header.codec, options.batchBytesMax);
        bytesRead += body.length;
        readRecords(body, header, options.fromOffset, records);
      }
    } catch (cause) {
      // Records of a damaged batch that were read before the damage are not data either.
      while (records.length > 0 && records[records.length - 1]!.offset >= header.baseOffset) records.pop();
      return bad((cause as Error).message, header.lastOffset);
    }
    nextOffset = Math.max(nextOffset, header.lastOffset + 1);
    at = end;
  }
  return { records, nextOffset };
}

/** What identifies the producer to the broker. */
export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** Bytes of the record in a batch, at most: what `writeBatch` needs for it before compression. */
export function recordBytesOf(record: OutRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + byteLength(record.key) + (record.value?.length ?? 0);
  for (const [name, value] of Object.entries(record.headers ?? {})) {
    bytes += HEADER_OVERHEAD_BYTES + Buffer.byteLength(name) + byteLength(value);
  }
  return bytes;
}

/**
 * Writes one transactional batch. Below 512 bytes compression would only add to it, so there is none.
 * @param timestampMs producer's time of all records; the broker replaces it on LogAppendTime topics.
 */
export function writeBatch(
  records: readonly OutRecord[],
  batch: ProducerIdentity & { baseSequence: number; timestampMs: number; compression: WriteCompression },
): Buffer {
  const body = writeRecords(records);
  const compression = body.length < COMPRESSED_BYTES_MIN ? 'none' : batch.compression;
  const packed = compress(body, compression);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + packed.length);
  bytes.writeBigInt64BE(0n, 0);
  bytes.writeInt32BE(bytes.length - LENGTH_END, 8);
  bytes.writeInt32BE(-1, 12);
  bytes[16] = MAGIC;
  bytes.writeInt16BE(CODEC_NUMBER[compression] | TRANSACTIONAL, 21);
  bytes.writeInt32BE(records.length - 1, 23);
  bytes.writeBigInt64BE(BigInt(batch.timestampMs), 27);
  bytes.writeBigInt64BE(BigInt(batch.timestampMs), 35);
  bytes.writeBigInt64BE(batch.producerId, 43);
  bytes.writeInt16BE(batch.producerEpoch, 51);
  bytes.writeInt32BE(batch.baseSequence, 53);
  bytes.writeInt32BE(records.length, 57);
  packed.copy(bytes, HEADER_BYTES);
  bytes.writeUInt32BE(crc32c(bytes, CRC_FROM, bytes.length), 17);
  return bytes;
}

const HEADER_BYTES = 61;
const LENGTH_END = 12;
const CRC_FROM = 21;
const MAGIC = 2;
const CODEC_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const CODEC_NUMBER = { none: 0, gzip: 1, zstd: 4 } as const;
const COMPRESSED_BYTES_MIN = 512;
/** Length, attributes, timestamp delta, offset delta, key length, value length and header count, each at its longest. */
const RECORD_OVERHEAD_BYTES = 5 + 1 + 1 + 5 + 5 + 5 + 5;
const HEADER_OVERHEAD_BYTES = 10;
const NO_HEADERS: ReadonlyMap<string, Buffer> = new Map();

interface BatchHeader {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly codec: number;
  readonly transactional: boolean;
  readonly control: boolean;
  readonly producerId: number;
  readonly baseTimestampMs: number;
  /** Set when the broker's append time counts for every record. */
  readonly appendTimeMs: number | undefined;
  readonly recordCount: number;
}

function readHeader(bytes: Buffer, at: number, baseOffset: number): BatchHeader {
  const attributes = bytes.readInt16BE(at + 21);
  return {
    baseOffset,
    lastOffset: baseOffset + bytes.readInt32BE(at + 23),
    codec: attributes & CODEC_MASK,
    transactional: (attributes & TRANSACTIONAL) !== 0,
    control: (attributes & CONTROL) !== 0,
    producerId: Number(bytes.readBigInt64BE(at + 43)),
    baseTimestampMs: Number(bytes.readBigInt64BE(at + 27)),
    appendTimeMs: (attributes & LOG_APPEND_TIME) !== 0 ? Number(bytes.readBigInt64BE(at + 35)) : undefined,
    recordCount: bytes.readInt32BE(at + 57),
  };
}

/** A control record's key is a version and a type, both i16: 0 aborts and 1 commits its producer's transaction. */
function controlType(batch: Buffer): 'abort' | 'commit' | 'other' {
  const cursor = new RecordCursor(batch, HEADER_BYTES);
  cursor.varint();
  cursor.skip(1);
  cursor.varlong();
  cursor.varint();
  const key = cursor.bytesOrNull();
  const type = key !== null && key.length >= 4 ? key.readInt16BE(2) : -1;
  return type === 0 ? 'abort' : type === 1 ? 'commit' : 'other';
}

function readRecords(body: Buffer, header: BatchHeader, fromOffset: number, into: LogRecord[]): void {
  const cursor = new RecordCursor(body, 0);
  for (let i = 0; i < header.recordCount; i++) {
    const length = cursor.varint();
    const end = cursor.at + length;
    if (length < 0 || end > body.length) throw new Error('a record of it is cut short');
    cursor.skip(1);
    const timestampDelta = cursor.varlong();
    const offset = header.baseOffset + cursor.varint();
    if (offset < fromOffset) {
      cursor.at = end;
      continue;
    }
    const key = cursor.bytesOrNull();
    const value = cursor.bytesOrNull();
    const headers = readHeaders(cursor);
    if (cursor.at !== end) throw new Error('a record of it has a wrong length');
    const timestampMs = header.appendTimeMs ?? header.baseTimestampMs + timestampDelta;
    into.push({ offset, timestampMs, key, value, headers });
  }
}

/** A Map, so that a header named `__proto__` is a header like others. One without a value is left out. */
function readHeaders(cursor: RecordCursor): ReadonlyMap<string, Buffer> {
  const count = cursor.varint();
  if (count === 0) return NO_HEADERS;
  if (count < 0) throw new Error('a record of it has a negative number of headers');
  const headers = new Map<string, Buffer>();
  for (let i = 0; i < count; i++) {
    const name = cursor.bytesOrNull();
    const value = cursor.bytesOrNull();
    if (name === null) throw new Error('a record of it has a header without a name');
    const key = name.toString('utf8');
    if (value !== null && !headers.has(key)) headers.set(key, value);
  }
  return headers;
}

/** A view into one buffer that the next call overwrites: a fresh one of 2 MiB for every batch costs more than to fill it. */
function writeRecords(records: readonly OutRecord[]): Buffer {
  let most = 0;
  for (const record of records) most += recordBytesOf(record);
  if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most);
  let at = 0;
  for (let i = 0; i < records.length; i++) at = writeRecord(scratch, at, i, records[i]!);
  return scratch.subarray(0, at);
}

let scratch = Buffer.allocUnsafeSlow(64 * 1024);

function writeRecord(out: Buffer, from: number, offsetDelta: number, record: OutRecord): number {
  const keyBytes = record.key === null ? -1 : byteLength(record.key);
  const valueBytes = record.value === null ? -1 : record.value.length;
  const headers = Object.entries(record.headers ?? {});
  let size =
    2 + varintSize(offsetDelta) + sizeWithLength(keyBytes) + sizeWithLength(valueBytes) + varintSize(headers.length);
  for (const [name, value] of headers)
    size += sizeWithLength(Buffer.byteLength(name)) + sizeWithLength(byteLength(value));

  let at = writeVarint(out, from, size);
  out[at++] = 0;
  out[at++] = 0;
  at = writeVarint(out, at, offsetDelta);
  at = writeBytes(out, at, record.key, keyBytes);
  at = writeBytes(out, at, record.value, valueBytes);
  at = writeVarint(out, at, headers.length);
  for (const [name, value] of headers) {
    at = writeBytes(out, at, name, Buffer.byteLength(name));
    at = writeBytes(out, at, value, byteLength(value));
  }
  return at;
}

function sizeWithLength(bytes: number): number {
  return varintSize(bytes) + Math.max(bytes, 0);
}

function writeBytes(out: Buffer, from: number, bytes: Buffer | string | null, size: number): number {
  const at = writeVarint(out, from, size);
  if (bytes === null) return at;
  if (typeof bytes === 'string') out.write(bytes, at, 'utf8');
  else out.set(bytes, at);
  return at + size;
}

function byteLength(bytes: Buffer | string | null): number {
  if (bytes === null) return 0;
  return typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
}

/** Offsets of a real broker fit. Past 2^53 no position is exact any more, so the partition cannot be read. */
export function safeOffset(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error(`offset ${value} is beyond 2^53`);
  return number;
}
