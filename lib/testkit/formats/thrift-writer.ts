/**
 * Thrift's binary protocol for tests, from values that say their type:
 * `struct({ 1: i64(5n), 2: text('a'), 3: list([struct({…})]) })`.
 */
export interface ThriftValue {
  readonly type: number;
  readonly bytes: Buffer;
}

export function struct(fields: Readonly<Record<number, ThriftValue | undefined>>): ThriftValue {
  const parts: Buffer[] = [];
  for (const [id, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const head = Buffer.alloc(3);
    head[0] = value.type;
    head.writeInt16BE(Number(id), 1);
    parts.push(head, value.bytes);
  }
  return { type: 12, bytes: Buffer.concat([...parts, Buffer.from([0])]) };
}

/** @param items all of one type. */
export function list(items: readonly ThriftValue[]): ThriftValue {
  const head = Buffer.alloc(5);
  head[0] = items[0]?.type ?? 12;
  head.writeInt32BE(items.length, 1);
  return { type: 15, bytes: Buffer.concat([head, ...items.map(({ bytes }) => bytes)]) };
}

export function i64(value: bigint): ThriftValue {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, value));
  return { type: 10, bytes };
}

export function i32(value: number): ThriftValue {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return { type: 8, bytes };
}

export function i16(value: number): ThriftValue {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value & 0xffff);
  return { type: 6, bytes };
}

export function bool(value: boolean): ThriftValue {
  return { type: 2, bytes: Buffer.from([value ? 1 : 0]) };
}

export function double(value: number): ThriftValue {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return { type: 4, bytes };
}

export function text(value: string | Buffer): ThriftValue {
  const body = Buffer.from(value as string);
  const head = Buffer.alloc(4);
  head.writeInt32BE(body.length);
  return { type: 11, bytes: Buffer.concat([head, body]) };
}
