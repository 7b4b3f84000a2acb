import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { assembledTrace } from '../../../lib/testkit/assembled-trace.ts';
import { EPOCH_MS, otlp } from '../../../lib/testkit/otlp-builder.ts';
import { searchStore, type TraceQuery } from '../core/hot/search-store.ts';
import { traceView } from '../core/trace/trace-view.ts';
import { HotStore } from './hot-store.ts';

const LIMITS = { retentionMs: 3_600_000, bytesMax: 1024 ** 3 };
let folder: string;
let store: HotStore;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'spanloom-hot-'));
  store = new HotStore(path.join(folder, 'traces.db'), LIMITS);
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Trace `n` starts n seconds after EPOCH_MS; every third fails, and each has its own user. */
function add(n: number, appendedMs = EPOCH_MS + n * 1000): void {
  const bytes = otlp(
    [
      { service: 'web', spans: [{ id: 1, kind: 'server', name: 'GET /', attributes: { 'enduser.id': `user-${n}` } }] },
      { service: 'shop', spans: [{ id: 2, parent: 1, kind: 'server', name: 'buy', attributes: { items: n % 5 } }] },
    ],
    { trace: n },
  );
  store.add(
    assembledTrace(bytes, {
      startTimeUnixNano: BigInt(EPOCH_MS + n * 1000) * 1_000_000n,
      durationNano: BigInt(n) * 1_000_000n,
      errorCount: n % 3 === 0 ? 1 : 0,
    }),
    appendedMs,
  );
}

function found(query: Omit<TraceQuery, 'limit'>): number[] {
  const { records } = searchStore(store, { ...query, limit: 5 });
  return records.map(({ traceId }) => Number.parseInt(traceId, 16));
}

const CASES: readonly [string, Omit<TraceQuery, 'limit'>, number[]][] = [
  ['everything, newest first', {}, [30, 29, 28, 27, 26]],
  ['a service', { service: 'shop' }, [30, 29, 28, 27, 26]],
  ['an operation of its service', { service: 'shop', operation: 'buy' }, [30, 29, 28, 27, 26]],
  ['an operation of another service', { service: 'web', operation: 'buy' }, []],
  ['an attribute that one has', { attributes: [['enduser.id', 'user-7']] }, [7]],
  ['an attribute that is a number', { attributes: [['items', '4']] }, [29, 24, 19, 14, 9]],
  ['an attribute of a span of another service', { service: 'web', attributes: [['items', '4']] }, []],
  ['failed ones', { failed: true }, [30, 27, 24, 21, 18]],
  ['a duration', { durationMinMs: 10, durationMaxMs: 12 }, [12, 11, 10]],
  ['a range of time', { fromMs: EPOCH_MS + 3_000, toMs: EPOCH_MS + 5_000 }, [4, 3]],
];

describe('HotStore', () => {
  it.each(CASES)('finds %s, in blocks, in the open block and after a restart', (_name, query, expected) => {
    for (let n = 1; n <= 20; n++) add(n);
    store.seal(new Map([[0, 20]]));
    for (let n = 21; n <= 30; n++) add(n);
    expect(found(query)).toEqual(expected);
    store.seal(new Map([[0, 30]]));
    store.close();
    store = new HotStore(path.join(folder, 'traces.db'), LIMITS);
    expect(store.position(0)).toBe(30);
    expect(found(query)).toEqual(expected);
  });

  it('gives back the spans of a trace by its id', () => {
    add(7);
    store.seal(new Map());
    const traceId = '7'.padStart(32, '0');
    const [trace] = store.find(traceId);
    const parts = [{ source: 'hot' as const, revision: 1, contextLost: false, otlp: trace?.otlp() ?? Buffer.alloc(0) }];
    expect(traceView(traceId, parts, 10)?.spans).toMatchObject([
      { operation: 'GET /', service: 'web', parent: -1, depth: 0 },
      { operation: 'buy', service: 'shop', parent: 0, depth: 1 },
    ]);
    expect(store.find('8'.padStart(32, '0'))).toEqual([]);
  });

  it('deletes what is older than retention', () => {
    add(1, EPOCH_MS);
    store.seal(new Map());
    add(2, EPOCH_MS + LIMITS.retentionMs + 1);
    expect(store.seal(new Map())).toEqual({ dropped: 1 });
    expect(found({})).toEqual([2]);
  });

  it('loses with the process only what its positions do not cover', () => {
    add(1);
    store.seal(new Map([[0, 1]]));
    add(2);
    store.close();
    store = new HotStore(path.join(folder, 'traces.db'), LIMITS);
    expect([store.position(0), found({})]).toEqual([1, [1]]);
  });
});
