import { describe, expect, it } from '@jest/globals';
import { assembledTrace, traceLogRecord } from '../../lib/testkit/assembled-trace.ts';
import { MemoryLog } from '../../lib/testkit/memory-log.ts';
import { otlp, type ResourceLiteral, type SpanLiteral } from '../../lib/testkit/otlp-builder.ts';
import { SeededRandom } from '../../lib/testkit/traffic/random.ts';
import { GraphStage } from '../../services/graph-builder/core/graph-stage.ts';
import type { GraphMode } from '../../services/graph-builder/core/trace-fold.ts';
import { EdgeSums } from './edge-sums.ts';
import { newFindings } from './findings.ts';
import { Slice } from './slices.ts';

/** Traces of one service each, with one operation each, of which there are more than the limits let through. */
const TRACES = Array.from({ length: 40 }, (_, i) => [single(`service-${i % 5}`, `operation ${i}`)]);
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

  it.each(['accurate', 'zipkin'] as const)(
    'are the same for calls between services that are too many: %s',
    async (mode) => {
      const random = new SeededRandom(7);
      const traces = Array.from({ length: 300 }, () => tangled(random));
      const names = { services: 6, operations: 9, operationsPerService: 2 };
      const committed = await fold(traces, names, 7, mode);
      for (const perCommit of [1, 10, 300]) {
        const expected = await fold(traces, names, perCommit, mode);
        expect({ perCommit, ...judge(committed, expected) }).toMatchObject({ perCommit, ...CLEAN });
      }
    },
  );

  it.each([
    ['a trace is missing', TRACES.slice(1), { missing: expect.any(Number) }],
    ['a trace is there twice', [...TRACES, TRACES[3] as ResourceLiteral[]], { double: expect.any(Number) }],
  ])('still tell that %s', async (_, traces, trouble) => {
    const names = { ...WIDE, operations: 12 };
    const found = judge(await fold(traces, names, 7), await fold(TRACES, names, 40));
    expect(found).toMatchObject(trouble);
    expect(found.missing + found.double + found.foreign).toBeGreaterThan(0);
  });

  it('compares names as they are below the limits', async () => {
    const renamed = TRACES.map((trace, i) => (i === 3 ? [single('service-3', 'another')] : trace));
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

function single(service: string, operation: string): ResourceLiteral {
  return { service, spans: [{ id: 1, name: operation, kind: 'server' }] };
}

/** Spans of services without order: whatever depends on which of them are the same service shows. */
function tangled(random: SeededRandom): ResourceLiteral[] {
  let id = 0;
  return Array.from({ length: 2 + random.below(4) }, () => ({
    service: random.pick(['', `service-${random.below(4)}`, `Service-${random.below(4)}`, `${random.below(99)}`]),
    spans: Array.from({ length: 1 + random.below(4) }, (): SpanLiteral => {
      id++;
      const peer = random.pick(['', `service-${random.below(4)}`, `${random.below(99)}`]);
      return {
        id,
        parent: id === 1 ? 0 : 1 + random.below(id - (random.float() < 0.1 ? 0 : 1)),
        name: `operation ${random.below(4)}`,
        kind: random.pick(['server', 'client', 'internal', 'producer', 'consumer'] as const),
        start: random.below(1_000),
        duration: random.below(400),
        ...(random.float() < 0.4 ? { error: true } : {}),
        ...(peer === '' ? {} : { attributes: { 'peer.service': peer } }),
      };
    }),
  }));
}

/**
 * The graph-builder's own fold, with a commit after every so many traces.
 * @param different how many there are; the rest are revisions of these.
 */
async function fold(
  traces: readonly (readonly ResourceLiteral[])[],
  names: typeof WIDE,
  tracesPerCommit: number,
  mode: GraphMode = 'accurate',
  different = traces.length,
): Promise<EdgeSums> {
  const sums = new EdgeSums(new Slice(100_000));
  const log = new MemoryLog();
  const stage = new GraphStage(
    {
      ...{
        tracesTopic: 'traces',
        edgesTopic: 'edges',
        deadLettersTopic: 'letters',
        partition: 0,
        mode,
        names,
      },
      ...{ earlier: { horizonMs: 60_000, tracesMax: 1_000 }, traceBytesMax: 1_000_000, rowsMax: 1_000 },
      ...{ ownerAttribute: '' },
    },
    {
      traces: log,
      sha256: () => '',
      encodeDelta: () => Buffer.alloc(0),
      encodeDeadLetter: () => Buffer.alloc(0),
      folded: ({ deltas }) => {
        for (const delta of deltas) sums.add(delta);
      },
    },
  );
  await stage.recover(undefined, { nonce: 'n' });
  for (const [i, resources] of traces.entries()) {
    log.append(traceLogRecord(assembledTrace(otlp(resources, { trace: 1 + (i % different) })), i));
  }
  const { records } = log;
  for (let at = 0; at < records.length; at += tracesPerCommit) {
    const some = records.slice(at, at + tracesPerCommit);
    await stage.apply(some, { nextOffset: at + some.length, streamTimeMs: 0, caughtUp: true });
    if ((await stage.prepare('interval')) !== undefined) await stage.committed();
  }
  return sums;
}
