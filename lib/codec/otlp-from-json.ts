import { WireWriter } from '../trace/wire-writer.ts';
import { type Converted, converting, Unreadable } from './ingest/converted.ts';
import { isObject, type JsonObject } from './ingest/json-value.ts';
import { parseJson, SpanList } from './ingest/parse-json.ts';
import { type Field, messageNamed, ROOT_MESSAGE, type ScalarType } from './otlp-descriptor.ts';

/**
 * OTLP/JSON text as the same request in protobuf.
 *
 * As the OTLP specification has it: ids are hex, 64-bit numbers decimal strings (plain numbers are taken exactly, too),
 * enums numbers or names, `bytesValue` base64, unknown fields ignored; protobuf's own field names are also accepted. An
 * id that is not hex is written with a wrong length, so that it costs its span and not the whole request.
 *
 * @param text UTF-8, with or without a byte order mark.
 */
export function otlpFromJson(text: Buffer): Converted {
  return converting(() => requestFrom(parseJson(text), text.length));
}

function requestFrom(json: unknown, expectedBytes: number): Buffer {
  if (!isObject(json)) throw new Unreadable('The JSON is not an object, so it is not an OTLP request');
  const out = new WireWriter(expectedBytes);
  const path: (string | number)[] = [];
  try {
    writeMessage(ROOT_MESSAGE, json, out, path);
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new Unreadable(`${pathText(path)} ${error.message}`);
  }
  return out.toBuffer();
}

/** A value does not fit its field; the path names which. */
class Mismatch extends Error {}

function writeMessage(name: string, json: JsonObject, out: WireWriter, path: (string | number)[]): void {
  if (path.length > PATH_LENGTH_MAX) throw new Mismatch('is nested too deeply');
  for (const field of messageNamed(name)) {
    const value = json[field.name] ?? json[field.protoName];
    if (value === undefined || value === null) continue;
    path.push(field.name);
    if (!field.repeated) writeField(field, value, out, path);
    else {
      if (!Array.isArray(value) && !(value instanceof SpanList)) throw new Mismatch('is not an array');
      let i = 0;
      for (const item of value) {
        path.push(i++);
        writeField(field, item, out, path);
        path.pop();
      }
    }
    path.pop();
  }
}

function writeField(field: Field, value: unknown, out: WireWriter, path: (string | number)[]): void {
  const { type, number } = field;
  if (typeof type === 'string') writeScalar(type, number, value, field.oneof || field.repeated, out);
  else if ('enum' in type) {
    const code = typeof value === 'string' ? type.enum.indexOf(value) : value;
    if (typeof code !== 'number' || !Number.isInteger(code) || code < 0 || code > INT32_MAX) {
      throw new Mismatch('is not a known name or number');
    }
    if (code !== 0) {
      out.varint(number * 8 + WIRE_VARINT);
      out.varint(code);
    }
  } else {
    if (!isObject(value)) throw new Mismatch('is not an object');
    const mark = out.begin(number * 8 + WIRE_LENGTH, EXPECTED_LENGTHS[type.message] ?? 1);
    writeMessage(type.message, value, out, path);
    out.end(mark);
  }
}

/** @param explicit the default value is written, too. */
function writeScalar(type: ScalarType, number: number, value: unknown, explicit: boolean, out: WireWriter): void {
  switch (type) {
    case 'string':
      if (typeof value !== 'string') throw new Mismatch('is not a string');
      if (explicit || value !== '') out.textField(number * 8 + WIRE_LENGTH, value);
      return;
    case 'id':
    case 'bytes': {
      if (typeof value !== 'string') throw new Mismatch('is not a string');
      const bytes = type === 'id' ? idFromHex(value) : bytesFromBase64(value);
      if (explicit || bytes.length > 0) out.bytesField(number * 8 + WIRE_LENGTH, bytes);
      return;
    }
    case 'bool':
      if (typeof value !== 'boolean') throw new Mismatch('is neither true nor false');
      if (explicit || value) {
        out.varint(number * 8 + WIRE_VARINT);
        out.varint(value ? 1 : 0);
      }
      return;
    case 'int64': {
      const exact = integer(value, INT64_MIN, INT64_MAX);
      if (explicit || exact !== 0n) {
        out.varint(number * 8 + WIRE_VARINT);
        out.varint64(exact);
      }
      return;
    }
    case 'uint32':
    case 'fixed32': {
      const exact = Number(integer(value, 0n, UINT32_MAX));
      if (!explicit && exact === 0) return;
      out.varint(number * 8 + (type === 'uint32' ? WIRE_VARINT : WIRE_FIXED32));
      if (type === 'uint32') out.varint(exact);
      else out.fixed32(exact);
      return;
    }
    case 'fixed64': {
      const exact = integer(value, 0n, UINT64_MAX);
      if (!explicit && exact === 0n) return;
      out.varint(number * 8 + WIRE_FIXED64);
      out.fixed64(exact);
      return;
    }
    case 'double':
      out.varint(number * 8 + WIRE_FIXED64);
      out.double(double(value));
      return;
  }
}

function idFromHex(text: string): Buffer {
  return text.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(text) ? Buffer.from(text, 'hex') : NOT_AN_ID;
}

/** Standard or URL alphabet, with or without padding, as protobuf's JSON mapping allows. */
function bytesFromBase64(text: string): Buffer {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw new Mismatch('is not base64');
  return Buffer.from(text, 'base64');
}

function integer(value: unknown, min: bigint, max: bigint): bigint {
  const isInteger =
    typeof value === 'number' ? Number.isInteger(value) : typeof value === 'string' && /^-?\d{1,20}$/.test(value);
  if (!isInteger) throw new Mismatch('is not a whole number');
  const exact = BigInt(value as string | number);
  if (exact < min || exact > max) throw new Mismatch('is out of range');
  return exact;
}

function double(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value === 'NaN') return Number.NaN;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (Number.isNaN(number)) throw new Mismatch('is not a number');
  return number;
}

function pathText(path: readonly (string | number)[]): string {
  let text = '';
  for (const step of path.slice(0, PATH_STEPS_SHOWN)) text += typeof step === 'number' ? `[${step}]` : `.${step}`;
  return `${text.slice(1)}${path.length > PATH_STEPS_SHOWN ? '…' : ''}`;
}

const NOT_AN_ID = Buffer.from([0]);
const PATH_LENGTH_MAX = 200;
const PATH_STEPS_SHOWN = 16;
const INT32_MAX = 0x7fffffff;
const UINT32_MAX = 0xffffffffn;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;
const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_LENGTH = 2;
const WIRE_FIXED32 = 5;
/** So that the bodies of large messages need not be moved once their length is known. */
const EXPECTED_LENGTHS: Readonly<Record<string, number>> = {
  ResourceSpans: 16_384,
  ScopeSpans: 16_384,
  InstrumentationLibrarySpans: 16_384,
  Span: 256,
  Resource: 256,
};
