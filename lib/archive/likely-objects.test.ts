import { createHash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { partitionOfTraceId } from '../kafka/murmur2.ts';
import { byPartition } from './likely-objects.ts';

const ids = Array.from({ length: 200 }, (_, n) => createHash('md5').update(String(n)).digest('hex'));
const key = (partition: number, chain = 'c-1') => ({
  key: `p/traces/v1/dt=2026-01-31/hour=07/${chain}-p${String(partition).padStart(3, '0')}-0-9.parquet`,
});

it('finds every trace among the likely objects, and little else', () => {
  const objects = Array.from({ length: 12 }, (_, partition) => key(partition));
  for (const id of ids) {
    const { likely, others } = byPartition(objects, id);
    expect(likely).toEqual([key(partitionOfTraceId(Buffer.from(id, 'hex'), 0, 12))]);
    expect(others).toHaveLength(11);
  }
});

it('counts the partitions of each chain apart, and takes compacted objects always', () => {
  const compacted = { key: 'p/traces_compacted/v1/dt=2026-01-31/hour=07/0001-000.parquet' };
  const objects = [compacted, key(0), key(3), key(0, 'c-2')];
  for (const id of ids) {
    const { likely, others } = byPartition(objects, id);
    expect(likely).toContain(compacted);
    expect(likely).toContainEqual(key(0, 'c-2'));
    expect([...likely, ...others]).toHaveLength(objects.length);
  }
});

it('leaves out for certain what says that it is of another partition', () => {
  const named = Array.from({ length: 12 }, (_, partition) => ({
    key: `p/traces/v1/dt=2026-01-31/hour=07/c-1-p${String(partition).padStart(3, '0')}of012-0-9.parquet`,
  }));
  const [silent] = [key(2)];
  for (const id of ids) {
    const own = partitionOfTraceId(Buffer.from(id, 'hex'), 0, 12);
    const { likely, others } = byPartition([...named, silent], id);
    expect(likely).toContain(named[own]);
    expect([...likely, ...others].sort()).toEqual([named[own], silent].sort());
  }
});
