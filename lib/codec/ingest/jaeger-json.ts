import { type Converted, converting, Unreadable } from './converted.ts';
import { spanIdFromHex, traceIdFromBytes, traceIdFromHex } from './ids.ts';
import { type JaegerLog, type JaegerProcess, type JaegerReference, writeJaegerSpan } from './jaeger-to-otlp.ts';
import { isList, jsonItems } from './json-items.ts';
import { integerAt, isObject, type JsonObject, listAt, objectAt, textAt } from './json-value.ts';
import { type Attribute, type AttributeValue, OtlpRequestWriter } from './otlp-request-writer.ts';
import { parseJson, SpanList } from './parse-json.ts';

/**
 * Jaeger's JSON as an OTLP request, in each of its forms: one span as protobuf's JSON mapping writes it (what Jaeger's
 * collector puts on Kafka: base64 ids, RFC 3339 times), one span or a list of spans as its storage and interface have them
 * (hex ids, microseconds), and a downloaded trace (`{"data":[{"spans","processes"}]}`).
 *
 * @param text UTF-8.
 */
export function otlpFromJaegerJson(text: Buffer): Converted {
  return converting(() => {
    const out = new OtlpRequestWriter(text.length);
    if (isList(text)) {
      writeSpans(out, jsonItems(text), {});
      return out.finish();
    }
    const json = parseJson(text);
    if (!isObject(json)) throw new Unreadable('The JSON is no Jaeger span');
    else if (json.data !== undefined) {
      for (const trace of listAt(json.data, 'data')) writeTrace(out, objectAt(trace, 'A trace of data'));
    } else if (json.spans !== undefined) writeTrace(out, json);
    else writeSpan(out, json, {}, 'The span');
    return out.finish();
  });
}

function writeTrace(out: OtlpRequestWriter, trace: JsonObject): void {
  const spans = trace.spans instanceof SpanList ? trace.spans : listAt(trace.spans, 'spans');
  writeSpans(out, spans, isObject(trace.processes) ? trace.processes : {});
}

function writeSpans(out: OtlpRequestWriter, spans: Iterable<unknown>, processes: JsonObject): void {
  let i = 0;
  for (const span of spans) {
    writeSpan(out, objectAt(span, `Span ${i}`), processes, `Span ${i}`);
    i++;
  }
}

function writeSpan(out: OtlpRequestWriter, json: JsonObject, processes: JsonObject, where: string): void {
  const process = json.process ?? (typeof json.processID === 'string' ? processes[json.processID] : undefined);
  const isProto = json.traceId !== undefined;
  const warnings = listAt(json.warnings, `${where}'s warnings`).map((warning) => textAt(warning, `${where}'s warning`));
  writeJaegerSpan(
    out,
    {
      traceId: traceIdAt(json, where),
      spanId: spanIdAt(json, where),
      parentSpanId: isProto ? undefined : optionalSpanId(json.parentSpanID, where),
      operationName: textAt(json.operationName, `${where}'s operationName`),
      references: listAt(json.references, `${where}'s references`).map((item) => referenceAt(item, where)),
      flags: Number(integerAt(json.flags, `${where}'s flags`) ?? 0n),
      startNanos: timeAt(json.startTime, `${where}'s startTime`),
      durationNanos: durationAt(json.duration, `${where}'s duration`),
      tags: fieldsAt(json.tags, `${where}'s tags`),
      logs: listAt(json.logs, `${where}'s logs`).map((item) => logAt(item, where)),
      process: processAt(process, where),
      warnings,
    },
    JSON.stringify(process ?? null),
  );
}

/** `traceId` is base64 in protobuf's mapping; `traceID` is hex. */
function traceIdAt(json: JsonObject, where: string): Buffer {
  if (json.traceId === undefined) return traceIdFromHex(textAt(json.traceID, `${where}'s traceID`));
  return traceIdFromBytes(base64At(json.traceId, `${where}'s traceId`));
}

function spanIdAt(json: JsonObject, where: string): Buffer {
  if (json.spanId === undefined) return spanIdFromHex(textAt(json.spanID, `${where}'s spanID`));
  return base64At(json.spanId, `${where}'s spanId`);
}

