import { describe, expect, it } from '@jest/globals';
import { randomRequest } from '../testkit/otlp-random.ts';
import { decodeReference, encodeReference } from '../testkit/otlp-reference.ts';
import { SeededRandom } from '../testkit/traffic/random.ts';
import { otlpFromJson, otlpToJson } from './otlp-json.ts';

function fromJson(json: unknown): Buffer {
  const converted = otlpFromJson(Buffer.from(typeof json === 'string' ? json : JSON.stringify(json)));
  if (!converted.ok) throw new Error(converted.detail);
  return converted.bytes;
}

function detailOf(json: unknown): string {
  const converted = otlpFromJson(
    Buffer.isBuffer(json) ? json : Buffer.from(typeof json === 'string' ? json : JSON.stringify(json)),
  );
  return converted.ok ? 'no problem' : converted.detail;
}

/** A request of one span with these fields, decoded by the reference. */
function spanFrom(span: object | string) {
  const text = typeof span === 'string' ? span : JSON.stringify(span);
  return decodeReference(fromJson(`{"resourceSpans":[{"scopeSpans":[{"spans":[${text}]}]}]}`)).resourceSpans![0]!
    .scopeSpans![0]!.spans![0]!;
}

function valueFrom(value: object | string) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return spanFrom(`{"attributes":[{"key":"k","value":${text}}]}`).attributes![0]!.value;
}

/** The example of the OTLP specification, shortened. */
const EXAMPLE = {
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'my.service' } }] },
      scopeSpans: [
        {
          scope: { name: 'my.library', version: '1.0.0' },
          spans: [
            {
              traceId: '5B8EFFF798038103D269B633813FC60C',
              spanId: 'EEE19B7EC3C1B174',
              parentSpanId: 'EEE19B7EC3C1B173',
              name: "I'm a server span",
              startTimeUnixNano: '1544712660000000000',
              endTimeUnixNano: '1544712661000000000',
              kind: 2,
              attributes: [{ key: 'my.span.attr', value: { stringValue: 'some value' } }],
            },
          ],
        },
      ],
    },
  ],
};

