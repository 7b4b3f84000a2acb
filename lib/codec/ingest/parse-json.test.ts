import { describe, expect, it } from '@jest/globals';
import { mutate } from '../../testkit/formats/mutate.ts';
import { SeededRandom } from '../../testkit/traffic/random.ts';
import { Unreadable } from './converted.ts';
import { jsonPart } from './json-part.ts';
import { parseJson, SpanList } from './parse-json.ts';

const SAMPLES = [
  '{"resourceSpans":[{"resource":{},"scopeSpans":[{"spans":[{"name":"]},"},{"a":[1,{}]}]},{"spans" : [ ]}]}]}',
  '{"data":[{"spans":[{"spans":[7]},"x"],"processes":{"p1":{"spans":"no list"}}}],"spans":[3]}',
  ' {"sp\\u0061ns":[1,2,[3]],"\\"":[0],"x":{"spans":{"spans":[null]}}}\n',
  '{"spans":[1],"spans":[2],"x":"\\"spans\\":[1"}',
  '{"spans":[[0],[1]]}',
  '["spans",[{"spans":[{}]}]]',
  '7',
];

describe('parseJson', () => {
  it('gives what the whole text holds, and refuses what is no JSON, as the parser does for all at once', () => {
    const random = new SeededRandom(6);
    let refused = 0;
    for (let i = 0; i < 30_000; i++) {
      const text = i < SAMPLES.length ? Buffer.from(SAMPLES[i] as string) : mutate(random, sampleOf(random));
      const expected = outcome(() => jsonPart(text, 0, text.length));
      if (expected === 'refused') refused++;
      const got = outcome(() => asPlain(parseJson(text)));
      expect([text.toString('latin1'), got]).toEqual([text.toString('latin1'), expected]);
    }
    expect(refused).toBeGreaterThan(3_000);
    expect(refused).toBeLessThan(29_000);
  });

  it('leaves spans unparsed until they are walked through, and parses them for each walk', () => {
    const { spans } = parseJson(Buffer.from('{"spans":[{"a":1},{"a":nonsense}]}')) as { spans: SpanList };
    expect(spans).toBeInstanceOf(SpanList);
    for (let walk = 0; walk < 2; walk++) {
      const walked = spans[Symbol.iterator]();
      expect(walked.next().value).toEqual({ a: 1 });
      expect(() => walked.next()).toThrow(Unreadable);
    }
  });

  it('takes no notice of how deep a text is nested', () => {
    const depth = 60_000;
    const text = Buffer.from(`{"x":${'['.repeat(depth)}${']'.repeat(depth)},"spans":[1]}`);
    expect(outcome(() => [...((parseJson(text) as { spans: SpanList }).spans as Iterable<unknown>)])).toEqual([1]);
  });

  it('refuses a text of nothing but empty lists of spans', () => {
    const text = Buffer.from(`[${'{"spans":[]},'.repeat(100_000)}{}]`);
    expect(() => parseJson(text)).toThrow(/too many for what they can say/);
  });
});

function sampleOf(random: SeededRandom): Buffer {
  return Buffer.from(random.pick(SAMPLES));
}

function outcome(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return 'refused';
  }
}

/** With every list of spans walked through. */
function asPlain(value: unknown): unknown {
  if (value instanceof SpanList) return [...value];
  if (Array.isArray(value)) return value.map(asPlain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asPlain(inner)]));
}
