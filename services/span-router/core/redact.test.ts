import { describe, expect, it } from '@jest/globals';
import { randomSpan } from '../../../lib/testkit/otlp-random.ts';
import {
  decodeReferenceSpan,
  encodeReferenceSpan,
  type ReferenceKeyValue,
  type ReferenceSpan,
} from '../../../lib/testkit/otlp-reference.ts';
import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import { WireWriter } from '../../../lib/trace/wire-writer.ts';
import { inspect, NESTING_MAX, VERDICT } from './inspect.ts';
import { KIND } from './message-kinds.ts';
import { readPatterns } from './read-patterns.ts';
import { Redactor } from './redact.ts';
import { RedactionRules } from './redaction-rules.ts';
import { ValuePatterns } from './value-patterns.ts';

const CANARY = 'canary-4f1a';
const rules = new RedactionRules({
  drop: ['*.password'],
  hash: ['user.id'],
  mask: ['user.email'],
  keep: [],
  cutQuery: ['url.full'],
});

function redact(span: ReferenceSpan, by = rules) {
  const bytes = encodeReferenceSpan(span);
  const verdict = inspect(KIND.span, bytes, 0, bytes.length, by);
  const redactor = new Redactor(by, (value) => `hash of ${Buffer.from(value).toString('hex')}`);
  const out = new WireWriter(8);
  redactor.redact(KIND.span, bytes, 0, bytes.length, out);
  return {
    verdict,
    span: decodeReferenceSpan(out.toBuffer()),
    bytes: out.toBuffer(),
    before: bytes,
    count: redactor.counts.reduce((sum, count) => sum + count, 0),
    counted: Object.fromEntries(redactor.kinds.map((kind, i) => [kind, redactor.counts[i]])),
  };
}

function text(key: string, stringValue: string): ReferenceKeyValue {
  return { key, value: { stringValue } };
}

/** Each place of a span in which an attribute can stand. */
const PLACES: [string, (attribute: ReferenceKeyValue) => ReferenceSpan][] = [
  ['a span', (a) => ({ name: 'n', attributes: [text('x', 'y'), a, text('z', '')] })],
  ['an event', (a) => ({ events: [{ name: 'e' }, { attributes: [a], name: 'f' }] })],
  ['a link', (a) => ({ links: [{ attributes: [text('x', 'y'), a], flags: 1 }] })],
  ['a map', (a) => ({ attributes: [{ key: 'headers', value: { kvlistValue: { values: [text('x', 'y'), a] } } }] })],
  [
    'a map in an array',
    (a) => ({
      attributes: [
        { key: 'h', value: { arrayValue: { values: [{ intValue: '1' }, { kvlistValue: { values: [a] } }] } } },
      ],
    }),
  ],
];

describe('redaction', () => {
  it.each(PLACES)('drops an attribute of %s and nothing else', (_, place) => {
    const { verdict, span, bytes, before, count } = redact(place(text('app.password', CANARY)));
    expect(verdict).toBe(VERDICT.edit);
    expect(before.includes(CANARY)).toBe(true);
    expect(bytes.includes(CANARY)).toBe(false);
    expect(count).toBe(1);
    const marked = JSON.stringify(decodeReferenceSpan(encodeReferenceSpan(place(text('MARK', 'MARK')))));
    const without = marked.replace(/,?\{"key":"MARK","value":\{"stringValue":"MARK"\}\}/, '');
    expect(JSON.stringify(span).replace(/,?"(attributes|values)":\[\]/, '')).toBe(
      without.replace(/,?"(attributes|values)":\[\]/, '').replace('[,', '['),
    );
  });

  it.each(PLACES)('hashes an attribute of %s', (_, place) => {
    const { bytes, span } = redact(place(text('user.id', CANARY)));
    expect(bytes.includes(CANARY)).toBe(false);
    expect(span).toEqual(
      decodeReferenceSpan(
        encodeReferenceSpan(place(text('user.id', `hash of ${Buffer.from(CANARY).toString('hex')}`))),
      ),
    );
  });

  it('hashes values that are not text by their bytes on the wire', () => {
    const { span } = redact({ attributes: [{ key: 'user.id', value: { intValue: '7' } }] });
    expect(span.attributes).toEqual([text('user.id', 'hash of 1807')]);
  });

  it.each(PLACES)('cuts the query string of a URL in %s', (_, place) => {
    const { verdict, bytes, span, count } = redact(place(text('url.full', `https://a/b?token=${CANARY}#c`)));
    expect(verdict).toBe(VERDICT.edit);
    expect(bytes.includes(CANARY)).toBe(false);
    expect(span).toEqual(decodeReferenceSpan(encodeReferenceSpan(place(text('url.full', 'https://a/b')))));
    expect(count).toBe(1);
  });

  it('leaves a URL without a query string, and a span without anything to redact', () => {
    const span = { attributes: [text('url.full', 'https://a/b'), text('other', 'a?b')] };
    const bytes = encodeReferenceSpan(span);
    expect(inspect(KIND.span, bytes, 0, bytes.length, rules)).toBe(VERDICT.clean);
    expect(redact(span)).toMatchObject({ count: 0, bytes });
  });

  it('finds and removes values longer than one length byte', () => {
    const { bytes, verdict } = redact({
      attributes: [text('password', CANARY.repeat(5000)), text('k', 'v'.repeat(300))],
    });
    expect(verdict).toBe(VERDICT.edit);
    expect(bytes.includes(CANARY)).toBe(false);
    expect(decodeReferenceSpan(bytes).attributes).toEqual([text('k', 'v'.repeat(300))]);
  });

  it('judges random spans clean and copies them without a change', () => {
    for (let seed = 0; seed < 500; seed++) {
      const bytes = encodeReferenceSpan(randomSpan(new SeededRandom(seed)));
      expect(inspect(KIND.span, bytes, 0, bytes.length, rules)).toBe(VERDICT.clean);
      const out = new WireWriter();
      new Redactor(rules, () => '').redact(KIND.span, bytes, 0, bytes.length, out);
      expect(out.toBuffer()).toEqual(bytes);
    }
  });
});

