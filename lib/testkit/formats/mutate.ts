import type { SeededRandom } from '../traffic/random.ts';

/** A damaged copy: one to four of flipped bits, bytes set, cuts, repeats, insertions, and, in JSON, values put for others. */
export function mutate(random: SeededRandom, record: Buffer): Buffer {
  let bytes: Buffer = Buffer.from(record);
  for (let i = 1 + random.below(4); i > 0; i--) bytes = random.pick(MUTATIONS)(random, bytes);
  return bytes;
}

type Mutation = (random: SeededRandom, bytes: Buffer) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(random, bytes) {
    if (bytes.length > 0) {
      const at = random.below(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    }
    return bytes;
  },
  /** Lengths, counts and tags at their borders. */
  function setByte(random, bytes) {
    if (bytes.length > 0) bytes[random.below(bytes.length)] = random.pick([0, 1, 0x0a, 0x0c, 0x7f, 0x80, 0xff]);
    return bytes;
  },
  function cut(random, bytes) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function repeat(random, bytes) {
    const start = random.below(bytes.length + 1);
    const end = start + random.below(bytes.length - start + 1);
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start, end), bytes.subarray(end)]);
  },
  function remove(random, bytes) {
    const start = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + random.below(bytes.length - start + 1))]);
  },
  function insert(random, bytes) {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(9)), bytes.subarray(at)]);
  },
  function putValue(random, bytes) {
    const text = bytes.toString('latin1');
    const values = [...text.matchAll(JSON_VALUE)];
    if (values.length === 0) return bytes;
    const { index, 0: found } = random.pick(values);
    return Buffer.from(text.slice(0, index) + random.pick(JSON_VALUES) + text.slice(index + found.length), 'latin1');
  },
];

const JSON_VALUE = /"[^"]{0,40}"|-?\d+|true|false|null/g;
const JSON_VALUES = [
  'null',
  '[]',
  '{}',
  '-1',
  '1e999',
  '0.5',
  '99999999999999999999',
  '""',
  'true',
  '"\\u0000"',
  '[[[[]]]]',
  '"__proto__"',
];
