import { describe, expect, it } from '@jest/globals';
import { otlpToJson } from '../../../lib/codec/otlp-json.ts';
import { partitionOfTraceId } from '../../../lib/kafka/murmur2.ts';
import { randomRequest } from '../../../lib/testkit/otlp-random.ts';
import {
  decodeReference,
  encodeReference,
  encodeReferenceSpan,
  type ReferenceKeyValue,
  type ReferenceRequest,
  type ReferenceSpan,
} from '../../../lib/testkit/otlp-reference.ts';
import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import { decodeLetters, fixturePorts, fixtureSettings, PARTITIONS, record, spanBodies } from '../router-fixture.ts';
import { CONTEXT_BYTES_MAX } from './contexts.ts';
import { SPANS_LISTED_MAX } from './dead-letters.ts';
import { BUNDLE_BYTES_MAX, RouteBuilder } from './route.ts';

const KIB = 1024;
const CANARY = 'canary-93ab';

const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((total, count) => total + count, 0);

/** Routes records of these values and answers everything that came out. */
function route(values: (Buffer | string | null)[], settings: Parameters<typeof fixtureSettings>[0] = {}) {
  const builder = new RouteBuilder(fixtureSettings(settings), fixturePorts().ports);
  for (const [i, value] of values.entries()) builder.take(record(100 + i, value));
  const rejected = Object.fromEntries(builder.deadLetters.rejected);
  const { truncated } = builder;
  const redacted = sum(builder.redacted);
  const bundles = builder.takeBundles();
  const spans = bundles.flatMap((bundle) =>
    (decodeReference(bundle.bytes).resourceSpans ?? []).flatMap(({ resource, scopeSpans = [] }) =>
      scopeSpans.flatMap(({ scope, spans: inScope = [] }) => inScope.map((span) => ({ ...span, resource, scope }))),
    ),
  );
  return { bundles, spans, letters: decodeLetters(builder.deadLetters.take()), rejected, redacted, truncated };
}

const SPAN: ReferenceSpan = { traceId: new Uint8Array(16).fill(0xab), spanId: new Uint8Array(8).fill(0xcd), name: 'n' };
function request(spans: ReferenceSpan[], resource: ReferenceKeyValue[] = []): Buffer {
  return encodeReference({ resourceSpans: [{ resource: { attributes: resource }, scopeSpans: [{ spans }] }] });
}
function text(key: string, stringValue: string): ReferenceKeyValue {
  return { key, value: { stringValue } };
}
const GOOD = request([SPAN]);