describe('inspect', () => {
  function verdictOf(hex: string, kind = KIND.span as number) {
    const bytes = Buffer.from(hex, 'hex');
    return inspect(kind as typeof KIND.span, bytes, 0, bytes.length, rules);
  }

  it.each([
    ['an attribute whose key ends beyond it', '4a030a056b'],
    ['an attribute value that is cut', '4a040a016b12'],
    ['a nested list that is cut', '4a090a016b1204' + '2a030a04'],
    ['a group in an attribute', '4a020b0c'],
    ['field 0 in an event', '5a020000'],
    ['a varint without end in a link', '6a0120' + '8a01'],
    ['two keys', '4a060a016b0a016b'],
    ['two values', '4a0812021801' + '12021801'],
    ['a tag beyond 32 bits', '8a808080' + '100100'],
  ])('refuses %s', (_, hex) => {
    expect(verdictOf(hex)).toBe(VERDICT.invalid);
  });

  it('finds a redacted name whatever form its tags and lengths have', () => {
    const key = Buffer.from('password').toString('hex');
    expect(verdictOf(`4a0c0a08${key}12020a00`.replace('4a0c', '4a0e'))).toBe(VERDICT.edit);
    // The same with tags and lengths of two bytes, and the value first.
    expect(verdictOf(`ca0093001282000a008a008800${key}`.replace('9300', '9100'))).toBe(VERDICT.edit);
  });

  it('refuses nesting without end, as far as it looks', () => {
    const nested = (levels: number) => {
      let value: Buffer = Buffer.from('1801', 'hex');
      const wrap = (tag: number, body: Buffer) => {
        const out = new WireWriter();
        out.bytesField(tag, body);
        return out.toBuffer();
      };
      for (let i = 0; i < levels; i++) value = wrap(0x2a, wrap(0x0a, value));
      return wrap(0x4a, Buffer.concat([wrap(0x0a, Buffer.from('k')), wrap(0x12, value)]));
    };
    const shallow = nested(NESTING_MAX / 2 - 3);
    expect(inspect(KIND.span, shallow, 0, shallow.length, rules)).toBe(VERDICT.clean);
    for (const levels of [NESTING_MAX / 2, 20_000]) {
      const deep = nested(levels);
      expect(inspect(KIND.span, deep, 0, deep.length, rules)).toBe(VERDICT.tooDeep);
    }
  });

  it('survives random damage, and what it calls well-formed can be rewritten', () => {
    let clean = 0;
    for (let seed = 0; seed < 3000; seed++) {
      const random = new SeededRandom(seed);
      const bytes = encodeReferenceSpan(randomSpan(random));
      for (let damage = random.below(3); damage >= 0; damage--) bytes[random.below(bytes.length)] = random.below(256);
      const verdict = inspect(KIND.span, bytes, 0, bytes.length, rules);
      if (verdict > VERDICT.edit) continue;
      clean++;
      new Redactor(rules, () => '').redact(KIND.span, bytes, 0, bytes.length, new WireWriter());
    }
    expect(clean).toBeGreaterThan(100);
  });
});

