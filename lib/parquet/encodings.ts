import type { ByteSink } from './byte-sink.ts';

/*
 * The encodings of https://parquet.apache.org/docs/file-format/data-pages/encodings/ that the archive uses.
 */

/** RLE / bit-packed hybrid of values [from, to), each below 2^bitWidth; bitWidth at most 24. */
export function writeHybrid(
  sink: ByteSink,
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  bitWidth: number,
): void {
  let at = from;
  while (at < to) {
    const run = runLength(values, at, to);
    if (run >= GROUP) {
      writeRun(sink, values[at] as number, run, bitWidth);
      at += run;
      continue;
    }
    const start = at;
    do at += GROUP;
    while (at < to && !isGroupOfOne(values, at, to));
    writeGroups(sink, values, start, at, Math.min(at, to), bitWidth);
  }
}

/** One value for so many rows, in that encoding. */
export function writeRun(sink: ByteSink, value: number, rows: number, bitWidth: number): void {
  sink.varint(rows * 2);
  for (let bits = 0; bits < bitWidth; bits += 8) sink.byte((value >>> bits) & 0xff);
}

/** DELTA_BINARY_PACKED of integers of which any two differ by less than 2^52. `first` is written as it is given. */
export function writeDeltas(sink: ByteSink, first: bigint, values: Float64Array, count: number): void {
  sink.varint(BLOCK);
  sink.varint(BLOCK / MINIBLOCK);
  sink.varint(count);
  sink.zigzagBig(first);
  for (let from = 1; from < count; from += BLOCK) writeBlock(sink, values, from, Math.min(count, from + BLOCK));
}

/** How many bits hold 0 to `most`. */
export function bitsFor(most: number): number {
  return most === 0 ? 0 : 32 - Math.clz32(most);
}

function runLength(values: Int32Array | Uint8Array, from: number, to: number): number {
  const value = values[from];
  let at = from + 1;
  while (at < to && values[at] === value) at++;
  return at - from;
}

/** Whether a run of at least a whole group begins here. */
function isGroupOfOne(values: Int32Array | Uint8Array, from: number, to: number): boolean {
  if (from + GROUP > to) return false;
  for (let at = from + 1; at < from + GROUP; at++) if (values[at] !== values[from]) return false;
  return true;
}

/** Whole groups [from, paddedTo), zero from `to` on. */
function writeGroups(
  sink: ByteSink,
  values: Int32Array | Uint8Array,
  from: number,
  paddedTo: number,
  to: number,
  bitWidth: number,
): void {
  const groups = (paddedTo - from) / GROUP;
  sink.varint(groups * 2 + 1);
  sink.reserve(groups * bitWidth);
  const { bytes } = sink;
  let end = sink.end;
  let held = 0;
  let bits = 0;
  for (let at = from; at < paddedTo; at++) {
    if (at < to) held |= (values[at] as number) << bits;
    bits += bitWidth;
    while (bits >= 8) {
      bytes[end++] = held & 0xff;
      held >>>= 8;
      bits -= 8;
    }
  }
  sink.end = end;
}

function writeBlock(sink: ByteSink, values: Float64Array, from: number, to: number): void {
  let least = Number.POSITIVE_INFINITY;
  for (let at = from; at < to; at++) {
    const delta = (values[at] as number) - (values[at - 1] as number);
    deltas[at - from] = delta;
    if (delta < least) least = delta;
  }
  sink.zigzag(least);
  const count = to - from;
  sink.reserve(BLOCK / MINIBLOCK + BLOCK * 7);
  const widthsAt = sink.end;
  sink.end += BLOCK / MINIBLOCK;
  for (let mini = 0; mini < BLOCK / MINIBLOCK; mini++) {
    const start = mini * MINIBLOCK;
    const width = start >= count ? 0 : miniblockWidth(start, Math.min(count, start + MINIBLOCK), least);
    sink.bytes[widthsAt + mini] = width;
    if (width > 0) packMiniblock(sink, start, count, least, width);
  }
}

function miniblockWidth(from: number, to: number, least: number): number {
  let most = 0;
  for (let at = from; at < to; at++) most = Math.max(most, (deltas[at] as number) - least);
  return most < 2 ** 32 ? bitsFor(most) : 32 + bitsFor(Math.floor(most / 2 ** 32));
}

/** Always a whole miniblock, as readers expect; zero behind the last value. */
function packMiniblock(sink: ByteSink, from: number, count: number, least: number, width: number): void {
  const { bytes } = sink;
  let end = sink.end;
  let held = 0;
  let bits = 0;
  for (let at = from; at < from + MINIBLOCK; at++) {
    let value = at < count ? (deltas[at] as number) - least : 0;
    for (let left = width; left > 0; left -= PIECE) {
      const piece = Math.min(left, PIECE);
      held |= (value % 2 ** piece) << bits;
      value = Math.floor(value / 2 ** piece);
      bits += piece;
      while (bits >= 8) {
        bytes[end++] = held & 0xff;
        held >>>= 8;
        bits -= 8;
      }
    }
  }
  sink.end = end;
}

/** Bit-packed values come in eights. */
const GROUP = 8;
const BLOCK = 128;
const MINIBLOCK = 32;
/** Bits put into a 32-bit number that may hold 7 already. */
const PIECE = 24;
const deltas = new Float64Array(BLOCK);
