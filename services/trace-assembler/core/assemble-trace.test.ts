import { describe, expect, it } from '@jest/globals';
import { type AssembledTrace, assembledTraceCodec } from '../../../lib/codec/records.ts';
import { EPOCH_MS, otlp, type ResourceLiteral } from '../../../lib/testkit/otlp-builder.ts';
import { scanOtlpRequest } from '../../../lib/trace/otlp-scan.ts';
import { SpanTable } from '../../../lib/trace/span-table.ts';
import { assembleTrace } from './assemble-trace.ts';
import { ContextTable } from './contexts.ts';
import { SpanGrouper } from './group-spans.ts';

const NONE = Buffer.alloc(0);

/** Fragments of trace 1 from one bundle for each list of resources, then the trace. */
function assemble(
  bundles: ResourceLiteral[][],
  options: { revision?: number; earlierHashes?: Buffer; contexts?: ContextTable } = {},
) {
  const contexts = options.contexts ?? new ContextTable(100);
  const fragments = bundles.map((bundle) => fragmentOf(otlp(bundle), contexts));
  const assembly = assembleTrace(
    {
      traceId: `${'0'.repeat(31)}1`,
      closeReason: 'idle',
      revision: options.revision ?? 1,
      earlierHashes: options.earlierHashes ?? NONE,
      contextLost: false,
      inputs: bundles.map((_, i) => i),
      lastAppendTime: EPOCH_MS,
      fragments,
    },
    (id) => contexts.get(id),
  );
  if (assembly === undefined) throw new Error('fragments were refused');
  return assembly;
}

function fragmentOf(bytes: Buffer, contexts: ContextTable): Buffer {
  const table = new SpanTable();
  scanOtlpRequest(bytes, table);
  const grouper = new SpanGrouper();
  grouper.group(bytes, table);
  const ids = Array.from({ length: table.contextCount }, (_, row) => contexts.intern(bytes, table, row));
  const out = Buffer.alloc(grouper.fragmentBytes[0] as number);
  grouper.writeFragment(0, bytes, table, ids, out, 0);
  return out;
}

const web = (...spans: ResourceLiteral['spans']): ResourceLiteral => ({ service: 'web', spans });
const app = (...spans: ResourceLiteral['spans']): ResourceLiteral => ({ service: 'app', spans });

