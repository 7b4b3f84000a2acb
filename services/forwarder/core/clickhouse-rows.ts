import { type OtlpJson, otlpToJson } from '../../../lib/codec/otlp-json.ts';
import { listOf, textOfValue } from './any-value.ts';
import type { Batch } from './batch.ts';

/**
 * One span as a row of examples/clickhouse-traces.sql: the columns of OpenTelemetry's ClickHouse exporter, and its words
 * for kinds and codes. Times are seconds since 1970 with nine decimals, which no time zone of the server changes.
 */
export interface ClickHouseRow {
  Timestamp: string;
  TraceId: string;
  SpanId: string;
  ParentSpanId: string;
  TraceState: string;
  SpanName: string;
  SpanKind: string;
  ServiceName: string;
  ResourceAttributes: Texts;
  ScopeName: string;
  ScopeVersion: string;
  SpanAttributes: Texts;
  /** Nanoseconds, in decimal digits: a double would not hold them all. */
  Duration: string;
  StatusCode: string;
  StatusMessage: string;
  'Events.Timestamp': string[];
  'Events.Name': string[];
  'Events.Attributes': Texts[];
  'Links.TraceId': string[];
  'Links.SpanId': string[];
  'Links.TraceState': string[];
  'Links.Attributes': Texts[];
}

type Texts = Record<string, string>;

/** A batch in ClickHouse's format JSONEachRow. @throws SpanloomError OTLP_DECODE. */
export function clickHouseJson(batch: Batch): Buffer {
  return Buffer.from(
    batch.flatMap(({ trace }) => clickHouseRows(trace.otlp).map((row) => `${JSON.stringify(row)}\n`)).join(''),
  );
}

/** @param otlp an encoded OTLP trace request. @throws SpanloomError OTLP_DECODE. */
export function clickHouseRows(otlp: Uint8Array): ClickHouseRow[] {
  return listOf(otlpToJson(otlp), 'resourceSpans').flatMap((group) => {
    const ResourceAttributes = textsOf(group['resource'] as OtlpJson | undefined);
    return listOf(group, 'scopeSpans').flatMap((scoped) => {
      const scope = scoped['scope'] as OtlpJson | undefined;
      const common = {
        ServiceName: ResourceAttributes['service.name'] ?? '',
        ResourceAttributes,
        ScopeName: textOf(scope, 'name'),
        ScopeVersion: textOf(scope, 'version'),
      };
      return listOf(scoped, 'spans').map((span) => rowOf(span, common));
    });
  });
}

type Common = Pick<ClickHouseRow, 'ServiceName' | 'ResourceAttributes' | 'ScopeName' | 'ScopeVersion'>;

function rowOf(span: OtlpJson, common: Common): ClickHouseRow {
  const startNanos = nanosOf(span, 'startTimeUnixNano');
  const endNanos = nanosOf(span, 'endTimeUnixNano');
  const status = span['status'] as OtlpJson | undefined;
  const events = listOf(span, 'events');
  const links = listOf(span, 'links');
  return {
    ...common,
    Timestamp: secondsOf(startNanos),
    TraceId: textOf(span, 'traceId'),
    SpanId: textOf(span, 'spanId'),
    ParentSpanId: textOf(span, 'parentSpanId'),
    TraceState: textOf(span, 'traceState'),
    SpanName: textOf(span, 'name'),
    SpanKind: KINDS[Number(span['kind'] ?? 0)] ?? 'Unspecified',
    SpanAttributes: textsOf(span),
    Duration: String(endNanos > startNanos ? endNanos - startNanos : 0n),
    StatusCode: CODES[Number(status?.['code'] ?? 0)] ?? 'Unset',
    StatusMessage: textOf(status, 'message'),
    'Events.Timestamp': events.map((event) => secondsOf(nanosOf(event, 'timeUnixNano'))),
    'Events.Name': events.map((event) => textOf(event, 'name')),
    'Events.Attributes': events.map(textsOf),
    'Links.TraceId': links.map((link) => textOf(link, 'traceId')),
    'Links.SpanId': links.map((link) => textOf(link, 'spanId')),
    'Links.TraceState': links.map((link) => textOf(link, 'traceState')),
    'Links.Attributes': links.map(textsOf),
  };
}

/** The attributes of a message as text; the last one of a key counts. */
function textsOf(message: OtlpJson | undefined): Texts {
  const texts: Texts = {};
  for (const { key, value } of listOf(message, 'attributes')) {
    // A plain assignment would not make this key one of the object's own.
    if (key !== '__proto__') texts[String(key ?? '')] = textOfValue(value as OtlpJson);
  }
  return texts;
}

function textOf(message: OtlpJson | undefined, field: string): string {
  return String(message?.[field] ?? '');
}

function nanosOf(message: OtlpJson, field: string): bigint {
  return BigInt(String(message[field] ?? 0));
}

/** Ten digits before the point, by which ClickHouse knows seconds since 1970; what a DateTime64(9) cannot hold is its last. */
function secondsOf(nanos: bigint): string {
  const digits = String(nanos < DATE_TIME_MAX ? nanos : DATE_TIME_MAX).padStart(19, '0');
  return `${digits.slice(0, 10)}.${digits.slice(10)}`;
}

const KINDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'];
const CODES = ['Unset', 'Ok', 'Error'];
/** In the year 2262. */
const DATE_TIME_MAX = 2n ** 63n - 1n;
