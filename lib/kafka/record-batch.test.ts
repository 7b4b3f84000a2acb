import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { crc32c } from './crc32c.ts';
import { readBatches, recordBytesOf, writeBatch } from './record-batch.ts';
import type { LogRecord, OutRecord } from './types.ts';

const BY_KAFKA = JSON.parse(
  readFileSync(new URL('testdata/kafka-record-batches.json', import.meta.url), 'utf8'),
) as Record<string, string>;
const SPANS = Array.from({ length: 40 }, (_, i) => `span ${(i * 7919) % 1000} of service checkout; `).join('');

const options = { fromOffset: 0, aborted: [], batchBytesMax: 1 << 20, bytesMax: 1 << 24 };
const producer = {
  producerId: 7n,
  producerEpoch: 2,
  baseSequence: 0,
  timestampMs: 1_700_000_000_123,
  compression: 'zstd',
} as const;

describe('readBatches', () => {
  it.each(Object.keys(BY_KAFKA))('reads what Kafka wrote with codec %s', (codec) => {
    const read = readBatches(Buffer.from(BY_KAFKA[codec] ?? '', 'base64'), options);
    expect(read.undecodable).toBeUndefined();
    expect(read.nextOffset).toBe(1_004);
    expect(read.records.map(legible)).toEqual([
      { offset: 1_000, timestampMs: 1_700_000_000_000, key: null, value: 'plain', headers: [] },
      {
        offset: 1_001,
        timestampMs: 1_700_000_000_005,
        key: 'key',
        value: SPANS,
        headers: ['__proto__=p', 'twice=first'],
      },
      { offset: 1_002, timestampMs: 1_700_000_000_001, key: 'tomb', value: null, headers: [] },
      { offset: 1_003, timestampMs: 1_700_000_000_009, key: '', value: 'z'.repeat(3_000), headers: [] },
    ]);
  });

  it('leaves out records below the offset asked for, which the first batch may hold', () => {
    const read = readBatches(Buffer.from(BY_KAFKA['lz4'] ?? '', 'base64'), { ...options, fromOffset: 1_002 });
    expect(read.records.map(({ offset }) => offset)).toEqual([1_002, 1_003]);
  });

  it('takes the append time of the broker for every record when the topic says so', () => {
    const bytes = batchAt(5, [record('a'), record('b')]);
    bytes.writeInt16BE(bytes.readInt16BE(21) | 0x08, 21);
    bytes.writeBigInt64BE(1_800_000_000_000n, 35);
    expect(readBatches(sealed(bytes), options).records.map(({ timestampMs }) => timestampMs)).toEqual([
      1_800_000_000_000, 1_800_000_000_000,
    ]);
  });

  it('moves past control batches and aborted batches without showing them', () => {
    const bytes = Buffer.concat([
      batchAt(10, [record('lost')]),
      controlAt(11, 'abort'),
      batchAt(12, [record('kept')]),
      controlAt(13, 'commit'),
    ]);
    const read = readBatches(bytes, { ...options, fromOffset: 10, aborted: [{ producerId: 7, firstOffset: 10 }] });
    expect(read.records.map(legible)).toEqual([expect.objectContaining({ offset: 12, value: 'kept' })]);
    expect(read.nextOffset).toBe(14);
  });

  it('takes a record whose key is eight zero digits for data (K2)', () => {
    const bytes = Buffer.concat([
      batchAt(0, [{ key: Buffer.alloc(4), value: Buffer.from('data') }]),
      batchAt(1, [record('still aborted')]),
      controlAt(2, 'abort'),
    ]);
    expect(readBatches(bytes, { ...options, aborted: [{ producerId: 7, firstOffset: 0 }] }).records).toEqual([]);
    expect(readBatches(bytes, options).records.map(({ offset }) => offset)).toEqual([0, 1]);
  });

  it('moves past what compaction left empty', () => {
    const bytes = batchAt(20, [record('gone'), record('gone too')]);
    const emptied = Buffer.from(bytes.subarray(0, 61));
    emptied.writeInt32BE(61 - 12, 8);
    emptied.writeInt32BE(0, 57);
    expect(readBatches(sealed(emptied), { ...options, fromOffset: 20 })).toEqual({ records: [], nextOffset: 22 });
  });

  it('stops before a batch that is cut short at the end of the answer', () => {
    const whole = batchAt(0, [record('whole')]);
    const cut = batchAt(1, [record('cut')]);
    const read = readBatches(Buffer.concat([whole, cut.subarray(0, cut.length - 3)]), options);
    expect(read.records.map(({ offset }) => offset)).toEqual([0]);
    expect(read).toMatchObject({ nextOffset: 1 });
    expect(read.undecodable).toBeUndefined();
  });

  it('reads at least one batch, then no more than the bound on bytes', () => {
    const bytes = Buffer.concat([0, 1, 2].map((offset) => batchAt(offset, [record('x'.repeat(1_000))])));
    expect(readBatches(bytes, { ...options, bytesMax: 1 }).nextOffset).toBe(1);
    expect(readBatches(bytes, { ...options, bytesMax: 1_500 }).nextOffset).toBe(2);
  });

  it('keeps what came before an undecodable batch and says how to go on behind it', () => {
    const bad = batchAt(1, [record('bad'), record('bad')]);
    bad[bad.length - 1]! ^= 0xff;
    const read = readBatches(Buffer.concat([batchAt(0, [record('good')]), bad]), options);
    expect(read.records.map(({ offset }) => offset)).toEqual([0]);
    expect(read.nextOffset).toBe(1);
    expect(read.undecodable).toEqual({ nextOffset: 3, reason: 'its checksum is wrong' });
  });

  const HUGE = Buffer.alloc(8 << 20);
  it.each([
    ['gzip', 1, gzipSync(HUGE)],
    ['zstd', 4, zstdCompressSync(HUGE)],
  ])('refuses a %s bomb', (_name, codec, packed) => {
    const read = readBatches(packedAt(3, codec, packed, 1), { ...options, fromOffset: 3 });
    expect(read.records).toEqual([]);
    expect(read.undecodable).toEqual({ nextOffset: 4, reason: 'it decompresses to more than 1048576 bytes' });
  });

  it.each([
    ['garbage behind a codec', packedAt(0, 4, Buffer.from('no zstd at all'), 1), /does not decompress/],
    ['an unknown codec', packedAt(0, 6, Buffer.from('x'), 1), /codec 6 is unknown/],
    ['more records than there are bytes', packedAt(0, 0, Buffer.from([2, 0]), 5), /cut short/],
    ['a record of negative length', packedAt(0, 0, Buffer.from([1, 0, 0, 0]), 1), /cut short/],
    ['a varint without end', packedAt(0, 0, Buffer.alloc(12, 0xff), 1), /integer that is too long/],
    [
      'a negative number of headers',
      packedAt(0, 0, Buffer.from([12, 0, 0, 0, 1, 1, 1]), 1),
      /negative number of headers/,
    ],
    ['a record with bytes to spare', packedAt(0, 0, Buffer.from([14, 0, 0, 0, 1, 1, 0, 9]), 1), /wrong length/],
    ['the format before Kafka 0.11', oldFormat(), /before 0.11/],
  ])('reports %s', (_name, bytes, reason) => {
    const read = readBatches(bytes, options);
    expect(read.records).toEqual([]);
    expect(read.undecodable?.reason).toMatch(reason);
    expect(read.undecodable?.nextOffset).toBe(1);
  });

  it('never throws and never reads past a damaged batch, whichever byte is hit', () => {
    const whole = Buffer.from(BY_KAFKA['none'] ?? '', 'base64');
    for (let at = 12; at < whole.length; at++) {
      const hit = Buffer.from(whole);
      hit[at]! ^= 0x41;
      const unsealed = readBatches(hit, options);
      const outcome = at === 16 ? 'format' : 'checksum';
      // The leader epoch, bytes 12 to 15, is not covered by the checksum.
      if (at > 15) expect(unsealed.undecodable?.reason).toContain(outcome);
      const resealed = readBatches(sealed(hit), options);
      expect(resealed.records.length).toBeLessThanOrEqual(4);
    }
  });
});

