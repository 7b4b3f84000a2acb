import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { bucketOf, hashOfTraceId, isWholeIndex, namesWith, readHead, withObject } from './id-index.ts';

const idOf = (n: number) => createHash('md5').update(String(n)).digest('hex');
const OBJECTS = 20;
const IDS = 2_000;
const nameOf = (object: number) =>
  `traces/v1/dt=2026-01-31/hour=07/c-1-p007of012-${object * IDS}-${(object + 1) * IDS}`;
const hashesOf = (object: number) => Uint32Array.from({ length: IDS }, (_, i) => hashOfTraceId(idOf(object * IDS + i)));

let index: Buffer | undefined;
for (let object = 0; object < OBJECTS; object++) index = withObject(index, nameOf(object), hashesOf(object));
const whole = index as Buffer;

function namesOf(id: string, from: Buffer): Set<string> {
  const head = readHead(from);
  const hash = hashOfTraceId(id);
  const { start, end } = bucketOf(hash, head);
  return namesWith(hash, from.subarray(start, end), head);
}

describe('an index of trace ids', () => {
  it('names the object of every id, and takes few absent ids for present', () => {
    for (let n = 0; n < OBJECTS * IDS; n += 7) expect(namesOf(idOf(n), whole)).toContain(nameOf(Math.floor(n / IDS)));
    let wrong = 0;
    for (let n = 0; n < 10_000; n++) wrong += namesOf(idOf(-1 - n), whole).size;
    // 40 000 entries in 256 buckets of 2^16 marks: 0.24 %.
    expect(wrong).toBeLessThan(60);
    expect(whole.length).toBeLessThan(OBJECTS * IDS * 3 + 3_500);
  });

  it('grows by one object after another', () => {
    const [one, other] = [hashesOf(0), hashesOf(1)];
    const both = withObject(withObject(undefined, 'a', one), 'b', other) as Buffer;
    expect(readHead(both).names).toEqual(['a', 'b']);
    expect(namesOf(idOf(3), both)).toEqual(new Set(['a']));
    expect(namesOf(idOf(IDS + 3), both)).toEqual(new Set(['b']));
  });

  it('takes 255 objects and no more', () => {
    let full: Buffer | undefined;
    for (let object = 0; object < 255; object++)
      full = withObject(full, nameOf(object), Uint32Array.of(object)) as Buffer;
    expect(withObject(full, 'one more', Uint32Array.of(1))).toBeUndefined();
    expect(readHead(full as Buffer).names).toHaveLength(255);
  });

  it('does not rule out anything once a byte of it is another', () => {
    expect(isWholeIndex(whole)).toBe(true);
    for (let at = 0; at < whole.length; at += 997) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      expect(isWholeIndex(damaged)).toBe(false);
      expect(withObjectOrNone(damaged)).toBeUndefined();
    }
    expect(isWholeIndex(whole.subarray(0, whole.length - 1))).toBe(false);
    expect(() => readHead(Buffer.from('hello'))).toThrow('no index');
  });
});

function withObjectOrNone(damaged: Buffer): Buffer | undefined {
  try {
    return withObject(damaged, 'x', new Uint32Array());
  } catch {
    return undefined;
  }
}
