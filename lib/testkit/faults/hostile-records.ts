import { EPOCH_MS, otlp, type SpanLiteral } from '../otlp-builder.ts';
import type { SeededRandom } from '../traffic/random.ts';

/** A record of an ingest topic that nobody sends on purpose. */
export interface HostileRecord {
  readonly kind: string;
  readonly value: Buffer | null;
  /** Spans that are to be taken in, and dead letters that are to be written; undefined where only the audit can say. */
  readonly expected: { readonly spans: number; readonly letters: number } | undefined;
}

export interface HostileSizes {
  /** Spans of the trace that is far too large, in records of 1 000. */
  readonly hugeTraceSpans: number;
  /** Spans of the trace in which each is the child of the one before it. */
  readonly chainSpans: number;
  /** Bytes of one attribute. */
  readonly attributeBytes: number;
  /** Records with flipped bits. */
  readonly flips: number;
}

/**
 * Everything of the bad-input list, each at least once, in an order drawn from the seed: what cannot be decoded, what can
 * and must not be taken in, and what is taken in but has a shape that recursion, memory or clocks might not survive.
 */
export function hostileRecords(random: SeededRandom, sizes: HostileSizes): HostileRecord[] {
  const traces = new TraceIds(random);
  const records = [
    ...undecodable(random, traces),
    ...refusedSpans(traces),
    ...oddTraces(traces),
    ...largeTraces(traces, sizes),
    ...Array.from({ length: sizes.flips }, () => flipped(random, traces)),
  ];
  for (let i = records.length - 1; i > 0; i--) {
    const other = random.below(i + 1);
    [records[i], records[other]] = [records[other] as HostileRecord, records[i] as HostileRecord];
  }
  return records;
}

/** Trace ids that no other source of spans uses: their first bytes are fixed. */
class TraceIds {
  private readonly random: SeededRandom;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  next(): string {
    const low = this.random.uint32().toString(16).padStart(8, '0');
    return `bad0bad0bad0bad0${this.random.uint32().toString(16).padStart(8, '0')}${low}`;
  }
}

function undecodable(random: SeededRandom, traces: TraceIds): HostileRecord[] {
  const whole = ordinary(traces, 20);
  const noise = Buffer.from(Array.from({ length: 300 }, (_, i) => (i < 10 ? 0xff : random.below(256))));
  const avroHead = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]);
  const values: readonly [string, Buffer | null][] = [
    ['noise', noise],
    ['a request cut in half', whole.subarray(0, whole.length >> 1)],
    ['a request without its last byte', whole.subarray(0, whole.length - 1)],
    ['Avro of an unknown schema id', Buffer.concat([avroHead, Buffer.from('a record')])],
    ['Avro of which only the schema id was written', avroHead],
    ['a tombstone', null],
    ['an empty value', Buffer.alloc(0)],
    ['JSON that ends in the middle', Buffer.from('{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"ab')],
    ['JSON of another kind', Buffer.from('[1,2,{"three":4}]')],
    ['JSON nested 100 000 deep', Buffer.from('['.repeat(100_000))],
    ['a length that points far beyond the end', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3])],
  ];
  return values.map(([kind, value]) => ({ kind, value, expected: { spans: 0, letters: 1 } }));
}

function refusedSpans(traces: TraceIds): HostileRecord[] {
  const beside = (bad: SpanLiteral): Buffer =>
    otlp([{ service: 'hostile', spans: [{ id: 1, trace: traces.next() }, bad, { id: 3, trace: traces.next() }] }]);
  const expected = { spans: 2, letters: 1 };
  return [
    { kind: 'a trace id of zeros', value: beside({ id: 2, trace: '0'.repeat(32) }), expected },
    { kind: 'a trace id of 8 bytes', value: beside({ id: 2, trace: '1'.repeat(16) }), expected },
    { kind: 'a span id of zeros', value: beside({ id: '0'.repeat(16), trace: traces.next() }), expected },
    { kind: 'a span id of 4 bytes', value: beside({ id: '12345678', trace: traces.next() }), expected },
    { kind: 'a parent id of 3 bytes', value: beside({ id: 2, parent: 'abcdef', trace: traces.next() }), expected },
  ];
}

