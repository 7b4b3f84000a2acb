import { describe, expect, it } from '@jest/globals';
import { randomRequest } from '../testkit/otlp-random.ts';
import {
  decodeReference,
  encodeReference,
  type ReferenceRequest,
  type ReferenceResourceSpans,
} from '../testkit/otlp-reference.ts';
import { SeededRandom } from '../testkit/traffic/random.ts';
import { type Bundle, BundleBuilder, type ContextPart } from './otlp-bundle.ts';
import { scanOtlpRequest } from './otlp-scan.ts';
import { SpanTable } from './span-table.ts';

const MIB = 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** Adds all spans of a request; the partition is the last byte of the trace id modulo `partitions`. */
function addRequest(builder: BundleBuilder, bytes: Buffer, offset: number, partitions: number): void {
  const table = new SpanTable();
  expect(scanOtlpRequest(bytes, table)).toBeUndefined();
  const source = builder.addSource(bytes);
  builder.atOffset(offset);
  const part = (start: number, end: number, urlStart: number, urlEnd: number): ContextPart => ({
    body: start < 0 ? EMPTY : bytes.subarray(start, end),
    schemaUrl: urlStart < 0 ? EMPTY : bytes.subarray(urlStart, urlEnd),
  });
  for (let row = 0; row < table.count; row++) {
    const c = table.context[row]!;
    const context = builder.context(
      part(
        table.resourceStart[c]!,
        table.resourceEnd[c]!,
        table.resourceSchemaUrlStart[c]!,
        table.resourceSchemaUrlEnd[c]!,
      ),
      part(table.scopeStart[c]!, table.scopeEnd[c]!, table.scopeSchemaUrlStart[c]!, table.scopeSchemaUrlEnd[c]!),
    );
    const partition = bytes[table.traceId[row]! + 15]! % partitions;
    builder.add(partition, context, source, table.fieldStart[row]!, table.bodyEnd[row]!);
  }
}

/** Every span with what it stands under, as comparable text; `partition` of its trace. */
function spansOf(request: ReferenceRequest, partitions: number) {
  return (request.resourceSpans ?? []).flatMap(({ resource, schemaUrl, scopeSpans = [], librarySpans = [] }) =>
    [...scopeSpans, ...librarySpans].flatMap(({ scope, schemaUrl: scopeUrl, spans = [] }) =>
      spans.map((span) => ({
        partition: span.traceId![15]! % partitions,
        text: JSON.stringify([notEmpty(resource), schemaUrl, notEmpty(scope), scopeUrl, span]),
      })),
    ),
  );
}

/** The empty message is the same as none: protobuf's defaults. */
function notEmpty(value: object | undefined): object | undefined {
  return value === undefined || Object.keys(value).length === 0 ? undefined : value;
}

function decoded(bundle: Bundle): ReferenceRequest {
  return decodeReference(bundle.bytes);
}

const TRACE = new Uint8Array(16).fill(1);
function requestOf(resourceSpans: ReferenceResourceSpans[]): Buffer {
  return encodeReference({ resourceSpans });
}
function spans(count: number, name = 's', trace = TRACE) {
  return Array.from({ length: count }, (_, i) => ({
    traceId: trace,
    spanId: new Uint8Array(8).fill(i + 1),
    name: `${name}${i}`,
  }));
}
function resource(name: string) {
  return { attributes: [{ key: 'service.name', value: { stringValue: name } }] };
}

