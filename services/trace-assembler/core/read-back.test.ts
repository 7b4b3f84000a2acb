import { describe, expect, it } from '@jest/globals';
import { assembledTraceCodec, deadLetterCodec } from '../../../lib/codec/records.ts';
import { assembledTrace } from '../../../lib/testkit/assembled-trace.ts';
import { MemoryLog } from '../../../lib/testkit/memory-log.ts';
import { otlp } from '../../../lib/testkit/otlp-builder.ts';
import { readBackTraces } from './read-back.ts';

const ours = (trace: number) =>
  assembledTraceCodec.encode(
    assembledTrace(otlp([{ service: 's', spans: [{ id: 1 }] }], { trace }), { inputs: [trace] }),
  );
const ofSchema = (id: number) => {
  const framed = Buffer.from(ours(9));
  framed.writeUInt32BE(id, 1);
  return framed;
};

async function readBack(values: readonly (Buffer | null)[], end = values.length): Promise<number[]> {
  const log = new MemoryLog();
  for (const [offset, value] of values.entries())
    log.append({ offset, key: null, value, timestampMs: 0, headers: new Map() });
  const inputs: number[] = [];
  await readBackTraces(log, 0, end, (trace) => {
    inputs.push(...trace.inputs);
  });
  return inputs;
}

describe('reading traces back', () => {
  it.each<[string, Buffer | null]>([
    ['a tombstone', null],
    ['an empty value', Buffer.alloc(0)],
    ['bytes without a frame', Buffer.from('hello, traces')],
    ['a trace cut short', ours(9).subarray(0, 40)],
    ['a trace with bytes behind it', Buffer.concat([ours(9), Buffer.from('x')])],
    ["another of our schemas' ids", ofSchema(deadLetterCodec.schemaId)],
  ])('passes %s over: no assembler wrote it', async (_what, value) => {
    expect(await readBack([ours(1), value, ours(2)])).toEqual([1, 2]);
  });

  it('halts at a schema that a later version may have written, since what it emitted would go out again', async () => {
    await expect(readBack([ours(1), ofSchema(4_000_000)])).rejects.toMatchObject({ code: 'TRACES_SCHEMA_UNKNOWN' });
  });

  it('does not take a lagging leader for the end', async () => {
    await expect(readBack([ours(1)], 2)).rejects.toMatchObject({ code: 'TRACES_STALE', retryable: true });
  });
});