function oddTraces(traces: TraceIds): HostileRecord[] {
  const shape = (kind: string, spans: readonly SpanLiteral[], times = 1): HostileRecord => ({
    kind,
    value: Buffer.concat(Array.from({ length: times }, () => otlp([{ service: 'hostile', spans }]))),
    expected: { spans: spans.length * times, letters: 0 },
  });
  const trace = traces.next.bind(traces);
  const [cycle, self, roots, rootless, copies, late] = [trace(), trace(), trace(), trace(), trace(), trace()];
  const year = (full: number): number => Date.UTC(full, 0, 1) - EPOCH_MS;
  const circle = [1, 2, 3].map((id) => ({ id, parent: (id % 3) + 1, trace: cycle }));
  return [
    shape('parents in a circle', circle),
    shape('a span that is its own parent', [{ id: 5, parent: 5, trace: self }]),
    shape('two roots', [
      { id: 1, trace: roots },
      { id: 2, trace: roots, kind: 'server' },
    ]),
    shape('a root that never comes', [{ id: 2, parent: 1, trace: rootless }]),
    shape('the same span three times', [{ id: 1, trace: copies, name: 'copied' }], 3),
    shape('a span id twice with other content', [
      { id: 1, trace: late, name: 'one' },
      { id: 1, trace: late, name: 'other' },
    ]),
    shape('spans of 1970', [{ id: 1, trace: trace(), start: year(1970) }]),
    shape('spans of 2099', [{ id: 1, trace: trace(), start: year(2099), duration: 1e9 }]),
    shape('spans that end before they start', [{ id: 1, trace: trace(), duration: -3_600_000 }]),
    shape('a trace id of 64 bits', [{ id: 1, trace: trace().slice(16).padStart(32, '0') }]),
    {
      kind: '1 000 services in one record',
      value: otlp(
        Array.from({ length: 1_000 }, (_, i) => ({ service: `hostile-${i}`, spans: [{ id: i + 1, trace: trace() }] })),
      ),
      expected: { spans: 1_000, letters: 0 },
    },
  ];
}

function largeTraces(traces: TraceIds, sizes: HostileSizes): HostileRecord[] {
  const [huge, chain] = [traces.next(), traces.next()];
  const parts = Math.ceil(sizes.hugeTraceSpans / SPANS_PER_PART);
  return [
    ...Array.from({ length: parts }, (_, part) => {
      const count = Math.min(SPANS_PER_PART, sizes.hugeTraceSpans - part * SPANS_PER_PART);
      return {
        kind: 'a part of a huge trace',
        // Made when it is asked for: not all of a million spans at once.
        get value(): Buffer {
          const at = part * SPANS_PER_PART;
          const span = (i: number) => ({ id: at + i + 1, parent: 1, trace: huge, name: 'one of many' });
          return otlp([{ service: 'hostile', spans: Array.from({ length: count }, (__, i) => span(i)) }]);
        },
        expected: { spans: count, letters: 0 },
      };
    }),
    {
      kind: 'a chain of calls',
      value: otlp([
        {
          service: 'hostile',
          spans: Array.from({ length: sizes.chainSpans }, (_, i) => ({
            id: i + 1,
            parent: i,
            trace: chain,
            name: 'link',
            kind: i % 2 === 0 ? ('server' as const) : ('client' as const),
          })),
        },
      ]),
      expected: { spans: sizes.chainSpans, letters: 0 },
    },
    {
      kind: 'an attribute that is far too large',
      value: otlp([
        {
          service: 'hostile',
          spans: [{ id: 1, trace: traces.next(), attributes: { blob: 'x'.repeat(sizes.attributeBytes) } }],
        },
      ]),
      expected: { spans: 1, letters: 0 },
    },
  ];
}

function flipped(random: SeededRandom, traces: TraceIds): HostileRecord {
  const value = ordinary(traces, 20);
  for (let i = 1 + random.below(4); i > 0; i--) {
    const at = random.below(value.length);
    value[at] = (value[at] as number) ^ (1 << random.below(8));
  }
  return { kind: 'flipped bits', value, expected: undefined };
}

function ordinary(traces: TraceIds, count: number): Buffer {
  const trace = traces.next();
  const spans = Array.from({ length: count }, (_, i) => ({ id: i + 1, parent: i, trace, name: `operation ${i}` }));
  return otlp([{ service: 'hostile', spans }]);
}

const SPANS_PER_PART = 1_000;
