import { describe, expect, it } from '@jest/globals';
import { otlp } from '../testkit/otlp-builder.ts';
import { ATTRIBUTES_OF, AttributeReader, fieldRange, findField, textRange } from './attributes.ts';
import { scanOtlpRequest } from './otlp-scan.ts';
import { SpanTable } from './span-table.ts';

const KEYS = ['db.system', 'db.system.name', 'http.response.status_code', 'http.status_code', 'ok', 'ratio'] as const;

describe('AttributeReader', () => {
  it('finds strings, numbers and booleans by key and nothing else', () => {
    const { bytes, start, end } = firstSpan({
      'db.system.nam': 'no',
      'db.system.name': 'redis',
      'db.system': 'kv',
      'db.system.namE': 'no',
      'http.response.status_code': 503,
      ok: true,
      ratio: 0.5,
    });
    const reader = new AttributeReader(KEYS);
    reader.read(bytes, start, end, ATTRIBUTES_OF.span);
    expect(KEYS.map((_, index) => reader.text(index))).toEqual(['kv', 'redis', '503', '', 'true', '0.5']);
    expect(KEYS.map((_, index) => reader.integer(index))).toEqual([
      undefined,
      undefined,
      503,
      undefined,
      undefined,
      undefined,
    ]);
    expect(reader.has(3)).toBe(false);
    expect(reader.locateText(1)).toBe(true);
    expect(bytes.utf8Slice(textRange().start, textRange().end)).toBe('redis');
  });

  it('reads a number that was written as text, and forgets what it found before', () => {
    const reader = new AttributeReader(KEYS);
    const first = firstSpan({ 'http.status_code': '404', 'db.system': 'x' });
    reader.read(first.bytes, first.start, first.end, ATTRIBUTES_OF.span);
    expect(reader.integer(3)).toBe(404);
    const second = firstSpan({ 'http.status_code': 'four' });
    reader.read(second.bytes, second.start, second.end, ATTRIBUTES_OF.span);
    expect(reader.integer(3)).toBeUndefined();
    expect(reader.text(0)).toBe('');
  });

  it('takes the first of two values, an empty string as no text, and any order of key and value', () => {
    const reader = new AttributeReader(KEYS);
    const twice = Buffer.concat([attribute('db.system', 'a'), attribute('db.system', 'b'), attribute('ok', '')]);
    reader.read(twice, 0, twice.length, ATTRIBUTES_OF.resource);
    expect(reader.text(0)).toBe('a');
    expect(reader.locateText(4)).toBe(false);
    const reversed = Buffer.from([0x0a, 8, 0x12, 2, 0x18, 7, 0x0a, 2, 0x6f, 0x6b]);
    reader.read(reversed, 0, reversed.length, ATTRIBUTES_OF.resource);
    expect(reader.integer(4)).toBe(7);
  });

  it('ends, without a value beyond the bytes, on any cut or garbled message', () => {
    const { bytes, start, end } = firstSpan({
      'db.system': 'postgresql',
      ok: true,
      ratio: 3.25,
      'http.status_code': 500,
    });
    const reader = new AttributeReader(KEYS);
    for (let cut = start; cut <= end; cut++) {
      const part = Buffer.from(bytes.subarray(start, cut));
      reader.read(part, 0, part.length, ATTRIBUTES_OF.span);
      for (let i = 0; i < KEYS.length; i++) {
        expect(['', 'postgresql', 'true', '3.25', '500']).toContain(reader.text(i));
        expect(reader.valueEnd[i]).toBeLessThanOrEqual(part.length);
      }
    }
    let seed = 7;
    for (let round = 0; round < 2000; round++) {
      const garbled = Buffer.from(bytes.subarray(start, end));
      for (let i = 0; i < 4; i++) {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        garbled[seed % garbled.length] = (seed >>> 16) & 0xff;
      }
      reader.read(garbled, 0, garbled.length, ATTRIBUTES_OF.span);
      for (let i = 0; i < KEYS.length; i++) {
        reader.text(i);
        reader.integer(i);
      }
    }
  });
});

describe('findField', () => {
  it('steps through repeated fields', () => {
    const bytes = Buffer.concat([
      Buffer.from([0x10, 5]),
      attribute('a', 'b'),
      Buffer.from([0x12, 1, 9]),
      attribute('c', 'd'),
    ]);
    const found: string[] = [];
    let at = 0;
    while (findField(bytes, at, bytes.length, 0x0a)) {
      const { start, end } = fieldRange();
      found.push(bytes.latin1Slice(start + 2, start + 3));
      at = end;
    }
    expect(found).toEqual(['a', 'c']);
  });
});

function firstSpan(attributes: Record<string, string | number | boolean>) {
  const bytes = otlp([{ service: 'a', spans: [{ id: 1, attributes }] }]);
  const table = new SpanTable();
  scanOtlpRequest(bytes, table);
  return { bytes, start: table.bodyStart[0] as number, end: table.bodyEnd[0] as number };
}

/** A KeyValue with a string value as field 1. */
function attribute(key: string, value: string): Buffer {
  const any = Buffer.concat([Buffer.from([0x0a, value.length]), Buffer.from(value)]);
  const body = Buffer.concat([Buffer.from([0x0a, key.length]), Buffer.from(key), Buffer.from([0x12, any.length]), any]);
  return Buffer.concat([Buffer.from([0x0a, body.length]), body]);
}
