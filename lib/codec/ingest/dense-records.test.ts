import { describe, expect, it } from '@jest/globals';
import { list, struct } from '../../testkit/formats/thrift-writer.ts';
import { DECODERS, type ForeignEncoding } from './decoders.ts';

/** Records of nothing but the smallest parts that a format has: each would take a hundred times its size in memory. */
const PARTS = 300_000;

function message(tag: number, body: Buffer): Buffer {
  const length: number[] = [];
  let rest = body.length;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([tag, ...length, rest]), body]);
}

const empty = (tag: number) => Buffer.alloc(PARTS * 2, Buffer.from([tag, 0]));
const zipkinIds = Buffer.concat([message(0x0a, Buffer.alloc(16, 1)), message(0x1a, Buffer.alloc(8, 1))]);
const otherIds = Buffer.concat([message(0x0a, Buffer.alloc(16, 1)), message(0x12, Buffer.alloc(8, 1))]);
const emptyStructs = list(Array.from({ length: PARTS }, () => struct({}))).bytes;

const TOO_MANY = /^A span has more than 65536 attributes, events and links\.$/;
const TOO_LARGE = /^Its spans take more than 4 times as much as OTLP\.$/;

describe('a record of nothing but empty parts', () => {
  it.each<[string, ForeignEncoding, Buffer, RegExp]>([
    ['annotations', 'zipkin_proto', message(0x0a, Buffer.concat([zipkinIds, empty(0x52)])), TOO_MANY],
    ['tags', 'zipkin_proto', message(0x0a, Buffer.concat([zipkinIds, empty(0x5a)])), TOO_MANY],
    ['spans', 'zipkin_proto', empty(0x0a), TOO_LARGE],
    ['spans', 'zipkin_thrift', emptyStructs, TOO_LARGE],
    ['spans', 'zipkin_json', Buffer.from(`[${'{},'.repeat(PARTS)}{}]`), TOO_LARGE],
    [
      'annotations',
      'zipkin_json',
      Buffer.from(`[{"annotations":[${'{},'.repeat(PARTS)}{}]}]`),
      /more than 65536 values/,
    ],
    ['tags', 'jaeger_proto', Buffer.concat([otherIds, empty(0x42)]), TOO_MANY],
    ['references', 'jaeger_proto', Buffer.concat([otherIds, empty(0x22)]), TOO_MANY],
    ['fields', 'jaeger_proto', Buffer.concat([otherIds, message(0x4a, empty(0x12))]), TOO_MANY],
    ['traces', 'jaeger_json', Buffer.from(`{"data":[${'{},'.repeat(PARTS)}{}]}`), /too many for what they can say/],
    ['events', 'opencensus_proto', message(0x12, Buffer.concat([otherIds, message(0x4a, empty(0x0a))])), TOO_MANY],
    [
      'spans',
      'otlp_json',
      Buffer.from(`{"resourceSpans":[${'{},'.repeat(PARTS)}{}]}`),
      /too many for what they can say/,
    ],
  ])('%s of %s is refused', (_, encoding, record, why) => {
    expect(DECODERS[encoding](record)).toEqual({ ok: false, detail: expect.stringMatching(why) });
  });

  it('does not count the parts of one span for another', () => {
    const span = message(0x0a, Buffer.concat([zipkinIds, Buffer.alloc(20_000, Buffer.from([0x52, 0]))]));
    expect(DECODERS.zipkin_proto(Buffer.concat(Array.from({ length: 10 }, () => span)))).toMatchObject({ ok: true });
  });
});