describe('writeBatch', () => {
  const records: OutRecord[] = [
    { key: 'trace', value: Buffer.from(SPANS), headers: { source: 'otlp_spans/0/7', raw: Buffer.from([0, 255]) } },
    { key: Buffer.from([1, 2]), value: null },
    { key: null, value: Buffer.alloc(0) },
    { key: 'ü', value: Buffer.alloc(200_000, 'y') },
  ];

  it.each(['none', 'gzip', 'zstd'] as const)('is read back with compression %s', (compression) => {
    const bytes = writeBatch(records, { ...producer, compression });
    const read = readBatches(bytes, options);
    expect(read.nextOffset).toBe(4);
    expect(read.records.map(legible)).toEqual([
      {
        offset: 0,
        timestampMs: producer.timestampMs,
        key: 'trace',
        value: SPANS,
        headers: ['source=otlp_spans/0/7', 'raw=\u0000\ufffd'],
      },
      { offset: 1, timestampMs: producer.timestampMs, key: '\u0001\u0002', value: null, headers: [] },
      { offset: 2, timestampMs: producer.timestampMs, key: null, value: '', headers: [] },
      { offset: 3, timestampMs: producer.timestampMs, key: 'ü', value: 'y'.repeat(200_000), headers: [] },
    ]);
    if (compression !== 'none') expect(bytes.length).toBeLessThan(2_000);
  });

  it('marks the batch transactional and carries the producer', () => {
    const bytes = writeBatch([record('x')], { ...producer, baseSequence: 41 });
    expect(bytes.readInt16BE(21)).toBe(0x10);
    expect(bytes.readBigInt64BE(43)).toBe(7n);
    expect(bytes.readInt16BE(51)).toBe(2);
    expect(bytes.readInt32BE(53)).toBe(41);
  });

  it('keeps an earlier batch whole when the next is written', () => {
    const first = writeBatch([record('first')], { ...producer, compression: 'none' });
    writeBatch([record('SECOND')], { ...producer, compression: 'none' });
    expect(readBatches(first, options).records.map(legible)[0]?.value).toBe('first');
  });

  it('never needs more bytes for a record than recordBytesOf says', () => {
    for (const one of records) {
      const bytes = writeBatch([one], { ...producer, compression: 'none' });
      expect(bytes.length - 61).toBeLessThanOrEqual(recordBytesOf(one));
    }
  });
});

