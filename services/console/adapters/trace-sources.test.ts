import { afterEach, describe, expect, it } from '@jest/globals';
import { assembledTrace } from '../../../lib/testkit/assembled-trace.ts';
import { EPOCH_MS, otlp, type SpanLiteral } from '../../../lib/testkit/otlp-builder.ts';
import type { TracePart, TraceReader } from '../ports.ts';
import { ConsoleWorld, type ConsoleWorldOptions } from '../testing/console-world.ts';

const TRACE_ID = '1'.padStart(32, '0');
const ROOT: SpanLiteral = { id: 1, kind: 'server', name: 'GET /', duration: 30 };
const CHILD: SpanLiteral = { id: 2, parent: 1, name: 'work', start: 5, duration: 10 };
const LATE: SpanLiteral = { id: 3, parent: 1, name: 'late work', start: 20, duration: 5 };
let world: ConsoleWorld;
afterEach(() => world.close());

function part(source: TracePart['source'], revision: number, ...spans: SpanLiteral[]): TracePart {
  return { source, revision, contextLost: false, otlp: otlp([{ service: 'web', spans }]) };
}

function reader(source: TraceReader['source'], ...parts: TracePart[]): TraceReader & { asked: number } {
  const counting = {
    source,
    asked: 0,
    read: async () => {
      counting.asked++;
      return parts;
    },
  };
  return counting;
}

async function start(options: Omit<ConsoleWorldOptions, 'nowMs'>, hot?: { revision: number; spans: SpanLiteral[] }) {
  world = await new ConsoleWorld({ nowMs: EPOCH_MS + 60_000, ...options }).listen();
  if (hot === undefined) return;
  world.addTrace(assembledTrace(otlp([{ service: 'web', spans: hot.spans }]), { revision: hot.revision }));
}

async function trace() {
  const { status, json } = await world.get(`/api/console/traces/${TRACE_ID}`);
  const { spans, ...about } = json as { spans?: { operation: string }[]; sources: string[]; notices: Notice[] };
  return { status, operations: spans?.map(({ operation }) => operation), ...about };
}

interface Notice {
  code: string;
  source: string;
  message: string;
}

describe('a trace out of several sources', () => {
  it('has the spans of the hot store and of its open window, each once', async () => {
    await start({ near: [reader('live', part('live', 0, CHILD, LATE))] }, { revision: 1, spans: [ROOT, CHILD] });
    expect(await trace()).toMatchObject({
      status: 200,
      operations: ['GET /', 'work', 'late work'],
      sources: ['hot', 'live'],
      open: true,
      revisions: 1,
    });
  });

  it('gets earlier revisions from the archive, which is asked for nothing else', async () => {
    const archive = reader('archive', part('archive', 1, ROOT, CHILD));
    await start({ far: [archive] }, { revision: 2, spans: [LATE] });
    expect(await trace()).toMatchObject({ operations: ['GET /', 'work', 'late work'], sources: ['hot', 'archive'] });
    expect(archive.asked).toBe(1);
    world.addTrace(assembledTrace(otlp([{ service: 'web', spans: [ROOT, CHILD] }]), { revision: 1 }));
    expect(await trace()).toMatchObject({ sources: ['hot'], revisions: 2 });
    expect(archive.asked).toBe(1);
  });

  it('comes without what is down, and says what may be missing', async () => {
    const down: TraceReader = { source: 'live', read: () => Promise.reject(new Error('Redis is away')) };
    const slow: TraceReader = { source: 'archive', read: () => new Promise(() => {}) };
    await start({ near: [down], far: [slow], timeoutMs: 50 }, { revision: 2, spans: [ROOT] });
    const { operations, notices } = await trace();
    expect(operations).toEqual(['GET /']);
    expect(notices).toEqual([
      { code: 'source_down', source: 'live', message: expect.stringContaining('Redis is away') },
      { code: 'source_down', source: 'archive', message: expect.stringContaining('no answer within 50 ms') },
    ]);
    const { json } = await world.get('/api/console/health');
    expect(json).toMatchObject({ status: 'partial' });
    const classic = (await world.get(`/api/traces/${TRACE_ID}`)).json as { errors: { code: number }[] };
    expect(classic.errors.map(({ code }) => code)).toEqual([206, 206]);
  });

  it('is not found when no source has it, which a source that is down leaves open', async () => {
    const down: TraceReader = { source: 'archive', read: () => Promise.reject(new Error('no bucket')) };
    await start({ far: [down] });
    const { status, json } = await world.get(`/api/console/traces/${TRACE_ID}`);
    expect(status).toBe(404);
    expect(JSON.stringify(json)).toContain('older traces may be missing');
  });
});

describe('a search over several sources', () => {
  const found = (startMs: number, traceId: string) => ({
    traceId,
    revision: 1,
    startNs: BigInt(startMs) * 1_000_000n,
    durationNs: 1e6,
    rootService: 'web',
    rootOperation: 'GET /',
    spanCount: 1,
    errorCount: 0,
    orphanCount: 0,
    services: [],
    complete: true,
    contextLost: false,
  });

  it('asks the archive only for what is older than the hot store, and shows what both have once', async () => {
    const old = found(EPOCH_MS - 3_600_000, 'a'.repeat(32));
    const archive: TraceReader = {
      source: 'archive',
      read: async () => [],
      search: async () => ({ records: [found(EPOCH_MS, TRACE_ID), old], more: false, gaveUp: false }),
    };
    await start({ far: [archive] }, { revision: 1, spans: [ROOT] });
    const search = async (fromMs: number) => {
      const { json } = await world.get(`/api/console/traces?from=${fromMs}&to=${EPOCH_MS + 60_000}`);
      return (json as { traces: { traceId: string; source: string }[] }).traces.map(({ traceId, source }) => [
        traceId,
        source,
      ]);
    };
    expect(await search(EPOCH_MS)).toEqual([[TRACE_ID, 'hot']]);
    expect(await search(EPOCH_MS - 7_200_000)).toEqual([
      [TRACE_ID, 'hot'],
      [old.traceId, 'archive'],
    ]);
  });
});
