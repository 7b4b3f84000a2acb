import { describe, expect, it } from '@jest/globals';
import { DECODERS } from '../../../lib/codec/ingest/decoders.ts';
import { encodeReference } from '../../../lib/testkit/otlp-reference.ts';
import { SpanTable } from '../../../lib/trace/span-table.ts';
import { decodeRecord, type Encoding, RECORD_BYTES_MAX } from './decode.ts';

const table = new SpanTable();
const span = { traceId: new Uint8Array(16).fill(1), spanId: new Uint8Array(8).fill(2) };
const REQUEST = encodeReference({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
const JSON_REQUEST = JSON.stringify({
  resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: '01'.repeat(16), spanId: '02'.repeat(8) }] }] }],
});

function decode(value: Buffer | string | null, encoding: Encoding = 'auto') {
  return decodeRecord(typeof value === 'string' ? Buffer.from(value) : value, encoding, table, DECODERS);
}

describe('decodeRecord', () => {
  it('takes protobuf as it is', () => {
    expect(decode(REQUEST)).toEqual({ ok: true, bytes: REQUEST, encoding: 'otlp_proto' });
    expect(table.count).toBe(1);
  });

  it.each([
    ['as it is', JSON_REQUEST],
    ['after a byte order mark', `\ufeff${JSON_REQUEST}`],
    ['after white space', ` \t\r\n${JSON_REQUEST}`],
    ['after a line feed, which is also a protobuf tag', `\n${JSON_REQUEST}`],
    ['after two line feeds', `\n\n${JSON_REQUEST}\n`],
  ])('recognises JSON %s', (_, text) => {
    expect(decode(text)).toEqual({ ok: true, bytes: REQUEST, encoding: 'otlp_json' });
    expect(table.count).toBe(1);
  });

  it('takes protobuf for protobuf when its second byte is an opening brace', () => {
    // A ResourceSpans of 123 bytes: 0x0a 0x7b, which as text is a line feed and a brace.
    const name = 'n'.repeat(123 - (REQUEST.length - 2) - 2);
    const bytes = encodeReference({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, name }] }] }] });
    expect(bytes.subarray(0, 2)).toEqual(Buffer.from([0x0a, 0x7b]));
    expect(decode(bytes)).toEqual({ ok: true, bytes, encoding: 'otlp_proto' });
  });

  it.each<[string, Buffer | string | null, Encoding, string]>([
    ['a tombstone', null, 'auto', 'empty_request'],
    ['an empty value', '', 'auto', 'empty_request'],
    ['an empty value of a JSON topic', '', 'otlp_json', 'empty_request'],
    ['an empty JSON request', '{}', 'auto', 'empty_request'],
    ['a JSON request without spans', '{"resourceSpans":[{"scopeSpans":[{"spans":[]}]}]}', 'auto', 'empty_request'],
    ['a resource without spans', encodeReference({ resourceSpans: [{ scopeSpans: [{}] }] }), 'auto', 'empty_request'],
    ['cut protobuf', REQUEST.subarray(0, 20), 'auto', 'truncated'],
    ['text', 'hello world, this is a log line', 'auto', 'invalid_wire'],
    ['zeros', Buffer.alloc(100), 'auto', 'invalid_avro'],
    ['another protobuf message', Buffer.from('120474657374', 'hex'), 'auto', 'not_otlp'],
    ['cut JSON', JSON_REQUEST.slice(0, 40), 'auto', 'invalid_json'],
    ['a JSON array of something else', '[7]', 'auto', 'invalid_json'],
    ['Thrift of another service', Buffer.from('0c00000007080001', 'hex'), 'auto', 'invalid_thrift'],
    ['a JSON object of another kind', '{"level":"info","message":"x"}', 'auto', 'empty_request'],
    ['protobuf on a JSON topic', REQUEST, 'otlp_json', 'invalid_json'],
    ['JSON on a protobuf topic', JSON_REQUEST, 'otlp_proto', 'invalid_wire'],
    ['too large a record', Buffer.alloc(RECORD_BYTES_MAX + 1), 'auto', 'record_too_large'],
  ])('refuses %s', (_, value, encoding, reason) => {
    const decoded = decode(value, encoding);
    expect(decoded).toMatchObject({ ok: false, reason });
    expect(!decoded.ok && decoded.detail).toMatch(/^[A-Z].*\.$/);
  });
});
