import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import { hashHi, hashLo, hashSpan } from './span-hash.ts';

/** Of 'the bytes of a span' with seed 7. */
const PINNED = '8a91ad ad1d64eb';
const random = new SeededRandom(1);
const BYTES = Buffer.from(Array.from({ length: 103 }, () => random.below(256)));

function hashed(bytes: Buffer, start: number, end: number, seed = 7): string {
  hashSpan(bytes, start, end, seed);
  return `${hashHi.toString(16)} ${hashLo.toString(16)}`;
}

/** Alone at the end of a buffer that has not a byte more, `before` bytes behind its start. */
function placed(span: Buffer, before: number): Buffer {
  const buffer = Buffer.from(new ArrayBuffer(before + span.length));
  span.copy(buffer, before);
  return buffer;
}

describe('hashSpan', () => {
  it('depends on the bytes of the span alone, wherever they stand', () => {
    for (let length = 0; length <= BYTES.length; length++) {
      const span = BYTES.subarray(0, length);
      const expected = hashed(placed(span, 0), 0, length);
      for (let before = 1; before < 8; before++) {
        const alone = placed(span, before);
        expect(hashed(alone, before, alone.length)).toBe(expected);
        const between = Buffer.concat([Buffer.alloc(before, 1), span, Buffer.alloc(9, 2)]);
        expect(hashed(between, before, before + length)).toBe(expected);
        // Two that share one buffer: what is kept of it is that of the whole, not of the part.
        expect(hashed(between.subarray(before), 0, length)).toBe(expected);
      }
    }
  });

  it('is the same in every release: what Redis remembers was hashed by the one before', () => {
    expect(hashed(Buffer.from('the bytes of a span'), 0, 19)).toBe(PINNED);
  });

  it('changes with any byte, with the length and with the service', () => {
    const all = new Set([
      hashed(BYTES, 0, 103),
      hashed(BYTES, 0, 102),
      hashed(BYTES, 1, 103),
      hashed(BYTES, 0, 103, 8),
    ]);
    for (let at = 0; at < BYTES.length; at++) {
      const other = Buffer.from(BYTES);
      other[at] = (other[at] as number) ^ 1;
      all.add(hashed(other, 0, 103));
    }
    expect(all.size).toBe(4 + BYTES.length);
  });
});
