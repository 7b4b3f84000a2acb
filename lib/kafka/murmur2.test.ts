import { describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { murmur2, partitionOfTraceId } from './murmur2.ts';

/** From UtilsTest.testMurmur2 of Apache Kafka. */
const KAFKA_VECTORS: [string, number][] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

describe('murmur2', () => {
  it.each(KAFKA_VECTORS)('hashes %j as Kafka does', (text, expected) => {
    const bytes = Buffer.from(`..${text}..`);
    expect(murmur2(bytes, 2, bytes.length - 2)).toBe(expected);
  });
});

describe('partitionOfTraceId', () => {
  const traceId = (id: string): Buffer => Buffer.from(id.padStart(32, '0'), 'hex');

  it('puts the 64-bit and the 128-bit form of a trace id on one partition', () => {
    const short = traceId('89abcdef01234567');
    const long = traceId('0123456789abcdef89abcdef01234567');
    for (const partitions of [1, 4, 12, 31]) {
      expect(partitionOfTraceId(long, 0, partitions)).toBe(partitionOfTraceId(short, 0, partitions));
    }
  });

  it('reads the id where it stands', () => {
    const id = traceId('ffffffffffffffffffffffffffffffff');
    expect(partitionOfTraceId(Buffer.concat([Buffer.alloc(7, 9), id]), 7, 12)).toBe(partitionOfTraceId(id, 0, 12));
  });

  it('agrees with the partitioner of Kafka clients keyed by the low 8 bytes, and spreads evenly', () => {
    const partitioner = kafkajs.Partitioners.DefaultPartitioner();
    const partitionMetadata = Array.from({ length: 12 }, (_, partitionId) => ({ partitionId, leader: 1 }) as never);
    const counts = new Array<number>(12).fill(0);
    for (let n = 1; n <= 6_000; n++) {
      const id = Buffer.alloc(16);
      id.writeBigUInt64BE((BigInt(n) * 0x9e37_79b9_7f4a_7c15n) & 0xffff_ffff_ffff_ffffn, 8);
      const partition = partitionOfTraceId(id, 0, 12);
      expect(partition).toBe(
        partitioner({ topic: 't', partitionMetadata, message: { key: id.subarray(8), value: null } }),
      );
      counts[partition]!++;
    }
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(100);
  });
});
