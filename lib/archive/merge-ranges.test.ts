import { expect, it } from '@jest/globals';
import { mergeRanges } from './merge-ranges.ts';

const KIB = 1024;
const object = Buffer.from(Array.from({ length: 1024 * KIB }, (_, i) => (i * 7 + (i >> 8)) & 0xff));

it('reads what lies close together at once, and answers each with its own bytes', async () => {
  const asked: [number, number][] = [];
  const read = mergeRanges(async (start, end) => {
    asked.push([start, end]);
    return object.subarray(start, end);
  });
  const wanted: [number, number][] = [
    [300 * KIB, 301 * KIB],
    [10, 20],
    [15, 40],
    [30 * KIB, 31 * KIB],
    [100 * KIB, 330 * KIB],
    [900 * KIB, 1024 * KIB],
  ];
  const found = await Promise.all(wanted.map(([start, end]) => read(start, end)));
  for (const [i, [start, end]] of wanted.entries())
    expect(Buffer.compare(found[i] as Uint8Array, object.subarray(start, end))).toBe(0);
  expect(asked).toEqual([
    [10, 31 * KIB],
    [100 * KIB, 330 * KIB],
    [900 * KIB, 1024 * KIB],
  ]);
});

it('tells each that asked when a read fails, and reads again afterwards', async () => {
  let fails = true;
  const read = mergeRanges(async (start, end) => {
    if (fails) throw new Error('gone');
    return object.subarray(start, end);
  });
  const results = await Promise.allSettled([read(0, 10), read(5, 20)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fails = false;
  expect(await read(3, 5)).toEqual(object.subarray(3, 5));
});
