import { WireError, type WireReader } from '../../trace/wire-reader.ts';
import { Unreadable } from './converted.ts';
import type { Attribute } from './otlp-request-writer.ts';

/** Runs a reader of protobuf in a format of its own. @throws Unreadable for bytes that are not protobuf. */
export function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new Unreadable(`The bytes are not protobuf: ${error.message}`);
  }
}

/** An entry of a map of texts. */
export function mapEntry(reader: WireReader): Attribute {
  let key = '';
  let value = '';
  while (reader.next()) {
    if (reader.tag === TAG.key) key = reader.text();
    else if (reader.tag === TAG.value) value = reader.text();
  }
  return [key, value];
}

/** A google.protobuf.Timestamp or Duration in nanoseconds. */
export function nanosOf(reader: WireReader): bigint {
  let nanos = 0n;
  while (reader.next()) {
    if (reader.tag === TAG.seconds) nanos += BigInt.asIntN(64, reader.bigVarint()) * 1_000_000_000n;
    else if (reader.tag === TAG.nanos) nanos += BigInt.asIntN(64, reader.bigVarint());
  }
  return nanos;
}

/** `field number × 8 + wire type`. */
const TAG = {
  key: 0x0a,
  value: 0x12,
  seconds: 0x08,
  nanos: 0x10,
} as const;
