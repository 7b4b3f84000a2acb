import { SpanloomError } from '../errors/spanloom-error.ts';
import { WireError, WireReader } from '../trace/wire-reader.ts';
import { type Field, messageNamed, ROOT_MESSAGE, type ScalarType } from './otlp-descriptor.ts';

export type OtlpJson = { [field: string]: OtlpJsonValue };
export type OtlpJsonValue = string | number | boolean | OtlpJson | OtlpJsonValue[];

/**
 * An encoded OTLP trace request as OTLP/JSON: ids in hex, 64-bit numbers as decimal strings, enums as numbers, bytes in
 * base64, unknown fields left out. Several requests one after another are one request, as for every protobuf decoder.
 *
 * For people and tools, not for the path between the workers: this decodes everything into objects.
 *
 * @throws SpanloomError OTLP_DECODE when the bytes are not protobuf or are nested too deeply.
 */
export function otlpToJson(bytes: Uint8Array): OtlpJson {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return readMessage(ROOT_MESSAGE, new WireReader(buffer), {}, 0);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new SpanloomError('OTLP_DECODE', `${buffer.length} bytes cannot be decoded as an OTLP trace request`, {
      cause,
    });
  }
}

/** @param into the fields read so far: a message field that comes twice is merged. */
function readMessage(name: string, reader: WireReader, into: OtlpJson, depth: number): OtlpJson {
  if (depth > DEPTH_MAX) throw new WireError('messages are nested too deeply');
  const fields = fieldsByTag(name);
  while (reader.next()) {
    const field = fields.get(reader.tag);
    if (field === undefined) continue;
    if (field.repeated) {
      const list = into[field.name] as OtlpJsonValue[] | undefined;
      const item = readField(field, reader, {}, depth);
      if (list === undefined) into[field.name] = [item];
      else list.push(item);
      continue;
    }
    const before = into[field.name];
    if (field.oneof && before === undefined) for (const other of Object.keys(into)) delete into[other];
    into[field.name] = readField(field, reader, isMessage(before) ? before : {}, depth);
  }
  return into;
}

function readField(field: Field, reader: WireReader, into: OtlpJson, depth: number): OtlpJsonValue {
  const { type } = field;
  if (typeof type === 'string') return readScalar(type, reader);
  if ('enum' in type) return Number(BigInt.asIntN(32, reader.bigVarint()));
  return readMessage(type.message, reader.message(), into, depth + 1);
}

function readScalar(type: ScalarType, reader: WireReader): OtlpJsonValue {
  switch (type) {
    case 'string':
      return reader.text();
    case 'id':
      return reader.bytes.toString('hex', reader.bodyStart, reader.bodyEnd);
    case 'bytes':
      return reader.bytes.toString('base64', reader.bodyStart, reader.bodyEnd);
    case 'bool':
      return reader.bigVarint() !== 0n;
    case 'int64':
      return BigInt.asIntN(64, reader.bigVarint()).toString();
    case 'uint32':
      return Number(BigInt.asUintN(32, reader.bigVarint()));
    case 'fixed32':
      return reader.fixed32();
    case 'fixed64':
      return reader.fixed64().toString();
    case 'double': {
      const value = reader.double();
      return Number.isFinite(value) ? value : String(value);
    }
  }
}

function isMessage(value: OtlpJsonValue | undefined): value is OtlpJson {
  return typeof value === 'object' && !Array.isArray(value);
}

/** Fields of a message by tag: one of another wire type is an unknown field. */
function fieldsByTag(name: string): ReadonlyMap<number, Field> {
  let fields = BY_TAG.get(name);
  if (fields === undefined) {
    fields = new Map(messageNamed(name).map((field) => [field.number * 8 + wireType(field), field]));
    BY_TAG.set(name, fields);
  }
  return fields;
}

function wireType({ type }: Field): number {
  if (typeof type !== 'string') return 'enum' in type ? 0 : 2;
  if (type === 'fixed64' || type === 'double') return 1;
  if (type === 'fixed32') return 5;
  return type === 'bool' || type === 'int64' || type === 'uint32' ? 0 : 2;
}

const BY_TAG = new Map<string, ReadonlyMap<number, Field>>();
/** As protobuf's own decoders. */
const DEPTH_MAX = 100;
