import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ARCHIVE_FORMATS, HOUR_MS, hourOf } from '../../lib/archive/object-keys.ts';
import { rowsToOtlp } from '../../lib/archive/rows-to-otlp.ts';
import { openTraceReader } from '../../lib/archive/trace-reader.ts';
import { otlpFromJson } from '../../lib/codec/otlp-from-json.ts';
import type { AssembledTrace } from '../../lib/codec/records.ts';
import type { Bucket } from '../../lib/s3/bucket.ts';
import { assembledTrace } from '../../lib/testkit/assembled-trace.ts';
import { queryParquet } from '../../lib/testkit/duckdb.ts';
import { EPOCH_MS } from '../../lib/testkit/otlp-builder.ts';
import {
  decodeReference,
  encodeReference,
  type ReferenceKeyValue,
  type ReferenceSpan,
} from '../../lib/testkit/otlp-reference.ts';
import { archiveRange, openTestBucket } from '../../test/support/archived-bucket.ts';
import { uniquePrefix } from '../../test/support/stack.ts';

const LARGE = 'x€'.repeat(262_144);
const text = (key: string, stringValue: string): ReferenceKeyValue => ({ key, value: { stringValue } });
const int = (key: string, intValue: string): ReferenceKeyValue => ({ key, value: { intValue } });

/** What a sender may put into attributes, by what it is a case of. */
const ATTRIBUTES: ReferenceKeyValue[] = [
  text('unicode', 'naïve 日本語 😀 \u0000 \u2028 " \\ \n'),
  text('schlüssel "😀"', 'v'),
  text('empty', ''),
  text('large', LARGE),
  int('max', '9223372036854775807'),
  int('min', '-9223372036854775808'),
  int('beyond', '9007199254740993'),
  { key: 'fraction', value: { doubleValue: -1.25e-7 } },
  { key: 'flag', value: { boolValue: false } },
  { key: 'null', value: {} },
  {
    key: 'nested',
    value: {
      arrayValue: {
        values: [
          { intValue: '9007199254740993' },
          { kvlistValue: { values: [text('k', 'é'), { key: 'none', value: {} }] } },
          { arrayValue: { values: [] } },
        ],
      },
    },
  },
  { key: 'map', value: { kvlistValue: { values: [] } } },
  ...Array.from({ length: 200 }, (_, n) => int(`key.${n}`, String(n))),
];

/** The first and the last moment that nanoseconds since 1970 have in 64 bits, and one of today. */
const STARTS_NS = [0n, BigInt(EPOCH_MS) * 1_000_000n, 9_223_372_036_854_775_000n];

function hardTrace(startNs: bigint): AssembledTrace {
  const span: ReferenceSpan = {
    traceId: new Uint8Array(16).fill(0xab),
    spanId: new Uint8Array(8).fill(1),
    name: 'GET /日本語',
    kind: 2,
    startTimeUnixNano: String(startNs),
    endTimeUnixNano: String(startNs + 7n),
    attributes: ATTRIBUTES,
    events: [{ timeUnixNano: String(startNs), name: '', attributes: [] }],
    status: { code: 2, message: 'ß' },
  };
  const resource = { attributes: [text('service.name', 'größe'), int('beyond', '9007199254740993')] };
  const bytes = encodeReference({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] });
  return assembledTrace(bytes, {
    startTime: Math.min(Number(startNs / 1000n), 9_007_199_254_740_990),
    startTimeUnixNano: startNs,
    durationNano: 7n,
    services: [{ service: 'größe', spanCount: 1, errorCount: 1 }],
  });
}

let bucket: Bucket;
let close: () => Promise<void>;

beforeAll(() => {
  ({ bucket, close } = openTestBucket());
});

afterAll(() => close());

describe.each(ARCHIVE_FORMATS)('what senders may send, archived as %s', (format) => {
  it.each(STARTS_NS)('comes back equal, begun at %s ns', async (startNs) => {
    const prefix = uniquePrefix(`values-${format}`);
    const trace = hardTrace(startNs);
    await archiveRange(bucket, prefix, 0, [trace], 0, format);
    const hourMs = hourOf(trace.startTime / 1000);
    const reader = openTraceReader(bucket, prefix, (problem) => expect(problem).toBeUndefined());
    const found = await reader.get(trace.traceId, { sinceMs: hourMs, untilMs: hourMs + HOUR_MS });
    const json = otlpFromJson(Buffer.from(JSON.stringify(rowsToOtlp(found?.spans ?? []))));
    expect(json.ok && spanOf(json.bytes)).toEqual(spanOf(trace.otlp));
    if (format === 'otlp') expect(found?.otlp?.equals(trace.otlp)).toBe(true);
  });
});

it.each(STARTS_NS)('is the same to DuckDB, begun at %s ns', async (startNs) => {
  const prefix = uniquePrefix('values-duckdb');
  const { objects } = await archiveRange(bucket, prefix, 0, [hardTrace(startNs)]);
  const [object] = objects.filter(({ dataset }) => dataset === 'spans');
  const [row] = await queryParquet(
    [(await bucket.get(object?.key as string)) as Uint8Array],
    `SELECT operation, service, status_message, start_ns, duration_ns, epoch_us(start_time) AS start_us,
            attributes->>'large' AS large, attributes->>'beyond' AS beyond, attributes->>'min' AS min,
            attributes->>'max' AS max, attributes->>'$.nested[0]' AS nested, attributes->>'$.nested[1].k' AS k,
            attributes->>'empty' AS empty, json_type(attributes, '$.null') AS nothing,
            len(json_keys(attributes))::INT AS keys, resource_attributes->>'beyond' AS resource, attributes
     FROM ?files`,
  );
  const { attributes, ...columns } = row ?? {};
  expect(columns).toEqual({
    operation: 'GET /日本語',
    service: 'größe',
    status_message: 'ß',
    start_ns: startNs,
    duration_ns: 7n,
    start_us: startNs / 1000n,
    large: LARGE,
    beyond: '9007199254740993',
    min: '-9223372036854775808',
    max: '9223372036854775807',
    nested: '9007199254740993',
    k: 'é',
    empty: '',
    nothing: 'NULL',
    keys: ATTRIBUTES.length,
    resource: '9007199254740993',
  });
  expect(JSON.parse(String(attributes))).toMatchObject({
    unicode: 'naïve 日本語 😀 \u0000 \u2028 " \\ \n',
    'schlüssel "😀"': 'v',
    map: {},
  });
});

/** The only span, its attributes in the order of their names. */
function spanOf(bytes: Uint8Array): unknown {
  const [group] = decodeReference(bytes).resourceSpans ?? [];
  const span = group?.scopeSpans?.[0]?.spans?.[0];
  const sorted = (list: ReferenceKeyValue[] = []) => list.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return { ...span, attributes: sorted(span?.attributes), resource: sorted(group?.resource?.attributes) };
}