describe('bad input', () => {
  it.each<[string, Buffer | string | null, string]>([
    ['undecodable bytes', Buffer.alloc(20, 0xff), 'invalid_wire'],
    ['text', 'not a trace', 'invalid_wire'],
    ['truncated protobuf', GOOD.subarray(0, GOOD.length - 3), 'truncated'],
    ['truncated JSON', '{"resourceSpans":[{', 'invalid_json'],
    ['an empty request', Buffer.alloc(0), 'empty_request'],
    ['a tombstone', null, 'empty_request'],
    ['a request without spans', request([]), 'empty_request'],
    ['a resource given twice', Buffer.from('0a080a0210010a021001', 'hex'), 'repeated_resource'],
  ])('%s: one dead letter, and the records around it pass', (_, value, reason) => {
    const { letters, spans, rejected } = route([GOOD, value, GOOD]);
    expect(spans).toHaveLength(2);
    expect(rejected).toEqual({ [reason]: 1 });
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({
      key: 'otlp_spans/3/101',
      topic: 'otlp_spans',
      partition: 3,
      offset: 101,
      index: null,
      reason,
      code: 'ROUTER_RECORD_REFUSED',
      service: 'span-router',
      size: value?.length ?? 0,
      time: 1_700_000_000_101,
      payload: null,
    });
    expect(letters[0]!.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each<[string, Partial<ReferenceSpan>]>([
    ['trace_id_length', { traceId: new Uint8Array(8).fill(1) }],
    ['trace_id_length', { traceId: new Uint8Array(0) }],
    ['trace_id_zero', { traceId: new Uint8Array(16) }],
    ['span_id_length', { spanId: new Uint8Array(16).fill(1) }],
    ['span_id_zero', { spanId: new Uint8Array(8) }],
    ['parent_span_id_length', { parentSpanId: new Uint8Array(3).fill(1) }],
  ])('%s: one dead letter for the span, and its neighbours pass', (reason, wrong) => {
    const bytes = request([SPAN, { ...SPAN, ...wrong }, SPAN]);
    const { letters, spans } = route([bytes]);
    expect(spans).toHaveLength(2);
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({
      key: 'otlp_spans/3/100/1',
      index: 1,
      reason,
      code: 'ROUTER_SPAN_REFUSED',
      size: spanBodies(bytes)[1]!.length,
      encoding: 'otlp_proto',
    });
  });

  it('wrong ids in JSON: the same dead letters', () => {
    const span = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) };
    const wrong = [{ traceId: '00'.repeat(16) }, { traceId: 'ab' }, { traceId: 'no hex' }, { spanId: '' }];
    const json = JSON.stringify({
      resourceSpans: [{ scopeSpans: [{ spans: [span, ...wrong.map((fields) => ({ ...span, ...fields }))] }] }],
    });
    const { letters, spans } = route([json]);
    expect(spans).toHaveLength(1);
    expect(letters.map(({ index, reason, encoding }) => [index, reason, encoding])).toEqual([
      [1, 'trace_id_zero', 'otlp_json'],
      [2, 'trace_id_length', 'otlp_json'],
      [3, 'trace_id_length', 'otlp_json'],
      [4, 'span_id_length', 'otlp_json'],
    ]);
  });

  it('an attribute that is not well-formed inside: a dead letter, because nobody could read or redact it', () => {
    const span = Buffer.concat([encodeReferenceSpan(SPAN), Buffer.from('4a030a056b', 'hex')]);
    const field = Buffer.concat([Buffer.from([0x12, span.length]), span]);
    const scopeSpans = Buffer.concat([Buffer.from([0x12, field.length]), field]);
    const { letters, spans } = route([Buffer.concat([Buffer.from([0x0a, scopeSpans.length]), scopeSpans]), GOOD]);
    expect(spans).toHaveLength(1);
    expect(letters).toMatchObject([{ index: 0, reason: 'invalid_wire' }]);
  });

  it('an attribute of 5 MB: cut and marked', () => {
    const { spans, letters, truncated } = route([
      request([{ ...SPAN, attributes: [text('dump', 'x'.repeat(5_000_000))] }]),
    ]);
    expect(letters).toEqual([]);
    expect(truncated).toBe(1);
    expect(encodeReferenceSpan(spans[0]!).length).toBeLessThanOrEqual(256 * KIB);
    expect(spans[0]!.attributes!.map(({ key }) => key)).toEqual(['dump', 'spanloom.truncated']);
  });

  it('100 attributes of 60 KB: cut and marked', () => {
    const attributes = Array.from({ length: 100 }, (_, i) => text(`a${i}`, 'x'.repeat(60_000)));
    const { spans, letters, truncated } = route([request([SPAN, { ...SPAN, attributes }])]);
    expect(letters).toEqual([]);
    expect(truncated).toBe(1);
    expect(encodeReferenceSpan(spans[1]!).length).toBeLessThanOrEqual(256 * KIB);
    expect(spans[1]!.attributes).toHaveLength(101);
  });

  it('a span of too many small attributes: a dead letter', () => {
    const attributes = Array.from({ length: 40_000 }, (_, i) => text(`key.${i}`, ''));
    const { spans, letters } = route([request([SPAN, { ...SPAN, attributes }, SPAN])]);
    expect(spans).toHaveLength(2);
    expect(letters).toMatchObject([{ index: 1, reason: 'span_too_large' }]);
  });

  it('a resource of 1 MB: cut once, and every span passes', () => {
    const resource = [text('service.name', 'shop'), text('process.command_line', 'x'.repeat(1_000_000))];
    const { spans, letters, truncated, bundles } = route([request([SPAN, SPAN], resource), request([SPAN], resource)]);
    expect(letters).toEqual([]);
    expect(truncated).toBe(1);
    expect(spans).toHaveLength(3);
    expect(bundles[0]!.bytes.length).toBeLessThan(CONTEXT_BYTES_MAX + KIB);
    expect(spans[2]!.resource!.attributes!.map(({ key }) => key)).toEqual([
      'service.name',
      'process.command_line',
      'spanloom.truncated',
    ]);
  });

  it('a resource of too many small attributes: a dead letter for each of its spans', () => {
    const resource = Array.from({ length: 10_000 }, (_, i) => text(`key.${i}`, ''));
    const { spans, letters } = route([request([SPAN, SPAN], resource), GOOD]);
    expect(spans).toHaveLength(1);
    expect(letters.map(({ index, reason }) => [index, reason])).toEqual([
      [0, 'resource_too_large'],
      [1, 'resource_too_large'],
    ]);
  });

  it('a record of 10 MB: passes as bundles of at most 1 MiB', () => {
    const random = new SeededRandom(1);
    const attributes = [text('body', 'x'.repeat(1000))];
    const spans = Array.from({ length: 10_000 }, () => ({ ...SPAN, traceId: random.bytes(16), attributes }));
    const bytes = request(spans);
    expect(bytes.length).toBeGreaterThan(10_000_000);
    const result = route([bytes]);
    expect(result.letters).toEqual([]);
    expect(result.spans).toHaveLength(10_000);
    for (const bundle of result.bundles) expect(bundle.bytes.length).toBeLessThanOrEqual(BUNDLE_BYTES_MAX);
  });

  it('spans stamped 1970, 2099 and never: pass as they are', () => {
    const times = ['1', '4102444799000000000', '18446744073709551615'];
    const stamped = times.map((startTimeUnixNano) => ({ ...SPAN, startTimeUnixNano, endTimeUnixNano: '0' }));
    const { spans, letters } = route([request([...stamped, SPAN])]);
    expect(letters).toEqual([]);
    expect(spans.map((span) => span.startTimeUnixNano ?? 'none')).toEqual([...times, 'none']);
  });

  it('the same batch twice: passes twice, the assembler counts copies', () => {
    expect(route([GOOD, GOOD]).spans).toHaveLength(2);
  });

  it('a record of millions of empty spans: dead letters up to a limit, then one that counts the rest', () => {
    const empty = 200_000;
    const scopeSpans = Buffer.concat([Buffer.alloc(empty * 2, Buffer.from([0x12, 0x00])), encodeField(0x12, SPAN)]);
    const bytes = Buffer.concat([lengthField(0x0a, lengthField(0x12, scopeSpans)), GOOD]);
    const { spans, letters, rejected } = route([bytes, GOOD]);
    expect(spans).toHaveLength(3);
    expect(rejected).toEqual({ trace_id_length: empty });
    expect(letters).toHaveLength(SPANS_LISTED_MAX + 1);
    expect(letters.at(-1)).toMatchObject({
      index: SPANS_LISTED_MAX,
      reason: 'further_spans_refused',
      key: `otlp_spans/3/100/${SPANS_LISTED_MAX}`,
    });
    expect(letters.at(-1)!.detail).toContain(`${empty - SPANS_LISTED_MAX} trace_id_length`);
  });

  it('keeps the refused bytes only when asked to', () => {
    const bad = request([{ ...SPAN, spanId: new Uint8Array(8) }]);
    expect(route([bad]).letters[0]!.payload).toBeNull();
    const { letters } = route([bad, 'text', Buffer.alloc(2 * 1024 * KIB, 0xff)], { deadLetterPayload: true });
    expect(letters[0]!.payload).toEqual(spanBodies(bad)[0]);
    expect(letters[1]!.payload).toEqual(Buffer.from('text'));
    expect(letters[2]!.payload).toBeNull();
  });
});

describe('routing', () => {
  it('keeps every span of random requests byte for byte, in the partition of its trace, as protobuf and as JSON', () => {
    for (let seed = 0; seed < 150; seed++) {
      const random = new SeededRandom(seed);
      const requests = Array.from({ length: 1 + random.below(6) }, () => {
        const made = randomRequest(random);
        spoilSomeIds(made, random);
        return encodeReference(made);
      });
      const inBytes = requests.flatMap(spanBodies).map((body) => body.toString('latin1'));
      const builder = new RouteBuilder(fixtureSettings({ deadLetterPayload: true }), fixturePorts().ports);
      for (const [i, bytes] of requests.entries()) builder.take(record(i, bytes));
      const outBytes: string[] = [];
      for (const bundle of builder.takeBundles()) {
        for (const body of spanBodies(bundle.bytes)) {
          outBytes.push(body.toString('latin1'));
          // The trace id is the first field of a span that protobufjs wrote.
          expect(partitionOfTraceId(body, 2, PARTITIONS)).toBe(bundle.partition);
        }
      }
      const letters = decodeLetters(builder.deadLetters.take()).filter(({ index }) => index !== null);
      const refused = letters.map(({ payload }) => payload!.toString('latin1'));
      expect([...outBytes, ...refused].sort()).toEqual(inBytes.sort());
    }
  });

  it('routes a request as JSON to the spans that its protobuf form gives', () => {
    for (let seed = 0; seed < 50; seed++) {
      const bytes = encodeReference(randomRequest(new SeededRandom(seed)));
      const asJson = route([JSON.stringify(otlpToJson(bytes))]);
      expect(asJson.spans).toEqual(route([bytes]).spans);
    }
  });

  it('merges equal resources of all records of a poll', () => {
    const shop = [text('service.name', 'shop')];
    const { bundles } = route([
      request([SPAN], shop),
      request([SPAN], [text('service.name', 'db')]),
      request([SPAN], shop),
    ]);
    expect(bundles).toHaveLength(1);
    expect(bundles[0]).toMatchObject({ spanCount: 3, firstOffset: 100, lastOffset: 102 });
    expect(decodeReference(bundles[0]!.bytes).resourceSpans).toHaveLength(2);
  });

  it('is empty after clear, whatever was taken', () => {
    const builder = new RouteBuilder(fixtureSettings(), fixturePorts().ports);
    builder.take(
      record(
        0,
        request([
          { ...SPAN, attributes: [text('password', 'x')] },
          { ...SPAN, spanId: new Uint8Array(0) },
        ]),
      ),
    );
    expect([builder.spanCount, sum(builder.redacted), builder.deadLetters.count]).toEqual([1, 1, 1]);
    builder.clear();
    expect([builder.spanCount, sum(builder.redacted), builder.truncated, builder.deadLetters.count]).toEqual([
      0, 0, 0, 0,
    ]);
    expect(builder.takeBundles()).toEqual([]);
  });
});

describe('redaction on the way', () => {
  const secret = [text('http.request.header.authorization', CANARY), text('db.password', CANARY), text('k', 'v')];

  it('leaves a canary nowhere: not in spans, events, links, scope, resource, nor in dead letters', () => {
    const span: ReferenceSpan = {
      ...SPAN,
      attributes: [...secret, text('url.full', `https://shop/?t=${CANARY}`), text('url.query', CANARY)],
      events: [{ name: 'e', attributes: secret }],
      links: [{ traceId: SPAN.traceId!, attributes: secret }],
    };
    const bytes = encodeReference({
      resourceSpans: [
        {
          resource: { attributes: secret },
          scopeSpans: [
            { scope: { name: 's', attributes: secret }, spans: [span, SPAN, { ...span, spanId: new Uint8Array(8) }] },
          ],
        },
      ],
    });
    const { bundles, letters, spans, redacted } = route([bytes, `{"resourceSpans": ${CANARY}}`, `${CANARY}!`]);
    expect(letters.map(({ reason }) => reason)).toEqual(['span_id_zero', 'invalid_json', 'invalid_wire']);
    for (const bundle of bundles) expect(bundle.bytes.includes(CANARY)).toBe(false);
    expect(JSON.stringify(letters)).not.toContain(CANARY);
    expect(spans[0]!.attributes).toEqual([text('k', 'v'), text('url.full', 'https://shop/')]);
    expect(spans[0]!.events![0]!.attributes).toEqual([text('k', 'v')]);
    expect(spans[0]!.resource!.attributes).toEqual([text('k', 'v')]);
    expect(spans[0]!.scope!.attributes).toEqual([text('k', 'v')]);
    expect(spans[1]!.name).toBe('n');
    // 2 of the resource, 2 of the scope; of the span 4, and 2 each of event and link.
    expect(redacted).toBe(12);
  });

  it('merges resources that differ only in what is redacted', () => {
    const { bundles } = route([
      request([SPAN], [text('service.name', 'a'), text('secret', '1')]),
      request([SPAN], [text('service.name', 'a'), text('secret', '2')]),
    ]);
    expect(decodeReference(bundles[0]!.bytes).resourceSpans).toHaveLength(1);
  });

  it('hashes with the key, so that equal values stay equal', () => {
    const span = (id: string) => ({ ...SPAN, attributes: [text('user.id', id)] });
    const { spans } = route([request([span('7'), span('8'), span('7')])], { redaction: { hash: ['user.id'] } });
    const hashes = spans.map(({ attributes }) => attributes![0]!.value!.stringValue);
    expect(hashes[0]).toMatch(/^hmac:[0-9a-f]{32}$/);
    expect(hashes[2]).toBe(hashes[0]);
    expect(hashes[1]).not.toBe(hashes[0]);
  });

  it('redacts many spans of one poll, more than its buffer held at first', () => {
    const spans = Array.from({ length: 3000 }, (_, i) => ({
      ...SPAN,
      name: `${i}`,
      attributes: [text('secret', CANARY), text('pad', 'p'.repeat(1000))],
    }));
    const result = route([request(spans), request(spans)]);
    expect(result.redacted).toBe(6000);
    expect(result.spans.map(({ name }) => name)).toEqual([...spans, ...spans].map(({ name }) => name));
    expect(result.spans.every(({ attributes }) => attributes!.length === 1)).toBe(true);
  });
});

/** Makes about a tenth of the spans refusable. */
function spoilSomeIds(made: ReferenceRequest, random: SeededRandom): void {
  for (const { scopeSpans = [] } of made.resourceSpans ?? []) {
    for (const { spans = [] } of scopeSpans) {
      for (const span of spans) if (random.chance(0.1)) span.spanId = new Uint8Array(random.below(8));
    }
  }
}

function encodeField(tag: number, span: ReferenceSpan): Buffer {
  return lengthField(tag, encodeReferenceSpan(span));
}

function lengthField(tag: number, body: Buffer): Buffer {
  const head = [tag];
  let rest = body.length;
  while (rest >= 128) {
    head.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.concat([Buffer.from([...head, rest]), body]);
}