describe('assembleTrace', () => {
  it('says what the trace is, whatever order its spans came in', () => {
    const { trace } = assemble([
      [app({ id: 2, parent: 1, kind: 'server', start: 5, duration: 50, error: true })],
      [
        web(
          { id: 3, parent: 1, kind: 'client', start: 2, duration: 4 },
          { id: 1, kind: 'server', name: 'GET /', duration: 30 },
        ),
      ],
    ]);
    expect(trace).toMatchObject({
      revision: 1,
      closeReason: 'idle',
      complete: true,
      incompleteReasons: [],
      startTimeUnixNano: BigInt(EPOCH_MS) * 1_000_000n,
      startTime: EPOCH_MS * 1000,
      durationNano: 55_000_000n,
      rootService: 'web',
      rootOperation: 'GET /',
      rootSpanId: '0000000000000001',
      spanCount: 3,
      errorCount: 1,
      orphanCount: 0,
      duplicateCount: 0,
      services: [
        { service: 'app', spanCount: 1, errorCount: 1 },
        { service: 'web', spanCount: 2, errorCount: 0 },
      ],
      inputs: [0, 1],
    });
  });

  it('writes each resource once, however many records its spans came in', () => {
    const { trace } = assemble([
      [web({ id: 1 })],
      [app({ id: 2, parent: 1 }), web({ id: 3, parent: 1 })],
      [web({ id: 4, parent: 1 })],
    ]);
    const table = new SpanTable();
    expect(scanOtlpRequest(trace.otlp, table)).toBeUndefined();
    expect(table.count).toBe(4);
    expect(table.contextCount).toBe(2);
  });

  it('keeps two scopes of one resource under that resource', () => {
    const { trace } = assemble([
      [
        { service: 'web', scope: 'http', spans: [{ id: 1 }] },
        { service: 'app', scope: 'http', spans: [{ id: 2, parent: 1 }] },
        { service: 'web', scope: 'sql', spans: [{ id: 3, parent: 1 }] },
      ],
    ]);
    const table = new SpanTable();
    scanOtlpRequest(trace.otlp, table);
    expect([...table.resourceStart.subarray(0, 3)].filter((start) => start === table.resourceStart[0]).length).toBe(2);
    expect(trace.spanCount).toBe(3);
  });

  it.each([
    [
      'no root',
      [web({ id: 2, parent: 1 }), app({ id: 1, parent: 9 })],
      { complete: false, incompleteReasons: ['no_root', 'orphans'], orphanCount: 1, rootService: null },
    ],
    [
      'a missing parent',
      [web({ id: 1 }), app({ id: 3, parent: 2 })],
      { complete: false, incompleteReasons: ['orphans'], orphanCount: 1 },
    ],
    [
      'a span that is its own parent',
      [web({ id: 1, parent: 1 })],
      { complete: false, incompleteReasons: ['no_root'], orphanCount: 0 },
    ],
    [
      'two roots: the earlier one names the trace',
      [web({ id: 1, start: 5, name: 'late' }), web({ id: 2, start: 1, name: 'early' })],
      { complete: true, rootOperation: 'early' },
    ],
    [
      'a span that ends before it starts',
      [web({ id: 1, start: 10, duration: -5 })],
      { durationNano: 0n, complete: true },
    ],
  ])('flags %s', (_what, bundle, expected) => {
    expect(assemble([bundle]).trace).toMatchObject(expected);
  });

  it.each([
    ['1970', 0n, 0n],
    ['2099', 4_070_908_800_000_000_000n, 4_070_908_800_000_000_000n],
    ['beyond what signed nanoseconds can say', 2n ** 64n - 1n, 2n ** 63n - 1n],
  ])('takes spans stamped %s as they are', (_when, nanos, expected) => {
    const bytes = otlp([web({ id: 1 })]);
    const table = new SpanTable();
    scanOtlpRequest(bytes, table);
    // Field 7 and 8 are fixed64: overwrite them in place.
    for (const tag of [0x39, 0x41])
      bytes.writeBigUInt64LE(nanos, bytes.indexOf(tag, (table.nameEnd[0] as number) + 1) + 1);
    const contexts = new ContextTable(10);
    const assembly = assembleTrace(
      {
        traceId: `${'0'.repeat(31)}1`,
        closeReason: 'idle',
        revision: 1,
        earlierHashes: NONE,
        contextLost: false,
        inputs: [0],
        lastAppendTime: 1,
        fragments: [fragmentOf(bytes, contexts)],
      },
      (id) => contexts.get(id),
    );
    expect(assembly?.trace.startTimeUnixNano).toBe(expected);
    expect(assembly?.trace.durationNano).toBe(0n);
    expect(() => assembledTraceCodec.encode(assembly?.trace as AssembledTrace)).not.toThrow();
  });

  it('leaves out copies of a span, but not partial spans that share an id, nor the same bytes of another service', () => {
    const span = { id: 2, parent: 1, name: 'work', start: 1, duration: 5 };
    const { trace } = assemble([
      [web({ id: 1 }), app(span)],
      [app(span), app({ ...span, duration: 6 }), web(span)],
      [app(span)],
    ]);
    expect(trace).toMatchObject({ spanCount: 4, duplicateCount: 2 });
  });

  it('leaves out copies of spans that an earlier revision emitted; a revision of copies only is empty', () => {
    const contexts = new ContextTable(10);
    const first = assemble([[web({ id: 1 }), app({ id: 2, parent: 1 })]], { contexts });
    const second = assemble([[app({ id: 2, parent: 1 })]], { revision: 2, earlierHashes: first.hashes, contexts });
    expect(second.trace).toMatchObject({
      revision: 2,
      closeReason: 'late',
      spanCount: 0,
      duplicateCount: 1,
      inputs: [0],
      complete: false,
    });
    expect(second.trace.otlp.length).toBe(0);
    expect(second.hashes.length).toBe(0);
  });

  it('refuses fragments that are not whole', () => {
    const contexts = new ContextTable(10);
    const fragment = fragmentOf(otlp([web({ id: 1 })]), contexts);
    const closed = {
      traceId: 'x',
      closeReason: 'idle' as const,
      revision: 1,
      earlierHashes: NONE,
      contextLost: false,
      inputs: [0],
      lastAppendTime: 1,
    };
    for (let length = 1; length < fragment.length; length++) {
      expect(
        assembleTrace({ ...closed, fragments: [fragment.subarray(0, length)] }, (id) => contexts.get(id)),
      ).toBeUndefined();
    }
    expect(assembleTrace({ ...closed, fragments: [fragment] }, () => undefined)).toBeUndefined();
  });
});
