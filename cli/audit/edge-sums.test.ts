import { describe, expect, it } from '@jest/globals';
import { assembledTrace, traceLogRecord } from '../../lib/testkit/assembled-trace.ts';
import { MemoryLog } from '../../lib/testkit/memory-log.ts';
import { otlp } from '../../lib/testkit/otlp-builder.ts';
import { GraphStage } from '../../services/graph-builder/core/graph-stage.ts';
import { EdgeSums } from './edge-sums.ts';
import { newFindings } from './findings.ts';
import { Slice } from './slices.ts';

/** Traces of one service each, with one operation each, of which there are more than the limits let through. */
const TRACES = Array.from({ length: 40 }, (_, i) => ({ service: `service-${i % 5}`, operation: `operation ${i}` }));
const WIDE = { services: 100, operations: 1_000, operationsPerService: 1_000 };

describe('sums of edges above the limits of names', () => {
  it.each([
    ['operations of all services', { ...WIDE, operations: 12 }],
    ['operations of a service', { ...WIDE, operationsPerService: 3 }],
    ['services', { ...WIDE, services: 3 }],
  ])('are the same wherever commits fall: too many %s', async (_, names) => {
    const committed = await fold(TRACES, names, 7);
    expect(judge(committed, await fold(TRACES, names, 40))).toMatchObject(CLEAN);
  });

  it.each([
    ['a trace is missing', TRACES.slice(1), { missing: expect.any(Number) }],
    ['a trace is there twice', [...TRACES, TRACES[3] as (typeof TRACES)[number]], { double: expect.any(Number) }],
  ])('still tell that %s', async (_, traces, trouble) => {
    const names = { ...WIDE, operations: 12 };
    const found = judge(await fold(traces, names, 7), await fold(TRACES, names, 40));
    expect(found).toMatchObject(trouble);
    expect(found.missing + found.double + found.foreign).toBeGreaterThan(0);
  });

  it('compares names as they are below the limits', async () => {
    const renamed = TRACES.map((trace, i) => (i === 3 ? { ...trace, operation: 'another' } : trace));
    const found = judge(await fold(renamed, WIDE, 7), await fold(TRACES, WIDE, 40));
    expect(found.foreign).toBeGreaterThan(0);
    expect(found.missing).toBeGreaterThan(0);
  });
});

const CLEAN = { missing: 0, double: 0, foreign: 0, altered: 0 };

function judge(committed: EdgeSums, expected: EdgeSums) {
  const findings = newFindings('edges', 'counters');
  committed.compare(expected, 'edges/0', findings);
  expect(findings.matched).toBeGreaterThan(0);
  return findings;
}

/** The graph-builder's own fold, with a commit after every so many traces. */
async function fold(traces: typeof TRACES, names: typeof WIDE, tracesPerCommit: number): Promise<EdgeSums> {
  const sums = new EdgeSums(new Slice(100_000));
  const stage = new GraphStage(
    {
      ...{
        tracesTopic: 'traces',
        edgesTopic: 'edges',
        deadLettersTopic: 'letters',
        partition: 0,
        mode: 'accurate',
        names,
      },
      ...{ earlier: { horizonMs: 60_000, tracesMax: 1_000 }, traceBytesMax: 1_000_000, rowsMax: 1_000 },
      ...{ ownerAttribute: '' },
    },
    {
      traces: new MemoryLog(),
      sha256: () => '',
      encodeDelta: () => Buffer.alloc(0),
      encodeDeadLetter: () => Buffer.alloc(0),
      folded: ({ deltas }) => {
        for (const delta of deltas) sums.add(delta);
      },
    },
  );
  await stage.recover(undefined, { nonce: 'n' });
  const records = traces.map(({ service, operation }, i) => {
    const span = { id: 1, name: operation, kind: 'server' as const };
    return traceLogRecord(assembledTrace(otlp([{ service, spans: [span] }], { trace: i + 1 })), i);
  });
  for (let at = 0; at < records.length; at += tracesPerCommit) {
    const some = records.slice(at, at + tracesPerCommit);
    await stage.apply(some, { nextOffset: at + some.length, streamTimeMs: 0, caughtUp: true });
    if ((await stage.prepare('interval')) !== undefined) await stage.committed();
  }
  return sums;
}
