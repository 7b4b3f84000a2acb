import { copyWithin } from './snappy.ts';

/**
 * Reads an LZ4 frame as Kafka clients write it. Checksums are skipped: the record batch has its own.
 * Format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 *
 * @param bytesMax most bytes the output may have.
 * @throws Error saying what is wrong with the bytes.
 */
export function decompressLz4Frame(bytes: Buffer, bytesMax: number): Buffer {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== MAGIC) throw new Error('it is not an LZ4 frame');
  const flags = bytes[4]!;
  const blockMax = 1 << (8 + 2 * ((bytes[5]! >>> 4) & 7));
  let at = 7 + ((flags & CONTENT_SIZE) !== 0 ? 8 : 0) + ((flags & DICTIONARY_ID) !== 0 ? 4 : 0);

  let out = Buffer.allocUnsafe(Math.min(bytesMax, Math.max(INITIAL_BYTES, bytes.length * 4)));
  let end = 0;
  for (;;) {
    if (at + 4 > bytes.length) throw new Error('its LZ4 frame is cut short');
    const header = bytes.readUInt32LE(at);
    at += 4;
    if (header === END_MARK) return out.subarray(0, end);
    const size = header & 0x7fff_ffff;
    if (at + size > bytes.length) throw new Error('its LZ4 frame is cut short');
    // A block never yields more than the frame's block size, so one check a block bounds the memory.
    const needed = end + (header >>> 31 === 1 ? size : Math.min(blockMax, size * LZ4_RATIO_MAX));
    if (needed > out.length) {
      const grown = Buffer.allocUnsafe(Math.min(Math.max(needed, out.length * 2), Math.max(bytesMax, needed)));
      out.copy(grown, 0, 0, end);
      out = grown;
    }
    if (header >>> 31 === 1) {
      bytes.copy(out, end, at, at + size);
      end += size;
    } else {
      end = decompressBlock(bytes, at, at + size, out, end);
    }
    if (end > bytesMax) throw new Error(`it decompresses to more than ${bytesMax} bytes`);
    at += size + ((flags & BLOCK_CHECKSUM) !== 0 ? 4 : 0);
  }
}

const MAGIC = 0x184d2204;
const END_MARK = 0;
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const DICTIONARY_ID = 0x01;
const INITIAL_BYTES = 4_096;
/** A match of any length costs a byte per 255 bytes of it. */
const LZ4_RATIO_MAX = 256;

/** Matches may reach back into blocks before (linked blocks), which lie in `out` before `end`. */
function decompressBlock(bytes: Buffer, from: number, to: number, out: Buffer, outEnd: number): number {
  let at = from;
  let end = outEnd;
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15) {
      for (;;) {
        if (at >= to) throw new Error('its LZ4 block is cut short');
        const byte = bytes[at++]!;
        length += byte;
        if (byte !== 255) break;
      }
    }
    return length;
  };
  while (at < to) {
    const token = bytes[at++]!;
    const literals = lengthFrom(token >>> 4);
    if (at + literals > to || end + literals > out.length) throw new Error('its LZ4 block is damaged');
    bytes.copy(out, end, at, at + literals);
    at += literals;
    end += literals;
    if (at === to) return end;
    if (at + 2 > to) throw new Error('its LZ4 block is cut short');
    const distance = bytes.readUInt16LE(at);
    at += 2;
    const length = lengthFrom(token & 15) + 4;
    if (distance === 0 || distance > end || end + length > out.length) throw new Error('its LZ4 block is damaged');
    copyWithin(out, end, distance, length);
    end += length;
  }
  return end;
}
