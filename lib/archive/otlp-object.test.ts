import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { type AssembledTrace, assembledTraceCodec, assembledTraceViewCodec } from '../codec/records.ts';
import { assembledTrace } from '../testkit/assembled-trace.ts';
import { EPOCH_MS, otlp } from '../testkit/otlp-builder.ts';
import { SeededRandom } from '../testkit/traffic/random.ts';
import { decodeOtlpObject, encodeOtlpObject, type OtlpObjectMap, readObjectMap } from './otlp-object.ts';

/** Trace records of which one is larger than a frame, in the order of a topic: ids are not sorted. */
function records(count: number, largeBytes = 1_500_000) {
  return Array.from({ length: count }, (_, n) => {
    const text = n === 3 ? 'x'.repeat(largeBytes) : `value ${n}`;
    const spans = [
      { id: 1, name: `GET /${n}`, attributes: { 'http.route': '/ünï', text } },
      { id: 2, parent: 1 },
    ];
    const bytes = otlp([{ service: `s${n % 3}`, spans }], { trace: (n * 7919) % 1000, epochMs: EPOCH_MS + n });
    const value = assembledTraceCodec.encode(assembledTrace(bytes, { revision: 1 + (n % 2), rootService: 'é' }));
    return { value, trace: assembledTraceViewCodec.decode(value) };
  });
}

describe('an object of OTLP', () => {
  it.each([1, 2, 500])('gives %i records back as they were, in their order', async (count) => {
    const written = records(count);
    expect(areEqual(decodeOtlpObject(await encodeOtlpObject(written)), written)).toBe(true);
  });

  it('is one request to whoever decompresses its frames', async () => {
    const written = records(40);
    const object = await encodeOtlpObject(written);
    const { frames, indexStart } = readObjectMap(object, object.length) as OtlpObjectMap;
    expect(frames.length).toBeGreaterThan(1);
    let at = 0;
    const parts = frames.map(({ packed }) => {
      at += packed;
      return zstdDecompressSync(object.subarray(at - packed, at));
    });
    expect(at).toBe(indexStart);
    expect(Buffer.concat(parts).equals(Buffer.concat(written.map(({ trace }) => trace.otlp)))).toBe(true);
  });

  it('says how much of its end is needed when it is given too little', async () => {
    const object = await encodeOtlpObject(records(40));
    const needed = readObjectMap(object.subarray(object.length - 9), object.length);
    expect(readObjectMap(object.subarray(object.length - Number(needed)), object.length)).toEqual(
      readObjectMap(object, object.length),
    );
  });

  it('is refused when a byte is missing or another one', async () => {
    const written = records(20, 2_000);
    const object = await encodeOtlpObject(written);
    const random = new SeededRandom(5);
    for (let i = 0; i < 100; i++) {
      const damaged = Buffer.from(object);
      const at = random.below(damaged.length);
      damaged[at] = (damaged[at] as number) ^ (1 << random.below(8));
      expectRefusedOrEqual(damaged, written);
      expect(() => decodeOtlpObject(object.subarray(0, at))).toThrow(/^its? |zstd|corrupt|src size|checksum/i);
    }
  });
});

/** Headers have bits that mean nothing: whoever changes them has damaged nothing. */
function expectRefusedOrEqual(damaged: Buffer, written: ReturnType<typeof records>): void {
  let traces: AssembledTrace[];
  try {
    traces = decodeOtlpObject(damaged);
  } catch (error) {
    expect(error).toHaveProperty('message');
    return;
  }
  expect(areEqual(traces, written)).toBe(true);
}

/** Byte by byte; Jest's own comparison of large buffers takes seconds. */
function areEqual(traces: readonly AssembledTrace[], written: ReturnType<typeof records>): boolean {
  return Buffer.concat(traces.map((trace) => assembledTraceCodec.encode(trace))).equals(
    Buffer.concat(written.map(({ value }) => value)),
  );
}
