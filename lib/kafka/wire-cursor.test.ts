import { describe, expect, it } from '@jest/globals';
import { WireCursor } from './wire-cursor.ts';
import { WireWriter } from './wire-writer.ts';

const ID = 'mZ3Yc0-XT5q_p0cX1y2z3A';

describe("Kafka's flexible encoding", () => {
  it.each([0, 1, 126, 127, 128, 16_383, 16_384])(
    'reads back a string of %i bytes and what stands behind it',
    (length) => {
      const text = 'x'.repeat(length);
      const bytes = new WireWriter().string(text).tags().uuid(ID).count(length).count(undefined).int32(-7).bytes();
      const from = new WireCursor(bytes, 'flexible');
      expect(from.string()).toBe(text);
      from.tags();
      expect(from.uuid()).toBe(ID);
      expect([from.count(), from.count(), from.int32()]).toEqual([length, 0, -7]);
    },
  );

  it('passes over tagged fields that it does not know', () => {
    const from = new WireCursor(Buffer.from([2, 0, 3, 9, 9, 9, 0x81, 1, 0, 1]), 'flexible');
    from.tags();
    expect(from.boolean()).toBe(true);
  });

  it.each([
    ['a string', [5, 1, 2], (from: WireCursor) => from.string()],
    ['a number', [0, 0, 0], (from: WireCursor) => from.int32()],
    ['an id', [1, 2, 3], (from: WireCursor) => from.uuid()],
    ['tagged fields', [1, 0, 9], (from: WireCursor) => from.tags()],
    ['a varint', [0x80, 0x80, 0x80, 0x80, 0x80, 0], (from: WireCursor) => from.count()],
  ])('refuses %s that the bytes do not hold', (_, bytes, read) => {
    expect(() => read(new WireCursor(Buffer.from(bytes), 'flexible'))).toThrow(RangeError);
  });
});

describe("Kafka's older encoding", () => {
  it('has fixed lengths and no tagged fields', () => {
    const from = new WireCursor(Buffer.from([0, 2, 97, 98, 0, 0, 0, 3, 255, 255, 255, 255, 1]), 'fixed');
    expect(from.string()).toBe('ab');
    from.tags();
    expect([from.count(), from.count()]).toEqual([3, 0]);
    expect(from.boolean()).toBe(true);
  });
});