function optionalSpanId(value: unknown, where: string): Buffer | undefined {
  const text = textAt(value, `${where}'s parentSpanID`);
  return text === '' ? undefined : spanIdFromHex(text);
}

function base64At(value: unknown, where: string): Buffer {
  return Buffer.from(textAt(value, where), 'base64');
}

function referenceAt(value: unknown, where: string): JaegerReference {
  const json = objectAt(value, `${where}'s reference`);
  const type = textAt(json.refType, `${where}'s refType`) === 'FOLLOWS_FROM' ? 'follows_from' : 'child_of';
  return { type, traceId: traceIdAt(json, where), spanId: spanIdAt(json, where) };
}

function logAt(value: unknown, where: string): JaegerLog {
  const json = objectAt(value, `${where}'s log`);
  return {
    timeNanos: timeAt(json.timestamp, `${where}'s log's timestamp`),
    fields: fieldsAt(json.fields, `${where}'s log's fields`),
  };
}

function processAt(value: unknown, where: string): JaegerProcess {
  if (value === undefined || value === null) return { serviceName: '', tags: [] };
  const json = objectAt(value, `${where}'s process`);
  return {
    serviceName: textAt(json.serviceName, `${where}'s serviceName`),
    tags: fieldsAt(json.tags, `${where}'s process's tags`),
  };
}

function fieldsAt(value: unknown, where: string): Attribute[] {
  return listAt(value, where).map((item) => {
    const json = objectAt(item, where);
    const key = textAt(json.key, where);
    return [key, json.value === undefined ? protoValue(json, where) : typedValue(json.value, json.type, where)];
  });
}

/** The interface's form: `{key, type, value}`. */
function typedValue(value: unknown, type: unknown, where: string): AttributeValue {
  if (type === 'int64' || type === 'long') return integerAt(value, where) ?? 0n;
  if (type === 'bool' && (value === 'true' || value === 'false')) return value === 'true';
  if (type === 'float64' && typeof value === 'string') return Number(value);
  if (type === 'binary' && typeof value === 'string') return Buffer.from(value, 'base64');
  if (type === 'float64' && typeof value === 'number') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  throw new Unreadable(`${where} hold a value that is neither text nor number`);
}

/** Protobuf's form: `{key, vType, vStr | vBool | vInt64 | vFloat64 | vBinary}`; what is zero is left out. */
function protoValue(json: JsonObject, where: string): AttributeValue {
  switch (json.vType) {
    case 'BOOL':
    case 1:
      return json.vBool === true;
    case 'INT64':
    case 2:
      return integerAt(json.vInt64, where) ?? 0n;
    case 'FLOAT64':
    case 3:
      return Number(json.vFloat64 ?? 0);
    case 'BINARY':
    case 4:
      return base64At(json.vBinary, where);
    default:
      return textAt(json.vStr, where);
  }
}

/** Microseconds, or an RFC 3339 time with up to nine decimals. */
function timeAt(value: unknown, where: string): bigint {
  if (typeof value !== 'string' || /^-?\d+$/.test(value)) return (integerAt(value, where) ?? 0n) * NANOS_PER_MICRO;
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/i.exec(value);
  const millis = parts === null ? Number.NaN : Date.parse(`${parts[1]}${parts[3]}`);
  if (parts === null || Number.isNaN(millis)) throw new Unreadable(`${where} is not a time`);
  return BigInt(millis) * 1_000_000n + BigInt((parts[2] ?? '').padEnd(9, '0'));
}

/** Microseconds, or seconds with up to nine decimals and an `s`. */
function durationAt(value: unknown, where: string): bigint {
  if (typeof value !== 'string' || /^-?\d+$/.test(value)) return (integerAt(value, where) ?? 0n) * NANOS_PER_MICRO;
  const parts = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(value);
  if (parts === null) throw new Unreadable(`${where} is not a duration`);
  const nanos = BigInt(parts[2] as string) * 1_000_000_000n + BigInt((parts[3] ?? '').padEnd(9, '0'));
  return parts[1] === '-' ? -nanos : nanos;
}

const NANOS_PER_MICRO = 1000n;
