import { describe, expect, it } from '@jest/globals';
import { randomRequest } from '../testkit/otlp-random.ts';
import {
  decodeReference,
  encodeReference,
  type ReferenceRequest,
  type ReferenceSpan,
} from '../testkit/otlp-reference.ts';
import { SeededRandom } from '../testkit/traffic/random.ts';
import { scanOtlpRequest } from './otlp-scan.ts';
import { SPAN_PROBLEMS, SpanTable } from './span-table.ts';
import { WireWriter } from './wire-writer.ts';

const table = new SpanTable();

/** What the scan found, in the form the reference decoder gives. */
function scanned(bytes: Buffer) {
  const problem = scanOtlpRequest(bytes, table);
  if (problem !== undefined) return problem;
  return Array.from({ length: table.count }, (_, row) => ({
    traceId: hex(bytes, table.traceId[row]!, 16),
    spanId: hex(bytes, table.spanId[row]!, 8),
    parentSpanId: hex(bytes, table.parentSpanId[row]!, 8),
    name: bytes.toString('utf8', table.nameStart[row]!, table.nameEnd[row]!),
    kind: table.kind[row],
    status: table.statusCode[row],
    start: nanos(table.startHi[row]!, table.startLo[row]!),
    end: nanos(table.endHi[row]!, table.endLo[row]!),
    service: serviceOf(bytes, table.context[row]!),
    scope: scopeOf(bytes, table.context[row]!),
    problem: SPAN_PROBLEMS[table.problem[row]!],
  }));
}

function expected(request: ReferenceRequest) {
  return (request.resourceSpans ?? []).flatMap(({ resource, scopeSpans = [], librarySpans = [] }) =>
    [...scopeSpans, ...librarySpans].flatMap(({ scope, spans = [] }) =>
      spans.map((span) => ({
        traceId: Buffer.from(span.traceId ?? []).toString('hex'),
        spanId: Buffer.from(span.spanId ?? []).toString('hex'),
        parentSpanId: Buffer.from(span.parentSpanId ?? []).toString('hex'),
        name: span.name ?? '',
        kind: span.kind ?? 0,
        status: span.status?.code ?? 0,
        start: span.startTimeUnixNano ?? '0',
        end: span.endTimeUnixNano ?? '0',
        service: resource?.attributes?.[0]?.value?.stringValue ?? '',
        scope: scope?.name ?? '',
        problem: 'none',
      })),
    ),
  );
}

function hex(bytes: Buffer, at: number, length: number): string {
  return at < 0 ? '' : bytes.toString('hex', at, at + length);
}

function nanos(hi: number, lo: number): string {
  return ((BigInt(hi) << 32n) | BigInt(lo)).toString();
}

function serviceOf(bytes: Buffer, context: number): string {
  const start = table.resourceStart[context]!;
  if (start < 0) return '';
  const resource = bytes.subarray(start, table.resourceEnd[context]!);
  return /service-\d/.exec(resource.toString('latin1'))?.[0] ?? '';
}

function scopeOf(bytes: Buffer, context: number): string {
  const start = table.scopeStart[context]!;
  if (start < 0) return '';
  return /scope-\d/.exec(bytes.toString('latin1', start, table.scopeEnd[context]!))?.[0] ?? '';
}

const SPAN: ReferenceSpan = {
  traceId: new Uint8Array(16).fill(0xab),
  spanId: new Uint8Array(8).fill(0xcd),
  parentSpanId: new Uint8Array(8).fill(0xef),
  name: 'GET /',
  kind: 2,
  startTimeUnixNano: '1700000000000000001',
  endTimeUnixNano: '1700000000000000002',
  attributes: [{ key: 'k', value: { kvlistValue: { values: [{ key: 'n', value: { intValue: '-1' } }] } } }],
  events: [{ timeUnixNano: '3', name: 'e' }],
  status: { message: 'm', code: 2 },
  flags: 0x101,
};
const REQUEST: ReferenceRequest = {
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'service-1' } }] },
      scopeSpans: [{ scope: { name: 'scope-1' }, spans: [SPAN, SPAN] }],
    },
  ],
};
/** One span whose fields are given as they are on the wire. */
function requestOfSpan(write: (out: WireWriter) => void): Buffer {
  const out = new WireWriter();
  const resourceSpans = out.begin(0x0a, 1);
  const scopeSpans = out.begin(0x12, 1);
  const span = out.begin(0x12, 1);
  write(out);
  out.end(span);
  out.end(scopeSpans);
  out.end(resourceSpans);
  return out.toBuffer();
}

