import { describe, expect, it } from '@jest/globals';
import { serviceEdgeDeltaCodec } from '../../lib/codec/records.ts';
import { decodeOrReport } from './decode-record.ts';
import { newFindings } from './findings.ts';

describe('decodeOrReport', () => {
  it.each([
    ['text', Buffer.from('not ours'), 'cannot be decoded'],
    ['a frame of ours without a body', frame(serviceEdgeDeltaCodec.schemaId), 'cannot be decoded'],
    ['a later schema', frame(999_999), 'audit with the newest'],
    ['no value', null, 'without a value'],
  ])('reports %s as foreign and goes on', (_, value, detail) => {
    const findings = newFindings('edges', 'counters');
    expect(decodeOrReport(serviceEdgeDeltaCodec, value, 'edges/0@7', findings)).toBeUndefined();
    expect(findings.foreign).toBe(1);
    expect(findings.examples).toEqual([
      { kind: 'foreign', at: 'edges/0@7', detail: expect.stringContaining(detail) as unknown },
    ]);
  });
});

function frame(schemaId: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(schemaId, 1);
  return bytes;
}
