import { expect, it } from '@jest/globals';
import { SeededRandom } from '../testkit/traffic/random.ts';
import { ByteTable } from './byte-table.ts';

it('numbers distinct strings in the order of their coming, over growth and after clearing', () => {
  const table = new ByteTable();
  for (let round = 0; round < 2; round++) {
    table.clear();
    const random = new SeededRandom(round);
    const numbers = new Map<string, number>();
    const wrong: string[] = [];
    for (let i = 0; i < 20_000; i++) {
      const text = 'x'.repeat(random.below(4)) + random.below(5_000);
      const bytes = Buffer.from(`..${text}..`);
      const known = numbers.get(text);
      const found = table.find(bytes, 2, bytes.length - 2);
      const number = table.intern(bytes, 2, bytes.length - 2);
      if (found !== (known ?? -1) || number !== (known ?? numbers.size)) wrong.push(text);
      numbers.set(text, number);
    }
    expect(wrong).toEqual([]);
    expect(
      Array.from({ length: table.count }, (_, i) => table.bytes.latin1Slice(table.offsets[i], table.offsets[i + 1])),
    ).toEqual([...numbers.keys()]);
  }
});

it('takes the empty string and strings that differ in one byte', () => {
  const table = new ByteTable();
  const texts = ['', '\0', '\0\0', 'a', 'b', 'aaaa', 'aaab', 'aaaaa', 'baaaa'];
  const numbers = texts.map((text) => table.intern(Buffer.from(text), 0, text.length));
  expect(numbers).toEqual(texts.map((_, i) => i));
});