function problemOf(span: ReferenceSpan): string | undefined {
  const bytes = encodeReference({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  expect(scanOtlpRequest(bytes, table)).toBeUndefined();
  expect(table.count).toBe(1);
  return SPAN_PROBLEMS[table.problem[0]!];
}

describe('scanOtlpRequest', () => {
  it('finds what protobufjs decodes, on 1000 random requests', () => {
    let spans = 0;
    for (let seed = 0; seed < 1000; seed++) {
      const bytes = encodeReference(randomRequest(new SeededRandom(seed)));
      const found = scanned(bytes);
      expect({ seed, found }).toEqual({ seed, found: expected(decodeReference(bytes)) });
      spans += table.count;
    }
    expect(spans).toBeGreaterThan(5000);
  });

  it('reads concatenated requests as one with the spans of all', () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = new SeededRandom(seed);
      const parts = [randomRequest(random), randomRequest(random), randomRequest(random)];
      const bytes = Buffer.concat(parts.map(encodeReference));
      expect(scanned(bytes)).toEqual(parts.flatMap((part) => expected(decodeReference(encodeReference(part)))));
    }
  });

  it('gives positions from which the whole span field can be copied', () => {
    const bytes = encodeReference(REQUEST);
    scanOtlpRequest(bytes, table);
    const [first, second] = [0, 1].map((row) => bytes.subarray(table.fieldStart[row]!, table.bodyEnd[row]!));
    expect(first).toEqual(second);
    expect(table.bodyEnd[0]).toBe(table.fieldStart[1]);
    expect(first![0]).toBe(0x12);
  });

  it('scans only the range it is given', () => {
    const inner = encodeReference(REQUEST);
    const bytes = Buffer.concat([Buffer.alloc(7, 0xff), inner, Buffer.alloc(5, 0xff)]);
    expect(scanOtlpRequest(bytes, table, 7, 7 + inner.length)).toBeUndefined();
    expect(table.count).toBe(2);
    expect(hex(bytes, table.traceId[1]!, 16)).toBe('ab'.repeat(16));
  });

  it('answers every cut of a valid request with a problem, except between its fields', () => {
    const bytes = encodeReference(REQUEST);
    for (let length = 1; length < bytes.length; length++) {
      const problem = scanOtlpRequest(bytes.subarray(0, length), table);
      expect({ length, problem: problem?.reason }).toEqual({ length, problem: 'truncated' });
    }
    const two = Buffer.concat([bytes, bytes]);
    const whole = Array.from({ length: two.length }, (_, length) =>
      scanOtlpRequest(two.subarray(0, length), table),
    ).flatMap((problem, length) => (problem === undefined ? [length] : []));
    expect(whole).toEqual([0, bytes.length]);
  });

  it('survives every flip of one bit, and finds no position outside the bytes', () => {
    const bytes = encodeReference(REQUEST);
    let refused = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      if (scanOtlpRequest(flipped, table) !== undefined) refused++;
      else expectPositionsInside(flipped.length);
    }
    expect(refused).toBeGreaterThan(100);
  });

  it('survives random bytes and random requests with random damage', () => {
    for (let seed = 0; seed < 3000; seed++) {
      const random = new SeededRandom(seed);
      const bytes =
        seed % 2 === 0 ? Buffer.from(random.bytes(random.below(200))) : encodeReference(randomRequest(random));
      for (let damage = random.below(4); damage > 0 && bytes.length > 0; damage--) {
        bytes[random.below(bytes.length)] = random.below(256);
      }
      if (scanOtlpRequest(bytes, table) === undefined) expectPositionsInside(bytes.length);
    }
  });

  it('reads fields in any order, the resource also after its spans', () => {
    const out = new WireWriter();
    const resourceSpans = out.begin(0x0a, 1);
    const scopeSpans = out.begin(0x12, 1);
    const span = out.begin(0x12, 1);
    out.varint(0x41);
    out.fixed64(9n);
    out.textField(0x2a, 'late');
    out.bytesField(0x12, Buffer.alloc(8, 2));
    out.varint(0x30);
    out.varint(3);
    out.bytesField(0x0a, Buffer.alloc(16, 1));
    out.end(span);
    const scope = out.begin(0x0a, 1);
    out.textField(0x0a, 'scope-7');
    out.end(scope);
    out.end(scopeSpans);
    out.textField(0x1a, 'url');
    const resource = out.begin(0x0a, 1);
    out.varint(0x10);
    out.varint(1);
    out.end(resource);
    out.end(resourceSpans);
    expect(scanned(out.toBuffer())).toMatchObject([
      {
        traceId: '01'.repeat(16),
        spanId: '02'.repeat(8),
        name: 'late',
        kind: 3,
        end: '9',
        scope: 'scope-7',
        problem: 'none',
      },
    ]);
    expect(table.resourceStart[0]).toBeGreaterThan(table.bodyEnd[0]!);
    expect(table.resourceSchemaUrlEnd[0]! - table.resourceSchemaUrlStart[0]!).toBe(3);
  });

  it('steps over fields that it does not know, of every wire type and of two-byte tags', () => {
    const bytes = requestOfSpan((out) => {
      unknownFields(out);
      out.bytesField(0x0a, Buffer.alloc(16, 1));
      unknownFields(out);
      out.bytesField(0x12, Buffer.alloc(8, 2));
      unknownFields(out);
    });
    expect(scanned(bytes)).toMatchObject([{ traceId: '01'.repeat(16), spanId: '02'.repeat(8), problem: 'none' }]);
  });

  it.each([
    ['a group', [0xa3, 0x06, 0xa4, 0x06]],
    ['an end of group', [0xa4, 0x06]],
    ['wire type 6', [0xa6, 0x06]],
    ['wire type 7', [0xa7, 0x06]],
    ['field 0', [0x02, 0x00]],
    ['a varint of eleven bytes', [0xa0, 0x06, ...new Array(10).fill(0xff), 0x01]],
  ])('refuses %s at every level', (_, field) => {
    const bad = Buffer.from(field);
    const pad = Buffer.alloc(12, 0x22);
    expect(scanOtlpRequest(Buffer.concat([bad, Buffer.from([0x2a, 12]), pad]), table)?.reason).toBe('invalid_wire');
    const inSpan = requestOfSpan((out) => out.copy(bad, 0, bad.length));
    expect(scanOtlpRequest(inSpan, table)?.reason).toMatch(/invalid_wire|truncated/);
    expect(table.count).toBeLessThanOrEqual(1);
  });

  it('refuses a second resource instead of losing half of one', () => {
    const resource = Buffer.from([0x0a, 0x02, 0x10, 0x01]);
    const bytes = Buffer.concat([Buffer.from([0x0a, 8]), resource, resource]);
    expect(scanOtlpRequest(bytes, table)?.reason).toBe('repeated_resource');
  });

  it('refuses a resource or scope that is not a run of fields', () => {
    expect(scanOtlpRequest(Buffer.from([0x0a, 4, 0x0a, 2, 0x0a, 0x05]), table)?.reason).toBe('truncated');
    expect(scanOtlpRequest(Buffer.from([0x0a, 6, 0x12, 4, 0x0a, 2, 0x0a, 0x05]), table)?.reason).toBe('truncated');
  });

  it('reads the spans of field 1000, as OTLP before 0.15 has them', () => {
    const bytes = encodeReference({
      resourceSpans: [{ librarySpans: [{ scope: { name: 'scope-9' }, spans: [SPAN] }] }],
    });
    expect(scanned(bytes)).toMatchObject([{ name: 'GET /', scope: 'scope-9' }]);
  });

  it.each<[string, ReferenceSpan]>([
    ['trace_id_length', { ...SPAN, traceId: new Uint8Array(15).fill(1) }],
    ['trace_id_length', { ...SPAN, traceId: new Uint8Array(17).fill(1) }],
    ['trace_id_length', { ...SPAN, traceId: new Uint8Array(0) }],
    ['trace_id_zero', { ...SPAN, traceId: new Uint8Array(16) }],
    ['span_id_length', { ...SPAN, spanId: new Uint8Array(4).fill(1) }],
    ['span_id_length', { ...SPAN, spanId: new Uint8Array(0) }],
    ['span_id_zero', { ...SPAN, spanId: new Uint8Array(8) }],
    ['parent_span_id_length', { ...SPAN, parentSpanId: new Uint8Array(7).fill(1) }],
    ['parent_span_id_length', { ...SPAN, parentSpanId: new Uint8Array(16).fill(1) }],
    ['none', { ...SPAN, parentSpanId: new Uint8Array(0) }],
    ['none', { ...SPAN, parentSpanId: new Uint8Array(8) }],
  ])('marks a span: %s', (problem, span) => {
    expect(problemOf(span)).toBe(problem);
  });

  it('takes a parent id of zeros for a root', () => {
    problemOf({ ...SPAN, parentSpanId: new Uint8Array(8) });
    expect(table.parentSpanId[0]).toBe(-1);
  });

  it('grows over many spans and many scopes without losing any', () => {
    const scopeSpans = Array.from({ length: 300 }, (_, scope) => ({
      scope: { name: `scope-${scope % 10}` },
      spans: Array.from({ length: 10 }, (_, i) => ({ ...SPAN, name: `${scope}.${i}` })),
    }));
    const bytes = encodeReference({ resourceSpans: [{ scopeSpans }] });
    const fresh = new SpanTable();
    expect(scanOtlpRequest(bytes, fresh)).toBeUndefined();
    const names = Array.from({ length: fresh.count }, (_, row) =>
      bytes.toString('utf8', fresh.nameStart[row]!, fresh.nameEnd[row]!),
    );
    expect(names).toEqual(scopeSpans.flatMap(({ spans }) => spans.map((span) => span.name)));
    expect(fresh.contextCount).toBe(300);
  });
});

function unknownFields(out: WireWriter): void {
  out.varint(100 * 8);
  out.varint64(2n ** 64n - 1n);
  out.varint(101 * 8 + 1);
  out.fixed64(1n);
  out.bytesField(102 * 8 + 2, Buffer.alloc(200, 0x0a));
  out.varint(103 * 8 + 5);
  out.fixed32(1);
}

function expectPositionsInside(length: number): void {
  let outside = 0;
  for (let row = 0; row < table.count; row++) {
    const isInside =
      table.fieldStart[row]! >= 0 &&
      table.bodyStart[row]! <= table.bodyEnd[row]! &&
      table.bodyEnd[row]! <= length &&
      table.traceId[row]! + 16 <= length &&
      table.spanId[row]! + 8 <= length &&
      table.nameEnd[row]! <= length &&
      table.context[row]! < table.contextCount;
    if (!isInside) outside++;
  }
  expect(outside).toBe(0);
}