describe('otlpFromJson', () => {
  it('reads the example of the OTLP specification', () => {
    const request = decodeReference(fromJson(EXAMPLE));
    expect(request.resourceSpans![0]!.resource).toEqual(EXAMPLE.resourceSpans[0]!.resource);
    const span = request.resourceSpans![0]!.scopeSpans![0]!.spans![0]!;
    expect(Buffer.from(span.traceId!).toString('hex')).toBe('5b8efff798038103d269b633813fc60c');
    expect(Buffer.from(span.parentSpanId!).toString('hex')).toBe('eee19b7ec3c1b173');
    expect(span).toMatchObject({ name: "I'm a server span", kind: 2, startTimeUnixNano: '1544712660000000000' });
  });

  it('makes the bytes that protobufjs makes of the same request, on 500 random requests', () => {
    for (let seed = 0; seed < 500; seed++) {
      const bytes = encodeReference(randomRequest(new SeededRandom(seed)));
      const json = JSON.stringify(otlpToJson(bytes));
      expect({ seed, request: decodeReference(fromJson(json)) }).toEqual({ seed, request: decodeReference(bytes) });
    }
  });

  it('reads text with a byte order mark and white space', () => {
    const text = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(`\r\n\t ${JSON.stringify(EXAMPLE)}\n`)]);
    const converted = otlpFromJson(text);
    expect(converted.ok && converted.bytes).toEqual(fromJson(EXAMPLE));
  });

  it.each([
    ['string', '"1544712660300000123"'],
    ['number', '1544712660300000123'],
  ])('keeps all digits of a time given as a %s', (_, digits) => {
    expect(spanFrom(`{"startTimeUnixNano": ${digits}}`).startTimeUnixNano).toBe('1544712660300000123');
  });

  it.each([
    ['{"intValue":"-9223372036854775808"}', { intValue: '-9223372036854775808' }],
    ['{"intValue": -9007199254740993}', { intValue: '-9007199254740993' }],
    ['{"intValue":0}', { intValue: '0' }],
    ['{"doubleValue":0.1}', { doubleValue: 0.1 }],
    ['{"doubleValue":"NaN"}', { doubleValue: Number.NaN }],
    ['{"doubleValue":"-Infinity"}', { doubleValue: Number.NEGATIVE_INFINITY }],
    ['{"doubleValue":12345678901234567890}', { doubleValue: 1.2345678901234567e19 }],
    ['{"boolValue":false}', { boolValue: false }],
    ['{"stringValue":""}', { stringValue: '' }],
    ['{"bytesValue":"AP8="}', { bytesValue: Buffer.from([0, 255]) }],
    ['{"bytesValue":"AP8"}', { bytesValue: Buffer.from([0, 255]) }],
    ['{"bytesValue":"_-8"}', { bytesValue: Buffer.from([0xff, 0xef]) }],
    ['{"arrayValue":{"values":[{"intValue":1},{}]}}', { arrayValue: { values: [{ intValue: '1' }, {}] } }],
    [
      '{"kvlistValue":{"values":[{"key":"a","value":{"stringValue":"b"}}]}}',
      { kvlistValue: { values: [{ key: 'a', value: { stringValue: 'b' } }] } },
    ],
    ['{"arrayValue":{}}', { arrayValue: {} }],
    ['{}', {}],
  ])('reads the value %s', (json, value) => {
    expect(valueFrom(json)).toEqual(value);
  });

  it.each([
    [{ kind: 'SPAN_KIND_CLIENT' }, { kind: 3 }],
    [{ kind: 3 }, { kind: 3 }],
    [{ status: { code: 'STATUS_CODE_ERROR', message: 'm' } }, { status: { code: 2, message: 'm' } }],
    [{ span_id: 'eee19b7ec3c1b174', start_time_unix_nano: '5' }, { startTimeUnixNano: '5' }],
    [
      { flags: 257, droppedAttributesCount: '7' },
      { flags: 257, droppedAttributesCount: 7 },
    ],
    [{ name: null, attributes: null, kind: null }, {}],
    [{ name: 'n', somethingNew: { a: [1, 2] }, __proto__: { name: 'x' } }, { name: 'n' }],
  ])('reads the span %j', (json, span) => {
    expect(spanFrom(json)).toMatchObject(span);
  });

  it('takes nothing from a key named __proto__', () => {
    expect(spanFrom('{"__proto__":{"name":"polluted"}}').name).toBeUndefined();
    expect(({} as { name?: string }).name).toBeUndefined();
  });

  it('reads the spans of OTLP before 0.15', () => {
    const request = decodeReference(
      fromJson({
        resourceSpans: [
          { instrumentationLibrarySpans: [{ instrumentationLibrary: { name: 'l' }, spans: [{ name: 's' }] }] },
        ],
      }),
    );
    expect(request.resourceSpans![0]!.librarySpans![0]).toMatchObject({ scope: { name: 'l' }, spans: [{ name: 's' }] });
  });

  it.each(['xyz', '5b8', 'W47/95gDgQPSabYzgT/GDA==', ' 5b8efff798038103d269b633813fc60c'])(
    'gives an id that is not hex a length that no id has: %s',
    (traceId) => {
      expect(spanFrom({ traceId }).traceId).toHaveLength(1);
    },
  );

  it.each([
    ['{', 'The text is not JSON'],
    ['', 'The text is not JSON'],
    ['{"resourceSpans":[}', 'The text is not JSON'],
    ['{"resourceSpans":[] 5}', 'The text is not JSON (character 20)'],
    ['[]', 'The JSON is not an object'],
    ['"text"', 'The JSON is not an object'],
    ['{"resourceSpans":{}}', 'resourceSpans is not an array'],
    ['{"resourceSpans":[null]}', 'resourceSpans[0] is not an object'],
    [
      '{"resourceSpans":[{"scopeSpans":[{},{"spans":[1]}]}]}',
      'resourceSpans[0].scopeSpans[1].spans[0] is not an object',
    ],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'The text is not JSON'],
  ])('says what is wrong with %s', (text, detail) => {
    expect(detailOf(text)).toContain(detail);
  });

  it.each([
    [{ name: 5 }, 'name is not a string'],
    [{ traceId: 5 }, 'traceId is not a string'],
    [{ kind: 'SPAN_KIND_SIDEWAYS' }, 'kind is not a known name or number'],
    [{ kind: -1 }, 'kind is not a known name or number'],
    [{ kind: 1.5 }, 'kind is not a known name or number'],
    [{ startTimeUnixNano: 'yesterday' }, 'startTimeUnixNano is not a whole number'],
    [{ startTimeUnixNano: -1 }, 'startTimeUnixNano is out of range'],
    [{ startTimeUnixNano: '18446744073709551616' }, 'startTimeUnixNano is out of range'],
    [{ startTimeUnixNano: 1.5 }, 'startTimeUnixNano is not a whole number'],
    [{ flags: 4294967296 }, 'flags is out of range'],
    [{ attributes: {} }, 'attributes is not an array'],
    [{ attributes: [{ key: 'k', value: 'v' }] }, 'attributes[0].value is not an object'],
    [{ attributes: [{ key: 'k', value: { boolValue: 'yes' } }] }, 'boolValue is neither true nor false'],
    [{ attributes: [{ key: 'k', value: { doubleValue: 'many' } }] }, 'doubleValue is not a number'],
    [{ attributes: [{ key: 'k', value: { bytesValue: 'a*b' } }] }, 'bytesValue is not base64'],
  ])('names the place of a wrong value: %j', (span, detail) => {
    expect(detailOf({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })).toContain(detail);
  });

  it('never quotes the text, which may hold what redaction removes', () => {
    expect(detailOf('{"resourceSpans": canary}')).not.toContain('canary');
    expect(detailOf({ resourceSpans: [{ scopeSpans: [{ spans: [{ startTimeUnixNano: 'canary' }] }] }] })).not.toContain(
      'canary',
    );
  });

  it('refuses values nested without end instead of exhausting the stack', () => {
    let value = '{"stringValue":"x"}';
    for (let i = 0; i < 20_000; i++) value = `{"arrayValue":{"values":[${value}]}}`;
    const text = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"k","value":${value}}]}]}]}]}`;
    expect(detailOf(text)).toMatch(/^resourceSpans\[0\]\.scopeSpans.*… is nested too deeply\.$/);
  });

  it('survives random damage to the text', () => {
    for (let seed = 0; seed < 500; seed++) {
      const random = new SeededRandom(seed);
      const text = Buffer.from(JSON.stringify(EXAMPLE));
      for (let damage = 1 + random.below(3); damage > 0; damage--) text[random.below(text.length)] = random.below(256);
      expect(typeof otlpFromJson(text).ok).toBe('boolean');
    }
  });
});

describe('otlpToJson', () => {
  it('writes ids as hex, 64-bit numbers as decimal strings, enums as numbers', () => {
    const json = otlpToJson(fromJson(EXAMPLE));
    expect(json).toEqual({
      resourceSpans: [
        {
          ...EXAMPLE.resourceSpans[0],
          scopeSpans: [
            {
              ...EXAMPLE.resourceSpans[0]!.scopeSpans[0],
              spans: [
                {
                  ...EXAMPLE.resourceSpans[0]!.scopeSpans[0]!.spans[0],
                  traceId: '5b8efff798038103d269b633813fc60c',
                  spanId: 'eee19b7ec3c1b174',
                  parentSpanId: 'eee19b7ec3c1b173',
                },
              ],
            },
          ],
        },
      ],
    });
  });

  it('reads concatenated requests as one', () => {
    const bytes = fromJson(EXAMPLE);
    expect(otlpToJson(Buffer.concat([bytes, bytes])).resourceSpans).toHaveLength(2);
  });

  it('merges a message that comes twice, takes the last of two scalars and of a oneof', () => {
    // Resource {dropped: 1}, Resource {dropped: 2, attributes: [{key: 'k', value: {string 'a', int 5}}]}
    const bytes = Buffer.from('0a16' + '0a021001' + '0a101002' + '0a0c0a016b12070a0161' + '1805' + '1805', 'hex');
    expect(otlpToJson(bytes)).toEqual({
      resourceSpans: [
        { resource: { droppedAttributesCount: 2, attributes: [{ key: 'k', value: { intValue: '5' } }] } },
      ],
    });
  });

  it('leaves out fields that it does not know, and takes another wire type for one', () => {
    expect(otlpToJson(Buffer.from('a80601' + '0a03' + '1a0175' + '0801', 'hex'))).toEqual({
      resourceSpans: [{ schemaUrl: 'u' }],
    });
  });

  it('throws OTLP_DECODE for bytes that are no request', () => {
    expect(() => otlpToJson(Buffer.from('0a05aa', 'hex'))).toThrow(/3 bytes cannot be decoded/);
  });
});
