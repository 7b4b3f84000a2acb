import { describe, expect, it } from '@jest/globals';
import { mutate } from '../../testkit/formats/mutate.ts';
import { SeededRandom } from '../../testkit/traffic/random.ts';
import { otlpFromJson } from '../otlp-from-json.ts';
import { Unreadable } from './converted.ts';
import { jsonItems } from './json-items.ts';
import { jsonPart } from './json-part.ts';
import { otlpFromZipkinJson } from './zipkin-json.ts';

const SAMPLES = [
  '[]',
  ' [ {"a":"]},{[\\"","b":[1,[2,{}],"\\\\"]} , {} ,3, "x" ]\n',
  '\ufeff[{"traceId":"ü"},[[]]]',
  '{"a":[1,2,{"b":","}]}',
  '7',
];

/** What it yields until it ends or throws. */
function itemsOf(text: Buffer): unknown {
  try {
    return [...jsonItems(text)];
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return 'refused';
  }
}

/** The whole text at once. */
function expectedOf(text: Buffer): unknown {
  try {
    const value = jsonPart(text, 0, text.length);
    return Array.isArray(value) ? value : [value];
  } catch {
    return 'refused';
  }
}

describe('jsonItems', () => {
  it('yields what the whole text holds, and refuses what is no JSON, as the parser does for all at once', () => {
    const random = new SeededRandom(5);
    let refused = 0;
    for (let i = 0; i < 20_000; i++) {
      const sample = Buffer.from(random.pick(SAMPLES));
      const text = i < SAMPLES.length ? Buffer.from(SAMPLES[i] as string) : mutate(random, sample);
      const expected = expectedOf(text);
      if (expected === 'refused') refused++;
      expect([text.toString('latin1'), itemsOf(text)]).toEqual([text.toString('latin1'), expected]);
    }
    expect(refused).toBeGreaterThan(2_000);
    expect(refused).toBeLessThan(19_000);
  });

  it('holds one span at a time, and none with more values than a span has', () => {
    const span = { traceId: '1'.padStart(32, '0'), id: '1'.padStart(16, '0') };
    const annotations = Array.from({ length: 70_000 }, () => ({}));
    expect(otlpFromZipkinJson(Buffer.from(JSON.stringify([span, { ...span, annotations }])))).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/The span at byte 72 holds more than 65536 values/),
    });
    const many = Buffer.from(JSON.stringify(Array.from({ length: 70_000 }, () => span)));
    expect(otlpFromZipkinJson(many)).toMatchObject({ ok: true });
  });

  it('refuses a text of nothing but punctuation before it is parsed', () => {
    const request = Buffer.from(`{"resourceSpans":[${'{},'.repeat(100_000)}{}]}`);
    expect(otlpFromJson(request)).toMatchObject({ ok: false, detail: expect.stringMatching(/200003 values/) });
  });
});