describe('BundleBuilder', () => {
  it('puts every span of random requests into the bundle of its partition, with its resource and scope', () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = new SeededRandom(seed);
      const partitions = 1 + random.below(5);
      const builder = new BundleBuilder(partitions, MIB);
      const expected: { partition: number; text: string }[] = [];
      for (let offset = random.below(6); offset >= 0; offset--) {
        const bytes = encodeReference(randomRequest(random));
        addRequest(builder, bytes, 10 - offset, partitions);
        expected.push(...spansOf(decodeReference(bytes), partitions));
      }
      expect(builder.spanCount).toBe(expected.length);
      const found = builder.take().flatMap((bundle) => {
        const inBundle = spansOf(decoded(bundle), partitions);
        expect(inBundle).toHaveLength(bundle.spanCount);
        expect(new Set(inBundle.map(({ partition }) => partition))).toEqual(new Set([bundle.partition]));
        return inBundle;
      });
      expect(found.map(({ text }) => text).sort()).toEqual(expected.map(({ text }) => text).sort());
    }
  });

  it('writes equal resources once, and equal scopes of a resource once', () => {
    const builder = new BundleBuilder(1, MIB);
    for (const offset of [4, 5]) {
      addRequest(
        builder,
        requestOf([
          { resource: resource('a'), scopeSpans: [{ scope: { name: 'x' }, spans: spans(2) }] },
          { resource: resource('b'), scopeSpans: [{ scope: { name: 'x' }, spans: spans(1) }] },
          {
            resource: resource('a'),
            scopeSpans: [
              { scope: { name: 'y' }, spans: spans(1) },
              { scope: { name: 'x' }, spans: spans(1, 'again') },
            ],
          },
        ]),
        offset,
        1,
      );
    }
    const bundles = builder.take();
    expect(bundles).toHaveLength(1);
    expect(bundles[0]).toMatchObject({ partition: 0, spanCount: 10, firstOffset: 4, lastOffset: 5 });
    const shape = decoded(bundles[0]!).resourceSpans!.map(({ resource: r, scopeSpans = [] }) => [
      r!.attributes![0]!.value!.stringValue,
      ...scopeSpans.map(({ scope, spans: s = [] }) => [scope!.name, s.map((span) => span.name).join(' ')]),
    ]);
    expect(shape).toEqual([
      ['a', ['x', 's0 s1 again0 s0 s1 again0'], ['y', 's0 s0']],
      ['b', ['x', 's0 s0']],
    ]);
  });

  it('keeps resources apart that differ in their schema URL, or in bytes alone', () => {
    const builder = new BundleBuilder(1, MIB);
    const url = (schemaUrl?: string) => ({ resource: resource('a'), scopeSpans: [{ spans: spans(1) }], schemaUrl });
    addRequest(builder, requestOf([url(), url('https://a'), url('https://b'), url()]), 0, 1);
    const found = decoded(builder.take()[0]!).resourceSpans!;
    expect(found.map(({ schemaUrl }) => schemaUrl)).toEqual([undefined, 'https://a', 'https://b']);
    expect(found.map(({ scopeSpans }) => scopeSpans![0]!.spans!.length)).toEqual([2, 1, 1]);
  });

  it('opens another bundle rather than pass the limit, and repeats the context in it', () => {
    const builder = new BundleBuilder(2, 2000);
    const big = requestOf([{ resource: resource('a'), scopeSpans: [{ scope: { name: 'x' }, spans: spans(100) }] }]);
    addRequest(builder, big, 0, 2);
    addRequest(builder, big, 1, 2);
    const bundles = builder.take();
    expect(bundles.length).toBeGreaterThan(2);
    for (const bundle of bundles) {
      expect(bundle.bytes.length).toBeLessThanOrEqual(2000);
      expect(bundle.partition).toBe(1);
      expect(decoded(bundle).resourceSpans![0]!.resource).toEqual(resource('a'));
    }
    // All but the last of a run are nearly full.
    for (const bundle of bundles.slice(0, -1)) expect(bundle.bytes.length).toBeGreaterThan(1800);
    expect(bundles.map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset])[0]).toEqual([0, 0]);
    expect(bundles.at(-1)!.lastOffset).toBe(1);
    expect(bundles.reduce((sum, bundle) => sum + bundle.spanCount, 0)).toBe(200);
  });

  it('refuses a span that fits into no bundle: the caller has to cut it before', () => {
    const builder = new BundleBuilder(1, 100);
    const bytes = requestOf([{ scopeSpans: [{ spans: [{ ...spans(1)[0]!, name: 'n'.repeat(200) }] }] }]);
    expect(() => addRequest(builder, bytes, 0, 1)).toThrow(/passes 100 bytes/);
  });

  it('is empty after take and after clear, and makes the same bytes from the same input', () => {
    const builder = new BundleBuilder(3, MIB);
    const bytes = encodeReference(randomRequest(new SeededRandom(4)));
    addRequest(builder, bytes, 0, 3);
    const first = builder.take();
    expect(builder.take()).toEqual([]);
    addRequest(builder, bytes, 0, 3);
    builder.clear();
    expect(builder.spanCount).toBe(0);
    expect(builder.take()).toEqual([]);
    addRequest(builder, bytes, 0, 3);
    expect(builder.take()).toEqual(first);
  });
});
