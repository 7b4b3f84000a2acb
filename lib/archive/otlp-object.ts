import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type AssembledTrace, assembledTraceViewCodec } from '../codec/records.ts';

/**
 * Trace records as an object of OTLP: `zstd -d` makes one encoded ExportTraceServiceRequest of it, since requests one
 * after another are one request. Frames hold whole traces, in the order of the topic. Behind them, in frames that
 * decompressors skip, stand the rest of each record, so that records come back byte by byte, and the seek table of the
 * Zstandard seekable format: https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/zstd_seekable_compression_format.md
 *
 * The rest of a record in the index: three little-endian 32-bit lengths (before the OTLP, of it, behind it), then what
 * is before and behind. Records stand in the order of their OTLP. The event loop gets its turn after each frame.
 *
 * @param records the records' values with what they decode to, whose `otlp` must be a view of the value.
 */
export async function encodeOtlpObject(records: readonly { value: Buffer; trace: AssembledTrace }[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  const table: FrameSizes[] = [];
  const index: Buffer[] = [];
  let frame: Buffer[] = [];
  let frameBytes = 0;
  const endFrame = () => {
    if (frameBytes === 0) return;
    const packed = zstd(Buffer.concat(frame, frameBytes));
    parts.push(packed);
    table.push({ packed: packed.length, bytes: frameBytes });
    frame = [];
    frameBytes = 0;
  };
  for (const { value, trace } of records) {
    const { otlp } = trace;
    const before = otlp.byteOffset - value.byteOffset;
    const behind = value.length - before - otlp.length;
    index.push(lengths(before, otlp.length, behind), value.subarray(0, before), value.subarray(value.length - behind));
    frame.push(otlp);
    frameBytes += otlp.length;
    if (frameBytes < FRAME_BYTES) continue;
    endFrame();
    await yieldToEventLoop();
  }
  endFrame();
  const skipped = skippable(INDEX_MAGIC, zstd(Buffer.concat(index)));
  table.push({ packed: skipped.length, bytes: 0 });
  return Buffer.concat([...parts, skipped, seekTable(table)]);
}

/** Where the index of an object is, and how long its frames are. */
export interface OtlpObjectMap {
  readonly frames: readonly FrameSizes[];
  /** Of the index's skippable frame. */
  readonly indexStart: number;
  readonly indexEnd: number;
}

export interface FrameSizes {
  readonly packed: number;
  /** Uncompressed. */
  readonly bytes: number;
}

/**
 * @param tail the object's last bytes.
 * @param bytes of the whole object.
 * @returns how many bytes the tail needs, when it is too short.
 * @throws Error when the object is none of ours.
 */
export function readObjectMap(tail: Buffer, bytes: number): OtlpObjectMap | number {
  if (tail.length < SEEK_FOOTER_BYTES) throw new Error('it is too short');
  if (tail.readUInt32LE(tail.length - 4) !== SEEKABLE_MAGIC) throw new Error('it does not end with a seek table');
  const count = tail.readUInt32LE(tail.length - SEEK_FOOTER_BYTES);
  const tableBytes = SKIPPABLE_HEAD_BYTES + 8 * count + SEEK_FOOTER_BYTES;
  if (count === 0 || tableBytes > bytes) throw new Error('its seek table is damaged');
  if (tail.length < tableBytes) return tableBytes;
  const start = tail.length - tableBytes;
  if (tail.readUInt32LE(start) !== SEEK_TABLE_MAGIC) throw new Error('its seek table is damaged');
  const sizes = Array.from({ length: count }, (_, i) => {
    const at = start + SKIPPABLE_HEAD_BYTES + 8 * i;
    return { packed: tail.readUInt32LE(at), bytes: tail.readUInt32LE(at + 4) };
  });
  const index = sizes.pop() as FrameSizes;
  const indexEnd = bytes - tableBytes;
  const indexStart = indexEnd - index.packed;
  if (index.bytes !== 0 || sizes.reduce((sum, { packed }) => sum + packed, 0) !== indexStart) {
    throw new Error('its seek table does not fit to its length');
  }
  return { frames: sizes, indexStart, indexEnd };
}

/** A record in the index, without its OTLP. */
export interface IndexedRecord {
  readonly before: Buffer;
  readonly behind: Buffer;
  readonly frame: number;
  /** Bytes [start, end) of the uncompressed frame. */
  readonly start: number;
  readonly end: number;
}

/** @param index bytes [indexStart, indexEnd) of the object. @throws Error when they are damaged. */
export function readIndex(index: Buffer, { frames }: OtlpObjectMap): IndexedRecord[] {
  if (index.length < SKIPPABLE_HEAD_BYTES || index.readUInt32LE(0) !== INDEX_MAGIC) throw new Error('it has no index');
  const bytes = zstdDecompressSync(index.subarray(SKIPPABLE_HEAD_BYTES));
  const records: IndexedRecord[] = [];
  let frame = 0;
  let start = 0;
  for (let at = 0; at < bytes.length; ) {
    const [before, otlp, behind] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 8)];
    at += LENGTHS_BYTES;
    if (at + before + behind > bytes.length) throw new Error('its index is damaged');
    if (start === frames[frame]?.bytes && otlp > 0) {
      frame++;
      start = 0;
    }
    const end = start + otlp;
    if (end > (frames[frame]?.bytes ?? 0)) throw new Error('its index does not fit to its frames');
    const own = { before: bytes.subarray(at, at + before), behind: bytes.subarray(at + before, at + before + behind) };
    records.push({ ...own, frame, start, end });
    at += before + behind;
    start = end;
  }
  if (frame !== frames.length - 1 || start !== frames[frame]?.bytes) throw new Error('its index is not whole');
  return records;
}