function record(value: string): OutRecord {
  return { key: null, value: Buffer.from(value) };
}

/** A transactional batch of producer 7. */
function batchAt(baseOffset: number, records: OutRecord[]): Buffer {
  const bytes = writeBatch(records, producer);
  bytes.writeBigInt64BE(BigInt(baseOffset), 0);
  return bytes;
}

function controlAt(baseOffset: number, type: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]);
  const bytes = batchAt(baseOffset, [{ key, value: Buffer.from([0, 0, 0, 0, 0, 1]) }]);
  bytes.writeInt16BE(bytes.readInt16BE(21) | 0x20, 21);
  return sealed(bytes);
}

/** A batch with these bytes as its records, whatever they are. */
function packedAt(baseOffset: number, codec: number, packed: Buffer, recordCount: number): Buffer {
  const bytes = Buffer.concat([batchAt(baseOffset, [record('')]).subarray(0, 61), packed]);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt16BE(codec, 21);
  bytes.writeInt32BE(recordCount, 57);
  return sealed(bytes);
}

/** A message of format 1, as an old log may still hold: offset, size, crc, magic, attributes, timestamp, key, value. */
function oldFormat(): Buffer {
  const bytes = Buffer.alloc(12 + 22 + 5);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes[16] = 1;
  return bytes;
}

function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes, 21, bytes.length), 17);
  return bytes;
}

function legible({ offset, timestampMs, key, value, headers }: LogRecord) {
  return {
    offset,
    timestampMs,
    key: key?.toString() ?? null,
    value: value?.toString() ?? null,
    headers: [...headers].map(([name, bytes]) => `${name}=${bytes}`),
  };
}
