import { describe, expect, it } from '@jest/globals';
import { assembledTrace } from '../testkit/assembled-trace.ts';
import { otlp } from '../testkit/otlp-builder.ts';
import { encodeParquet } from './encode-parquet.ts';
import { encodeOtlpObject } from './otlp-object.ts';
import { spanBatches, traceBatches } from './rows/row-groups.ts';

const TRACES = 600;
const SPANS = 12;

function traces(seed: number) {
  return Array.from({ length: TRACES }, (_, n) => {
    const spans = Array.from({ length: SPANS }, (_, i) => ({
      id: i + 1,
      parent: i,
      start: n * 10 + i,
      attributes: { 'http.route': `/r/${(n + i) % 7}`, 'user.id': `${seed}-${n * n}`, text: 'x'.repeat(100 + n) },
    }));
    return assembledTrace(otlp([{ service: `s${n % 5}`, spans }], { trace: seed * TRACES + n + 1 }));
  });
}

/** How often the event loop turned while `work` was done. */
async function turnsOf(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  await work;
  isDone = true;
  return turns;
}

describe('encoding an object', () => {
  it('lets others have their turn after each thousand rows', async () => {
    expect(await turnsOf(encodeParquet(spanBatches(traces(1))))).toBeGreaterThan((TRACES * SPANS) / 1_200);
  });

  it('lets others have their turn after each mebibyte of OTLP', async () => {
    const records = traces(1).map((trace) => ({ value: trace.otlp, trace }));
    const mebibytes = records.reduce((sum, { value }) => sum + value.length, 0) / 2 ** 20;
    expect(mebibytes).toBeGreaterThan(3);
    expect(await turnsOf(encodeOtlpObject(records))).toBeGreaterThanOrEqual(Math.floor(mebibytes) - 1);
  });

  it('gives the same bytes when several are encoded in turns', async () => {
    const make = [
      () => encodeParquet(spanBatches(traces(1))),
      () => encodeParquet(spanBatches(traces(2))),
      () => encodeParquet(traceBatches(traces(3), 'key')),
      () => encodeOtlpObject(traces(4).map((trace) => ({ value: trace.otlp, trace }))),
    ];
    const alone: Uint8Array[] = [];
    for (const one of make) alone.push(await one());
    const together = await Promise.all(make.map((one) => one()));
    for (const [i, bytes] of together.entries()) expect(Buffer.compare(bytes, alone[i] as Uint8Array)).toBe(0);
  });
});
