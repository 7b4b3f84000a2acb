import { describe, expect, it } from '@jest/globals';
import {
  decodeReferenceSpan,
  encodeReferenceSpan,
  type ReferenceKeyValue,
  type ReferenceSpan,
} from '../../../lib/testkit/otlp-reference.ts';
import { cutToFit, TRUNCATED_ATTRIBUTE } from './cut.ts';

const KIB = 1024;
const LIMIT = 256 * KIB;

function text(key: string, stringValue: string): ReferenceKeyValue {
  return { key, value: { stringValue } };
}

function cut(span: ReferenceSpan, limit = LIMIT) {
  const body = cutToFit('span', encodeReferenceSpan(span), limit);
  if (body === undefined) return undefined;
  const attributes = decodeReferenceSpan(body).attributes ?? [];
  return {
    body,
    span: decodeReferenceSpan(body),
    mark: attributes.at(-1)!.value!.arrayValue!.values.map(({ stringValue }) => stringValue),
    markName: attributes.at(-1)!.key,
    lengths: attributes.slice(0, -1).map(({ value }) => value!.stringValue?.length ?? 0),
  };
}

describe('cutToFit', () => {
  it('cuts one attribute of 5 MB and marks it, keeping as much as fits', () => {
    const result = cut({ name: 'n', attributes: [text('small', 'kept'), text('dump', 'x'.repeat(5_000_000))] })!;
    expect(result.body.length).toBeLessThanOrEqual(LIMIT);
    expect(result.body.length).toBeGreaterThan(LIMIT - 5 * KIB);
    expect(result.markName).toBe(TRUNCATED_ATTRIBUTE);
    expect(result.mark).toEqual(['dump']);
    expect(result.span.name).toBe('n');
    expect(result.span.attributes![0]).toEqual(text('small', 'kept'));
    expect(result.lengths[1]).toBeGreaterThan(LIMIT - 6 * KIB);
  });

  it('cuts 100 attributes of 60 KB to the same length and names them all', () => {
    const attributes = Array.from({ length: 100 }, (_, i) => text(`attribute.${i}`, String(i % 10).repeat(60_000)));
    const result = cut({ attributes: [text('small', 'kept'), ...attributes] })!;
    expect(result.body.length).toBeLessThanOrEqual(LIMIT);
    expect(result.mark).toEqual(attributes.map(({ key }) => key));
    const [small, ...cutLengths] = result.lengths;
    expect(small).toBe(4);
    expect(new Set(cutLengths).size).toBe(1);
    expect(cutLengths[0]).toBeGreaterThan(2400);
  });

  it('cuts only the largest, not those that are small enough', () => {
    const result = cut({
      attributes: [text('a', 'a'.repeat(200 * KIB)), text('b', 'b'.repeat(100 * KIB)), text('c', 'c')],
    })!;
    expect(result.mark).toEqual(['a']);
    expect(result.lengths[1]).toBe(100 * KIB);
    expect(result.lengths[0]).toBeGreaterThan(145 * KIB);
  });

  it('cuts values of events, links, maps, arrays and bytes, and names the attribute they stand in', () => {
    const big = 'x'.repeat(100 * KIB);
    const result = cut({
      attributes: [
        { key: 'map', value: { kvlistValue: { values: [text('inner', big)] } } },
        { key: 'list', value: { arrayValue: { values: [{ stringValue: big }, { intValue: '1' }] } } },
        { key: 'raw', value: { bytesValue: Buffer.from(big) } },
      ],
      events: [{ name: 'exception', attributes: [text('exception.stacktrace', big)] }],
      links: [{ attributes: [text('linked', big)] }],
      status: { message: big, code: 2 },
      flags: 1,
    })!;
    expect(result.body.length).toBeLessThanOrEqual(LIMIT);
    expect(result.mark).toEqual(['map', 'list', 'raw', 'exception.stacktrace', 'linked', 'name or message']);
    expect(result.span).toMatchObject({ status: { code: 2 }, flags: 1, events: [{ name: 'exception' }] });
    expect(result.span.attributes![1]!.value!.arrayValue!.values[1]).toEqual({ intValue: '1' });
  });

  it('never cuts through a character', () => {
    for (const character of ['ä', '→', '😀']) {
      const { span } = cut({ attributes: [text('k', `x${character.repeat(200_000)}`)] })!;
      const kept = span.attributes![0]!.value!.stringValue!;
      expect(kept).toMatch(new RegExp(`^x(${character})+$`, 'u'));
      expect(kept.length).toBeGreaterThan(1000);
    }
  });

  it('lists as many names as have room, and the number of the others', () => {
    const attributes = Array.from({ length: 300 }, (_, i) => text(`${i}.${'long.'.repeat(40)}`, 'x'.repeat(3000)));
    const result = cut({ attributes })!;
    expect(result.body.length).toBeLessThanOrEqual(LIMIT);
    expect(result.mark.at(-1)).toMatch(/^and \d+ more$/);
    for (const name of result.mark) expect(name!.length).toBeLessThanOrEqual(128);
  });

  it('gives up when names and structure alone do not fit', () => {
    const many = Array.from({ length: 40_000 }, (_, i) => text(`key.${i}`, ''));
    expect(cut({ attributes: many })).toBeUndefined();
    expect(cut({ attributes: [text('k'.repeat(300 * KIB), 'v')] })).toBeUndefined();
  });

  it('cuts every value to nothing when it has to', () => {
    const result = cut({ attributes: Array.from({ length: 100 }, (_, i) => text(`k${i}`, 'x'.repeat(1000))) }, 6000)!;
    expect(result.body.length).toBeLessThanOrEqual(6000);
    expect(Math.max(...result.lengths)).toBeLessThan(10);
  });
});
