import type { ByteSink } from './byte-sink.ts';
import { bitsFor, writeDeltas, writeHybrid } from './encodings.ts';
import { BoolColumn, Int32Column, type Int64Column } from './number-columns.ts';
import { TextColumn } from './text-column.ts';
import { ENCODING, type Encoding } from './types.ts';
import { WordColumn } from './word-column.ts';

/** Writes the values of rows [from, to) that are not null, in whatever encoding is smallest for them. */
export interface PageValues {
  write(sink: ByteSink, from: number, to: number): Encoding;
  /** The distinct values that `write` refers to; undefined without a dictionary. */
  readonly dictionary: { readonly count: number; write(sink: ByteSink): void } | undefined;
}

export function pageValuesOf(column: TextColumn | WordColumn | Int32Column | Int64Column | BoolColumn): PageValues {
  if (column instanceof TextColumn) return textValues(column);
  if (column instanceof WordColumn) return isWorthDictionary(column) ? numberedWords(column) : plainWords(column);
  if (column instanceof Int32Column) return int32Values(column);
  if (column instanceof BoolColumn) return boolValues(column);
  return int64Values(column);
}

/** Most rows of a page; the numbers of one are prepared here. */
export const PAGE_ROWS_MAX = 65_536;
const numbers = new Float64Array(PAGE_ROWS_MAX);
const ids = new Int32Array(PAGE_ROWS_MAX);

/** Pages must be written one after another. */
function textValues({ bytes, lengths }: TextColumn): PageValues {
  let at = 0;
  return {
    dictionary: undefined,
    write(sink, from, to) {
      let count = 0;
      let size = 0;
      let isOneLength = true;
      for (let row = from; row < to; row++) {
        const length = lengths[row] as number;
        if (length < 0) continue;
        isOneLength &&= count === 0 || length === numbers[0];
        numbers[count++] = length;
        size += length;
      }
      const start = at;
      at += size;
      if (isOneLength) {
        writeDeltas(sink, BigInt(count === 0 ? 0 : (numbers[0] as number)), numbers, count);
        sink.append(bytes, start, at);
        return ENCODING.deltaLengthByteArray;
      }
      sink.reserve(size + count * LENGTH_BYTES);
      const out = sink.bytes;
      let end = sink.end;
      for (let i = 0, value = start; i < count; i++) {
        const length = numbers[i] as number;
        out[end++] = length;
        out[end++] = length >>> 8;
        out[end++] = length >>> 16;
        out[end++] = length >>> 24;
        if (length > COPY_BY_HAND_MAX) end += bytes.copy(out, end, value, value + length);
        else for (let byte = 0; byte < length; byte++) out[end++] = bytes[value + byte] as number;
        value += length;
      }
      sink.end = end;
      return ENCODING.plain;
    },
  };
}

/** Lengths that differ cost less in front of their values, where zstd sees them together with what follows. */
const LENGTH_BYTES = 4;
/** A call costs as much as so many bytes. */
const COPY_BY_HAND_MAX = 48;

function isWorthDictionary({ table, count, nulls }: WordColumn): boolean {
  return table.count > 0 && table.count <= (count - nulls) * DISTINCT_SHARE_MAX && table.count < 2 ** 20;
}

const DISTINCT_SHARE_MAX = 0.6;

function numberedWords(column: WordColumn): PageValues {
  const { table } = column;
  const bitWidth = bitsFor(Math.max(0, table.count - 1));
  return {
    dictionary: {
      count: table.count,
      write(sink) {
        for (let id = 0; id < table.count; id++) writeWord(sink, column, id);
      },
    },
    write(sink, from, to) {
      sink.byte(bitWidth);
      if (column.nulls === 0) writeHybrid(sink, column.ids, from, to, bitWidth);
      else writeHybrid(sink, ids, 0, presentIds(column, from, to), bitWidth);
      return ENCODING.rleDictionary;
    },
  };
}

function plainWords(column: WordColumn): PageValues {
  return {
    dictionary: undefined,
    write(sink, from, to) {
      const count = presentIds(column, from, to);
      for (let i = 0; i < count; i++) writeWord(sink, column, ids[i] as number);
      return ENCODING.plain;
    },
  };
}

function writeWord(sink: ByteSink, { table: { bytes, offsets } }: WordColumn, id: number): void {
  const start = offsets[id] as number;
  const end = offsets[id + 1] as number;
  sink.reserve(end - start + LENGTH_BYTES);
  const to = sink.bytes;
  let at = sink.end;
  for (let shift = 0; shift < 32; shift += 8) to[at++] = (end - start) >>> shift;
  if (end - start > COPY_BY_HAND_MAX) at += bytes.copy(to, at, start, end);
  else for (let byte = start; byte < end; byte++) to[at++] = bytes[byte] as number;
  sink.end = at;
}

function presentIds(column: WordColumn, from: number, to: number): number {
  let count = 0;
  for (let row = from; row < to; row++) {
    const id = column.ids[row] as number;
    if (id >= 0) ids[count++] = id;
  }
  return count;
}

function int32Values(column: Int32Column): PageValues {
  return {
    dictionary: undefined,
    write(sink, from, to) {
      let count = 0;
      let least = 0;
      let most = 0;
      for (let row = from; row < to; row++) {
        if (column.present[row] === 0) continue;
        const value = column.numbers[row] as number;
        numbers[count++] = value;
        least = count === 1 ? value : Math.min(least, value);
        most = count === 1 ? value : Math.max(most, value);
      }
      // Readers add up deltas in 32 bits.
      if (most - least < 2 ** 30) {
        writeDeltas(sink, BigInt(count === 0 ? 0 : (numbers[0] as number)), numbers, count);
        return ENCODING.deltaBinaryPacked;
      }
      for (let i = 0; i < count; i++) sink.uint32(numbers[i] as number);
      return ENCODING.plain;
    },
  };
}

function int64Values(column: Int64Column): PageValues {
  const { hi, lo } = column;
  return {
    dictionary: undefined,
    write(sink, from, to) {
      const hi0 = hi[from] as number;
      const lo0 = lo[from] as number;
      for (let row = from; row < to; row++) {
        const above = (hi[row] as number) - hi0;
        if (above > HI_RANGE_MAX || above < -HI_RANGE_MAX) return writePlain64(sink, column, from, to);
        numbers[row - from] = above * 2 ** 32 + ((lo[row] as number) - lo0);
      }
      writeDeltas(sink, column.at(from), numbers, to - from);
      return ENCODING.deltaBinaryPacked;
    },
  };
}

/** Then any two values differ by less than 2^51. */
const HI_RANGE_MAX = 2 ** 17;

function writePlain64(sink: ByteSink, { hi, lo }: Int64Column, from: number, to: number): Encoding {
  for (let row = from; row < to; row++) {
    sink.uint32(lo[row] as number);
    sink.uint32(hi[row] as number);
  }
  return ENCODING.plain;
}

function boolValues({ flags }: BoolColumn): PageValues {
  return {
    dictionary: undefined,
    write(sink, from, to) {
      for (let row = from; row < to; row += 8) {
        let eight = 0;
        for (let bit = 0; bit < 8 && row + bit < to; bit++) eight |= (flags[row + bit] as number) << bit;
        sink.byte(eight);
      }
      return ENCODING.plain;
    },
  };
}
