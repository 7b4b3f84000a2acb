/** For an id that cannot be one: of a wrong length, so that the router refuses its span and not the whole record. */
export const NOT_AN_ID = Buffer.from([0]);

/** Up to 32 hex digits as the 16 bytes of a trace id; shorter ones are padded on the left, as tracers with 64 bits mean it. */
export function traceIdFromHex(text: string): Buffer {
  return idFromHex(text, 32);
}

/** Up to 16 hex digits as the 8 bytes of a span id. */
export function spanIdFromHex(text: string): Buffer {
  return idFromHex(text, 16);
}

/** 8 bytes, or 16 as they are. */
export function traceIdFromBytes(bytes: Buffer): Buffer {
  return bytes.length === 8 ? Buffer.concat([Buffer.alloc(8), bytes]) : bytes;
}

/** Two signed 64-bit halves, as Thrift carries a trace id. */
export function traceIdFromHalves(high: bigint, low: bigint): Buffer {
  const id = Buffer.alloc(16);
  id.writeBigInt64BE(high, 0);
  id.writeBigInt64BE(low, 8);
  return id;
}

export function spanIdFromInt64(value: bigint): Buffer {
  const id = Buffer.alloc(8);
  id.writeBigInt64BE(value);
  return id;
}

function idFromHex(text: string, digits: number): Buffer {
  if (text.length === 0 || text.length > digits || !HEX.test(text)) return NOT_AN_ID;
  return Buffer.from(text.padStart(digits, '0'), 'hex');
}

const HEX = /^[0-9a-fA-F]+$/;