describe('redaction by pattern', () => {
  const patterns = new ValuePatterns([
    { name: 'card', pattern: '\\b(?:\\d[ -]?){13,16}\\b', action: 'mask' },
    { name: 'token', pattern: 'tok_[a-z]+', action: 'hash' },
    { name: 'key', pattern: '(?i)begin private key', action: 'drop' },
  ]);
  const names = { drop: ['*.password'], hash: [], mask: ['user.email'], keep: [], cutQuery: ['url.full'] };
  const both = new RedactionRules(names, patterns);

  it.each<[string, ReferenceSpan, ReferenceSpan]>([
    ['the name of a span', { name: 'pay 4111 1111 1111 1111' }, { name: 'pay ***' }],
    [
      'a status message',
      { status: { code: 2, message: 'no tok_abc' } },
      { status: { code: 2, message: 'no hash of 746f6b5f616263' } },
    ],
    ['the name of an event', { events: [{ name: 'x 4111-1111-1111-1111' }] }, { events: [{ name: 'x ***' }] }],
    [
      'a text among others',
      { attributes: [text('a', 'tok_a, tok_b; 4111111111111111')] },
      { attributes: [text('a', 'hash of 746f6b5f61, hash of 746f6b5f62; ***')] },
    ],
    ['the whole text', { attributes: [text('a', 'BEGIN PRIVATE KEY x')] }, { attributes: [text('a', '')] }],
    [
      'what is left of an address',
      { attributes: [text('url.full', 'https://a/tok_a?x=1')] },
      { attributes: [text('url.full', 'https://a/hash of 746f6b5f61')] },
    ],
    [
      'a long text',
      { attributes: [text('a', `${'x'.repeat(500)} tok_a`)] },
      { attributes: [text('a', `${'x'.repeat(500)} hash of 746f6b5f61`)] },
    ],
    [
      'an attribute by its name',
      { attributes: [text('user.email', 'a@b.c')] },
      { attributes: [text('user.email', '***')] },
    ],
  ])('finds %s', (_, before, after) => {
    const made = redact(before, both);
    expect(made.verdict).toBe(VERDICT.edit);
    expect(made.span).toMatchObject(after);
    expect(made.count).toBeGreaterThan(0);
  });

  it.each(PLACES)('finds it in an attribute of %s', (_, place) => {
    const { verdict, bytes, counted } = redact(place(text('a', '4111 1111 1111 1111')), both);
    expect(verdict).toBe(VERDICT.edit);
    expect(bytes.includes('4111')).toBe(false);
    expect(counted).toMatchObject({ 'pattern:card': 1, drop: 0 });
  });

  it('leaves everything else as it is', () => {
    const span = { name: 'pay 4111', attributes: [text('a', 'token'), text('b', '')], status: { message: 'no' } };
    expect(redact(span, both)).toMatchObject({ verdict: VERDICT.clean, count: 0, bytes: encodeReferenceSpan(span) });
  });

  it('takes no longer for text that is made to be tried again and again', () => {
    const hostile = new RedactionRules(names, new ValuePatterns([{ name: 'p', pattern: '(a+)+$', action: 'mask' }]));
    expect(redact({ attributes: [text('a', `${'a'.repeat(50_000)}!`)] }, hostile).verdict).toBe(VERDICT.clean);
  });
});

describe('readPatterns', () => {
  it.each<[string, unknown, string]>([
    ['no list', {}, 'it must be a list of patterns'],
    ['a pattern alone', ['a'], '[0] must have name, pattern and action'],
    ['no name', [{ pattern: 'a' }], '[0] must have a name'],
    ['no pattern', [{ name: 'a' }], '[0] has a pattern that is none'],
    ['look-around', [{ name: 'a', pattern: '(?=a)b' }], "[0] has a pattern that is not of RE2's syntax"],
    ['a pattern for nothing', [{ name: 'a', pattern: 'a*' }], '[0] has a pattern that fits an empty text'],
    [
      'an unknown action',
      [{ name: 'a', pattern: 'a', action: 'encrypt' }],
      '[0] has an action that is not one of mask,',
    ],
    [
      'two of a name',
      [
        { name: 'a', pattern: 'a' },
        { name: 'a', pattern: 'b' },
      ],
      '[1].name is taken',
    ],
    ['something else', [{ name: 'a', pattern: 'a', keys: [] }], '[0] does not take keys'],
  ])('refuses %s', (_, declared, sentence) => expect(readPatterns(declared).mistakes.join('\n')).toContain(sentence));

  it('masks unless told otherwise', () => {
    expect(readPatterns([{ name: 'a', pattern: 'a' }])).toEqual({
      patterns: [{ name: 'a', pattern: 'a', action: 'mask' }],
      mistakes: [],
    });
  });
});
