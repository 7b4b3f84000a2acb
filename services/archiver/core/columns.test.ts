import { describe, expect, it } from '@jest/globals';
import { BoolColumn, Int32Column, Int64Column, TextColumn } from './columns.ts';

const ROWS = 10_000;

describe('columns, grown over their first size', () => {
  it('keep 64-bit integers, given in halves, as numbers or as bigint', () => {
    const column = new Int64Column();
    for (let i = 0; i < ROWS; i++) {
      if (i % 3 === 0) column.addBig(BigInt(-i) * 1_000_000_007n);
      else if (i % 3 === 1) column.add(i * 1_000_000_007);
      else column.addHalves(0x80000000, i);
    }
    const { data } = column.arrow();
    expect(data).toHaveLength(ROWS);
    for (let i = 0; i < ROWS; i++) {
      const expected = [
        BigInt(-i) * 1_000_000_007n,
        BigInt(i) * 1_000_000_007n,
        BigInt.asIntN(64, (0x80000000n << 32n) | BigInt(i)),
      ];
      expect(data[i]).toBe(expected[i % 3]);
    }
  });

  it('keep text with its offsets, and which values are missing', () => {
    const column = new TextColumn();
    for (let i = 0; i < ROWS; i++) {
      if (i % 5 === 0) column.addNull();
      else column.addText(`value ${i} ü`);
    }
    const { valueOffsets, data, nullCount, nullBitmap } = column.arrow();
    expect(nullCount).toBe(ROWS / 5);
    for (let i = 0; i < ROWS; i++) {
      const isThere = ((nullBitmap?.[i >> 3] as number) >> (i & 7)) & 1;
      expect(isThere).toBe(i % 5 === 0 ? 0 : 1);
      const text = data.toString('utf8', valueOffsets[i], valueOffsets[i + 1]);
      expect(text).toBe(i % 5 === 0 ? '' : `value ${i} ü`);
    }
  });

  it('keep small integers and truth values', () => {
    const ints = new Int32Column();
    const bools = new BoolColumn();
    for (let i = 0; i < ROWS; i++) {
      ints.add(-i);
      bools.add(i % 3 === 0);
    }
    expect([...ints.arrow().data]).toEqual(Array.from({ length: ROWS }, (_, i) => 0 - i));
    const { data } = bools.arrow();
    for (let i = 0; i < ROWS; i++) expect(((data[i >> 3] as number) >> (i & 7)) & 1).toBe(i % 3 === 0 ? 1 : 0);
  });
});
