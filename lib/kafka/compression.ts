import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import kafkajs from 'kafkajs';
import type { EncodedPayload, InnerCodec } from './kafkajs-internals.ts';
import { decompressLz4Frame } from './lz4.ts';
import { decompressSnappy } from './snappy.ts';

/** Codec numbers of the record batch's attributes. */
export const CODEC = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

export type WriteCompression = 'none' | 'gzip' | 'zstd';

/**
 * Synchronous, because the work is a few milliseconds at most and a hop to the thread pool costs more CPU than it saves.
 * zstd level 1: three times the speed of level 3 for a tenth more bytes on OTLP.
 */
export function compress(bytes: Uint8Array, compression: WriteCompression): Buffer {
  if (compression === 'zstd') return zstdCompressSync(bytes, ZSTD_FAST);
  if (compression === 'gzip') return gzipSync(bytes, { level: 1 });
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * @param codec number from the batch's attributes.
 * @param bytesMax most bytes the output may have; memory stays near it also for a bomb.
 * @throws Error saying what is wrong with the bytes.
 */
export function decompress(bytes: Buffer, codec: number, bytesMax: number): Buffer {
  switch (codec) {
    case CODEC.none:
      return bytes;
    case CODEC.gzip:
      return bounded(() => gunzipSync(bytes, { maxOutputLength: bytesMax, chunkSize: chunkSizeFor(bytes) }), bytesMax);
    case CODEC.snappy:
      return decompressSnappy(bytes, bytesMax);
    case CODEC.lz4:
      return decompressLz4Frame(bytes, bytesMax);
    case CODEC.zstd:
      return bounded(
        () => zstdDecompressSync(bytes, { maxOutputLength: bytesMax, chunkSize: chunkSizeFor(bytes) }),
        bytesMax,
      );
    default:
      throw new Error(`its compression codec ${codec} is unknown`);
  }
}

/** Gives kafkajs's own producers and consumers the same codecs and bounds. Process-wide; the last call's bound counts. */
export function registerCodecs(bytesMax: number): void {
  const table = kafkajs.CompressionCodecs as Record<number, () => InnerCodec>;
  const codec = (number: number, write: WriteCompression | undefined): InnerCodec => ({
    compress: async (encoder: EncodedPayload) => {
      if (write === undefined)
        throw new Error('Spanloom writes zstd, gzip or no compression, and only reads snappy and lz4');
      return compress(encoder.buffer, write);
    },
    decompress: async (bytes: Buffer) => decompress(bytes, number, bytesMax),
  });
  table[CODEC.gzip] = () => codec(CODEC.gzip, 'gzip');
  table[CODEC.snappy] = () => codec(CODEC.snappy, undefined);
  table[CODEC.lz4] = () => codec(CODEC.lz4, undefined);
  table[CODEC.zstd] = () => codec(CODEC.zstd, 'zstd');
}

function bounded(run: () => Buffer, bytesMax: number): Buffer {
  try {
    return run();
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new Error(`it decompresses to more than ${bytesMax} bytes`);
    }
    throw new Error(`it does not decompress (${(cause as Error).message})`, { cause });
  }
}

/** zlib gathers its output in chunks: few of them spare it copies, and OTLP shrinks to about a tenth. */
function chunkSizeFor(compressed: Buffer): number {
  return Math.max(CHUNK_BYTES_MIN, Math.min(CHUNK_BYTES_MAX, compressed.length * 4));
}

const CHUNK_BYTES_MIN = 16 * 1024;
const CHUNK_BYTES_MAX = 1024 * 1024;
const ZSTD_FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
