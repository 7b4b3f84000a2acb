import type { OtlpJson, OtlpJsonValue } from '../codec/otlp-json.ts';
import type { ArchivedRow } from './parquet-rows.ts';
import { PROMOTED_OF_RESOURCES, PROMOTED_OF_SPANS, type Promoted } from './promoted.ts';

/**
 * Archived spans as one OTLP/JSON request. Two kinds of values come back as text: bytes as base64, and doubles that JSON
 * has no number for. Attributes come in another order, those with a column of their own first.
 */
export function rowsToOtlp(rows: readonly ArchivedRow[]): OtlpJson {
  const groups = new Map<string, ArchivedRow[]>();
  for (const row of rows) {
    const context = JSON.stringify(
      [...CONTEXT_COLUMNS, ...PROMOTED_OF_RESOURCES.map(({ column }) => column)].map((name) => row[name] ?? null),
    );
    groups.set(context, [...(groups.get(context) ?? []), row]);
  }
  return { resourceSpans: [...groups.values()].map(resourceSpans) };
}

function resourceSpans(rows: readonly ArchivedRow[]): OtlpJson {
  const first = rows[0] as ArchivedRow;
  const scope: OtlpJson = {};
  if (first['scope_name'] != null) scope['name'] = String(first['scope_name']);
  if (first['scope_version'] != null) scope['version'] = String(first['scope_version']);
  return {
    resource: { attributes: attributes(first, 'resource_attributes', PROMOTED_OF_RESOURCES) },
    scopeSpans: [{ scope, spans: rows.map(span) }],
  };
}

function span(row: ArchivedRow): OtlpJson {
  const start = BigInt(row['start_ns'] as bigint);
  const status: OtlpJson = { code: STATUS_CODES.indexOf(String(row['status_code'])) };
  if (row['status_message'] != null) status['message'] = String(row['status_message']);
  return {
    traceId: String(row['trace_id']),
    spanId: String(row['span_id']),
    ...(row['parent_span_id'] == null ? {} : { parentSpanId: String(row['parent_span_id']) }),
    name: String(row['operation']),
    kind: KINDS.indexOf(String(row['kind'])),
    startTimeUnixNano: BigInt.asUintN(64, start).toString(),
    endTimeUnixNano: BigInt.asUintN(64, start + BigInt(row['duration_ns'] as bigint)).toString(),
    attributes: attributes(row, 'attributes', PROMOTED_OF_SPANS),
    events: list(row['events']).map((event) => ({
      timeUnixNano: String(event['time_ns']),
      name: String(event['name']),
      attributes: keyValues(event['attributes']),
    })),
    links: list(row['links']).map((link) => ({
      traceId: String(link['trace_id']),
      spanId: String(link['span_id']),
      attributes: keyValues(link['attributes']),
    })),
    status,
  };
}

/** An older name, or another type than the column's, stands with the other attributes too: then it counts. */
function attributes(row: ArchivedRow, column: string, promoted: readonly Promoted[]): OtlpJson[] {
  const others = (parseExact(row[column]) ?? {}) as Record<string, unknown>;
  const own = promoted.flatMap(({ column: name, keys, type }) => {
    const value = row[name];
    if (value == null || keys.some((key) => Object.hasOwn(others, key))) return [];
    const any: OtlpJson = type === 'int32' ? { intValue: String(value) } : { stringValue: String(value) };
    return [{ key: keys[0] as string, value: any }];
  });
  return [...own, ...keyValues(others)];
}

function list(json: unknown): Record<string, unknown>[] {
  return (parseExact(json) ?? []) as Record<string, unknown>[];
}

/** JSON whose whole numbers beyond 2^53 become bigint, and whose numbers with a fraction or an exponent a Double. */
function parseExact(json: unknown): unknown {
  if (json == null) return undefined;
  // Columns of JSON come as text from one reader and parsed from the other.
  if (typeof json !== 'string') return json;
  const revive = (_key: string, value: unknown, context?: { source?: string }) => {
    if (typeof value !== 'number') return value;
    const source = context?.source ?? '';
    if (/[.eE]/.test(source)) return new Double(value);
    return Number.isSafeInteger(value) ? value : BigInt(source);
  };
  return JSON.parse(json, revive as (key: string, value: unknown) => unknown);
}

class Double {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

function keyValues(object: unknown): OtlpJson[] {
  return Object.entries((object ?? {}) as Record<string, unknown>).map(([key, value]) => ({
    key,
    value: anyValue(value),
  }));
}

function anyValue(value: unknown): OtlpJson {
  if (value === null || value === undefined) return {};
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'bigint') return { intValue: value.toString() };
  if (typeof value === 'number') return { intValue: String(value) };
  if (value instanceof Double) return { doubleValue: value.value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) as OtlpJsonValue[] } };
  return { kvlistValue: { values: keyValues(value) } };
}

const CONTEXT_COLUMNS = ['service', 'resource_attributes', 'scope_name', 'scope_version'];
const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const STATUS_CODES = ['unset', 'ok', 'error'];
