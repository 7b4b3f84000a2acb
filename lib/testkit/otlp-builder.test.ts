import { describe, expect, it } from '@jest/globals';
import { scanOtlpRequest } from '../trace/otlp-scan.ts';
import { SpanTable } from '../trace/span-table.ts';
import { EPOCH_MS, idBytes, otlp } from './otlp-builder.ts';

describe('otlp', () => {
  it('encodes ids, parent, kind, times and status so that the scan finds them', () => {
    const bytes = otlp(
      [
        { service: 'web', spans: [{ id: 1, kind: 'server', name: 'GET /', start: 5, duration: 30 }] },
        { service: 'app', spans: [{ id: 2, parent: 1, kind: 'client', error: 'boom' }] },
      ],
      { trace: 7 },
    );
    const table = new SpanTable();
    expect(scanOtlpRequest(bytes, table)).toBeUndefined();
    expect(table.count).toBe(2);
    expect(table.contextCount).toBe(2);
    expect([...table.kind.subarray(0, 2)]).toEqual([2, 3]);
    expect([...table.statusCode.subarray(0, 2)]).toEqual([0, 2]);
    expect(table.parentSpanId[0]).toBe(-1);
    const parentAt = table.parentSpanId[1] as number;
    expect(bytes.subarray(parentAt, parentAt + 8)).toEqual(idBytes(1, 8));
    const traceAt = table.traceId[1] as number;
    expect(bytes.subarray(traceAt, traceAt + 16)).toEqual(idBytes(7, 16));
    const startNano = (BigInt(table.startHi[0] as number) << 32n) | BigInt(table.startLo[0] as number);
    const endNano = (BigInt(table.endHi[0] as number) << 32n) | BigInt(table.endLo[0] as number);
    expect(startNano).toBe(BigInt(EPOCH_MS + 5) * 1_000_000n);
    expect(endNano - startNano).toBe(30_000_000n);
  });

  it('can end a span before it starts', () => {
    const table = new SpanTable();
    scanOtlpRequest(otlp([{ service: 'a', spans: [{ id: 1, start: 10, duration: -4 }] }]), table);
    expect(table.endLo[0] as number).toBeLessThan(table.startLo[0] as number);
  });
});
