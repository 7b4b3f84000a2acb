import { describe, expect, it } from '@jest/globals';
import { WireError, WireReader } from './wire-reader.ts';
import { varintSize, WireWriter, writeVarint } from './wire-writer.ts';

describe('WireWriter', () => {
  it.each([0, 1, 127, 128, 300, 16_383, 16_384, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER])(
    'writes the varint %d, which the reader gives back',
    (value) => {
      const out = new WireWriter(1);
      out.varint(0x08);
      out.varint(value);
      const reader = new WireReader(out.toBuffer());
      expect(reader.next()).toBe(true);
      expect(reader.number()).toBe(value);
      expect(varintSize(value)).toBe(out.at - 1);
      expect(writeVarint(new Uint8Array(10), 0, value)).toBe(out.at - 1);
    },
  );

  it.each([0n, 1n, 127n, 128n, 2n ** 63n, 2n ** 64n - 1n])('writes the 64-bit varint %d', (value) => {
    const out = new WireWriter(1);
    out.varint(0x08);
    out.varint64(value);
    const reader = new WireReader(out.toBuffer());
    reader.next();
    expect(reader.bigVarint()).toBe(value);
  });

  it('writes -1 as ten bytes, as protobuf does', () => {
    const out = new WireWriter();
    out.varint64(-1n);
    expect(out.toBuffer().toString('hex')).toBe('ffffffffffffffffff01');
  });

  it.each([0, 1, 127, 128, 20_000])('gives a message its length, whatever was expected (%d)', (expectedLength) => {
    for (const length of [0, 5, 127, 128, 16_384]) {
      const out = new WireWriter(4);
      out.varint(0x08);
      out.varint(1);
      const outer = out.begin(0x0a, expectedLength);
      const inner = out.begin(0x12, expectedLength);
      out.copy(Buffer.alloc(length, 7), 0, length);
      out.end(inner);
      out.end(outer);
      out.varint(0x10);
      out.varint(2);
      const reader = new WireReader(out.toBuffer());
      const tags: number[] = [];
      while (reader.next()) {
        tags.push(reader.tag);
        if (reader.tag !== 0x0a) continue;
        const nested = reader.message();
        expect(nested.next()).toBe(true);
        expect(nested.bodyEnd - nested.bodyStart).toBe(length);
        expect(nested.next()).toBe(false);
      }
      expect(tags).toEqual([0x08, 0x0a, 0x10]);
    }
  });

  it('writes text as UTF-8', () => {
    const out = new WireWriter(1);
    out.textField(0x0a, 'grün 😀');
    const reader = new WireReader(out.toBuffer());
    reader.next();
    expect(reader.text()).toBe('grün 😀');
  });
});

describe('WireReader', () => {
  it.each([
    ['a length beyond the end', '0a05aa'],
    ['a varint that does not end', '08ff'],
    ['a group', '0b0c'],
    ['field 0', '0000'],
    ['a fixed64 that is cut', '0900'],
    ['a tag beyond 32 bits', 'ffffffff7f00'],
  ])('throws a WireError for %s', (_, hex) => {
    const reader = new WireReader(Buffer.from(hex, 'hex'));
    expect(() => {
      while (reader.next());
    }).toThrow(WireError);
  });
});
