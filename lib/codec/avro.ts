import { readFileSync } from 'node:fs';
import avro from 'avsc';
import { SpanloomError } from '../errors/spanloom-error.ts';
import { exactNanosLong } from './exact-nanos.ts';

/**
 * Encodes and decodes one record type with Confluent framing: a zero byte, the schema's id as uint32 big-endian, then
 * the Avro body. Schemas are the files of schemas/, ids those of schemas/ids.json unless a registry gave others.
 */
export interface AvroCodec<T> {
  readonly name: string;
  readonly schemaId: number;
  readonly schema: object;
  /** @throws SpanloomError AVRO_ENCODE naming the field that does not fit. */
  encode(value: T): Buffer;
  /** @throws SpanloomError AVRO_DECODE when the frame, the id or the body is not this type's. */
  decode(framed: Uint8Array): T;
}

/**
 * @param fileName name in schemas/ without the ending, e.g. `assembled-trace`.
 * @param options.bytesAsViews decoded bytes are views into the record instead of copies: they live as long as it does.
 */
export function avroCodec<T>(fileName: string, options: { bytesAsViews?: boolean } = {}): AvroCodec<T> {
  const schema = JSON.parse(readFileSync(new URL(`${fileName}.avsc`, SCHEMAS), 'utf8')) as { name: string };
  const schemaId = SCHEMA_IDS[schema.name];
  if (schemaId === undefined) throw new Error(`schemas/ids.json has no id for ${schema.name}`);
  const type = avro.Type.forSchema(schema as avro.Schema, {
    typeHook: (found: unknown) => {
      if (found === 'bytes' && options.bytesAsViews) return new BytesView();
      return exactNanosHook(found);
    },
  });
  return {
    name: schema.name,
    schemaId,
    schema,
    encode: (value) => encodeFramed(type, schema.name, schemaId, value),
    decode: (framed) => decodeFramed(type, schema.name, schemaId, framed) as T,
  };
}

/** Whether bytes have a Confluent frame with a schema id that this version does not know: a later version's, or somebody else's. */
export function isOfUnknownSchema(framed: Uint8Array): boolean {
  if (framed.length < FRAME_BYTES || framed[0] !== 0) return false;
  const id = Buffer.from(framed.buffer, framed.byteOffset, framed.byteLength).readUInt32BE(1);
  return !Object.values(SCHEMA_IDS).includes(id);
}

const SCHEMAS = new URL('../../schemas/', import.meta.url);
const SCHEMA_IDS = JSON.parse(readFileSync(new URL('ids.json', SCHEMAS), 'utf8')) as Record<string, number>;
const FRAME_BYTES = 5;
const POOL_BYTES_AT_FIRST = 64 * 1024;

/** `type.toBuffer` writes a large value twice; one growing buffer and a copy of what was used is a third of the cost. */
let pool = Buffer.allocUnsafeSlow(POOL_BYTES_AT_FIRST);

function encodeFramed(type: avro.Type, name: string, schemaId: number, value: unknown): Buffer {
  try {
    let end = type.encode(value, pool, FRAME_BYTES);
    while (end < 0) {
      // A negative answer is the number of bytes that did not fit.
      pool = Buffer.allocUnsafeSlow(Math.max(pool.length * 2, pool.length - end));
      end = type.encode(value, pool, FRAME_BYTES);
    }
    const framed = Buffer.from(pool.subarray(0, end));
    framed[0] = 0;
    framed.writeUInt32BE(schemaId, 1);
    return framed;
  } catch (cause) {
    throw new SpanloomError('AVRO_ENCODE', `A ${name} does not fit its schema${fieldAtFault(type, value)}`, { cause });
  }
}

function fieldAtFault(type: avro.Type, value: unknown): string {
  let path = '';
  type.isValid(value, {
    errorHook: (where) => {
      path ||= `: field ${where.join('.')} has a wrong type`;
    },
  });
  return path;
}

function decodeFramed(type: avro.Type, name: string, schemaId: number, framed: Uint8Array): unknown {
  const buffer = Buffer.isBuffer(framed) ? framed : Buffer.from(framed.buffer, framed.byteOffset, framed.byteLength);
  if (buffer.length < FRAME_BYTES || buffer[0] !== 0) {
    throw new SpanloomError(
      'AVRO_DECODE',
      `A record of ${buffer.length} bytes has no Confluent frame (${name} expected)`,
    );
  }
  const id = buffer.readUInt32BE(1);
  if (id !== schemaId) {
    throw new SpanloomError('AVRO_DECODE', `Schema id ${id} is not ${name} (${schemaId})`);
  }
  try {
    const { value, offset } = type.decode(buffer, FRAME_BYTES);
    if (offset !== buffer.length) throw new Error(`body is ${offset < 0 ? 'cut short' : 'followed by other bytes'}`);
    return value;
  } catch (cause) {
    throw new SpanloomError('AVRO_DECODE', `A ${name} cannot be decoded`, { cause });
  }
}

class BytesView extends avro.types.BytesType {
  _read(tap: { buf: Buffer; pos: number; readLong(): number }): Buffer | undefined {
    const length = tap.readLong();
    const start = tap.pos;
    tap.pos += length;
    // avsc sees that a value was cut short by the position.
    return tap.pos > tap.buf.length ? undefined : tap.buf.subarray(start, tap.pos);
  }
}

/** Longs marked `"exactNanos": true` are bigint in code: nanoseconds since 1970 exceed 2^53. */
function exactNanosHook(schema: unknown): avro.Type | undefined {
  const marked = schema as { type?: unknown; exactNanos?: unknown } | null;
  return marked !== null && typeof marked === 'object' && marked.exactNanos === true ? exactNanosLong : undefined;
}