/** The value of a record as it stood on the topic. @param frame uncompressed. */
export function recordValue({ before, behind, start, end }: IndexedRecord, frame: Buffer): Buffer {
  return Buffer.concat([before, frame.subarray(start, end), behind]);
}

/** @throws Error when the frame is damaged. */
export function unpackFrame(packed: Buffer, { bytes }: FrameSizes): Buffer {
  const frame = zstdDecompressSync(packed);
  if (frame.length !== bytes) throw new Error('one of its frames is damaged');
  return frame;
}

/** All trace records of an object. @throws Error when it is damaged anywhere. */
export function decodeOtlpObject(object: Buffer): AssembledTrace[] {
  const map = readObjectMap(object, object.length) as OtlpObjectMap;
  const records = readIndex(object.subarray(map.indexStart, map.indexEnd), map);
  let at = 0;
  const frames = map.frames.map((sizes) => {
    at += sizes.packed;
    return unpackFrame(object.subarray(at - sizes.packed, at), sizes);
  });
  return records.map((record) => assembledTraceViewCodec.decode(recordValue(record, frames[record.frame] as Buffer)));
}

function lengths(before: number, otlp: number, behind: number): Buffer {
  const bytes = Buffer.allocUnsafe(LENGTHS_BYTES);
  bytes.writeUInt32LE(before, 0);
  bytes.writeUInt32LE(otlp, 4);
  bytes.writeUInt32LE(behind, 8);
  return bytes;
}

function seekTable(frames: readonly FrameSizes[]): Buffer {
  const body = Buffer.alloc(8 * frames.length + SEEK_FOOTER_BYTES);
  for (const [i, { packed, bytes }] of frames.entries()) {
    body.writeUInt32LE(packed, 8 * i);
    body.writeUInt32LE(bytes, 8 * i + 4);
  }
  body.writeUInt32LE(frames.length, 8 * frames.length);
  // The byte between is the descriptor: 0, since frames have checksums of their own.
  body.writeUInt32LE(SEEKABLE_MAGIC, body.length - 4);
  return skippable(SEEK_TABLE_MAGIC, body);
}

function skippable(magic: number, body: Buffer): Buffer {
  const head = Buffer.alloc(SKIPPABLE_HEAD_BYTES);
  head.writeUInt32LE(magic, 0);
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

function zstd(bytes: Buffer): Buffer {
  return zstdCompressSync(bytes, { params: ZSTD_PARAMS, chunkSize: Math.max(1024, bytes.length >> 2) });
}

const ZSTD_PARAMS = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 };
/** One trace costs the reading of one frame; larger ones pack better. */
const FRAME_BYTES = 1024 * 1024;
const LENGTHS_BYTES = 12;
/** Any of 0x184D2A50 to 0x184D2A5F is skipped; the seekable format takes the one before the last. */
const INDEX_MAGIC = 0x184d2a51;
const SEEK_TABLE_MAGIC = 0x184d2a5e;
const SEEKABLE_MAGIC = 0x8f92eab1;
const SKIPPABLE_HEAD_BYTES = 8;
const SEEK_FOOTER_BYTES = 9;
