import { describe, expect, it } from '@jest/globals';
import { convert } from '../../testkit/formats/convert.ts';
import { type AvroSpan, avroSpanCodec, otlpFromAvroSpan } from './avro-span.ts';

const SPAN: AvroSpan = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentSpanId: null,
  traceState: 'a=b',
  name: 'op',
  kind: 'producer',
  startTimeUnixNano: 1_700_000_000_123_456_789n,
  endTimeUnixNano: 1_700_000_000_123_456_790n,
  service: 'web',
  resource: { zone: 'a' },
  scope: 'http',
  attributes: { s: 't', b: false, i: 2n ** 62n, d: 0.5, n: null, list: ['x', 'y'], bytes: Buffer.from([7]) },
  events: [{ timeUnixNano: 5n, name: 'e', attributes: { k: 'v' } }],
  links: [{ traceId: '1', spanId: '2', attributes: {} }],
  status: 'error',
  statusMessage: 'why',
};

describe('a span of ours in Avro', () => {
  it('keeps every field', () => {
    const [span] = convert(otlpFromAvroSpan, avroSpanCodec.encode(SPAN));
    expect(span).toMatchObject({
      name: 'op',
      kind: 4,
      traceState: 'a=b',
      startTimeUnixNano: '1700000000123456789',
      endTimeUnixNano: '1700000000123456790',
      resource: { 'service.name': 'web', zone: 'a' },
      scope: { name: 'http' },
      attributes: { s: 't', b: false, i: '4611686018427387904', d: 0.5, n: '' },
      events: [{ name: 'e', attributes: { k: 'v' } }],
      status: { code: 2, message: 'why' },
    });
    expect(span?.links).toHaveLength(1);
  });

  const good = avroSpanCodec.encode({ ...SPAN, attributes: {}, events: [], links: [] });
  it.each<[string, Buffer, RegExp]>([
    ['a frame of another schema', Buffer.from('00000003e900', 'hex'), /Schema id 1001/],
    ['half a record', good.subarray(0, 40), /ends beyond the record/],
    ['a record with a tail', Buffer.concat([good, Buffer.from([0])]), /followed by other bytes/],
    // Eight bytes that promise 2^40 events; a reader that believes it fills its memory.
    ['a bomb', Buffer.concat([good.subarray(0, good.length - 8), Buffer.from('808080808080800100', 'hex')]), /Avro/],
  ])('refuses %s', (_, record, message) => {
    expect(() => convert(otlpFromAvroSpan, record)).toThrow(message);
  });
});
