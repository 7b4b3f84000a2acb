import type { AssembledTrace } from '../../../lib/codec/records.ts';
import { scanOtlpRequest } from '../../../lib/trace/otlp-scan.ts';
import { resourceServiceName } from '../../../lib/trace/service-name.ts';
import { SpanTable } from '../../../lib/trace/span-table.ts';
import { hashHi, hashLo, hashService, hashSpan } from './span-hash.ts';

/** The copy hashes of an emitted trace, eight bytes for each span, computed again from its record. */
export function hashesOfTrace(trace: Pick<AssembledTrace, 'otlp'>): Buffer {
  const bytes = trace.otlp;
  if (scanOtlpRequest(bytes, table) !== undefined) return Buffer.alloc(0);
  const seeds: number[] = [];
  for (let row = 0; row < table.contextCount; row++) {
    const start = table.resourceStart[row] as number;
    seeds.push(hashService(start < 0 ? '' : resourceServiceName(bytes, start, table.resourceEnd[row] as number)));
  }
  const hashes = Buffer.allocUnsafe(table.count * 8);
  for (let row = 0; row < table.count; row++) {
    const seed = seeds[table.context[row] as number] as number;
    hashSpan(bytes, table.bodyStart[row] as number, table.bodyEnd[row] as number, seed);
    hashes.writeUInt32LE(hashHi, row * 8);
    hashes.writeUInt32LE(hashLo, row * 8 + 4);
  }
  return hashes;
}

const table = new SpanTable();
