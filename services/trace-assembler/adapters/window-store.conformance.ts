import { describe, expect, it } from '@jest/globals';
import type { WindowStep, WindowStore } from '../ports.ts';

/** What every window store promises; run against each, so that tests may trust the one in memory. */
export function windowStoreConformance(name: string, createStore: () => Promise<WindowStore>): void {
  const begun = async (namespace = 'ns-1') => {
    const store = await createStore();
    await store.begin(namespace, 1_000);
    return store;
  };

  describe(`${name} as a window store`, () => {
    it('gives back the fragments of a window in the order in which they were appended', async () => {
      const store = await begun();
      await store.step('ns-1', step({ appends: [append('w1', TRACE_A, 0, 'one', 'two')] }));
      await store.step('ns-1', step({ appends: [append('w1', TRACE_A, 2, 'three')] }));
      const { taken } = await store.step('ns-1', step({ takes: [{ windowKey: 'w1', traceId: TRACE_A, length: 3 }] }));
      expect(taken.map((fragments) => fragments.map(String))).toEqual([['one', 'two', 'three']]);
    });

    it('appends before it takes within one step, and keeps bytes as they are', async () => {
      const store = await begun();
      const bytes = Buffer.from([0, 255, 13, 10, 128]);
      const { taken } = await store.step('ns-1', {
        ...step({}),
        appends: [{ windowKey: 'w1', traceId: TRACE_A, had: 0, fragments: [bytes] }],
        takes: [{ windowKey: 'w1', traceId: TRACE_A, length: 1 }],
      });
      expect(taken[0]?.[0]?.equals(bytes)).toBe(true);
    });

    it.each([
      [
        'an append to a window that is shorter than the worker says',
        step({ appends: [append('w1', TRACE_A, 1, 'x')] }),
      ],
      ['a take of a window that is not there', step({ takes: [{ windowKey: 'w1', traceId: TRACE_A, length: 1 }] })],
      [
        'a take of a window that is longer than the worker says',
        step({
          appends: [append('w1', TRACE_A, 0, 'x', 'y')],
          takes: [{ windowKey: 'w1', traceId: TRACE_A, length: 1 }],
        }),
      ],
    ])('is surprised by %s', async (_what, wrong) => {
      const store = await begun();
      await expect(store.step('ns-1', wrong)).rejects.toMatchObject({ code: 'WINDOW_STORE_SURPRISE', retryable: true });
    });

    it('is surprised by a worker whose namespace is no longer the living one', async () => {
      const store = await begun('ns-1');
      await store.begin('ns-2', 1_000);
      const late = step({ appends: [append('w1', TRACE_A, 0, 'x')] });
      await expect(store.step('ns-1', late)).rejects.toMatchObject({ code: 'WINDOW_STORE_SURPRISE' });
    });

    it('drops the windows of the namespace before', async () => {
      const store = await begun('ns-1');
      await store.step('ns-1', step({ appends: [append('w1', TRACE_A, 0, 'x')] }));
      await store.begin('ns-2', 1_000);
      await store.begin('ns-1', 1_000);
      const { remembered } = await store.step('ns-1', step({ appends: [append('w1', TRACE_A, 0, 'y')] }));
      expect(remembered).toEqual([null]);
    });

    it('answers for each window that opens what is remembered of its trace', async () => {
      const store = await begun();
      await store.remember([{ traceId: TRACE_A, revision: 1, hashes: hashes(1, 2) }]);
      await store.remember([{ traceId: TRACE_A, revision: 2, hashes: hashes(3) }]);
      const { remembered } = await store.step(
        'ns-1',
        step({ appends: [append('w1', TRACE_B, 0, 'x'), append('w2', TRACE_A, 0, 'y')] }),
      );
      expect(remembered).toEqual([null, { revision: 2, hashes: hashes(1, 2, 3) }]);
    });

    it('remembers a revision once, however often it is told', async () => {
      const store = await begun();
      const twice = [{ traceId: TRACE_A, revision: 1, hashes: hashes(1) }];
      await store.remember(twice);
      await store.remember(twice);
      const { remembered } = await store.step('ns-1', step({ appends: [append('w1', TRACE_A, 0, 'x')] }));
      expect(remembered).toEqual([{ revision: 1, hashes: hashes(1) }]);
    });

    it('gives an index out once, and only under its nonce', async () => {
      const store = await begun();
      await store.saveIndex('ns-1', 'n1', Buffer.from('index'));
      expect((await store.takeIndex('ns-1', 'n2')).index).toBeNull();
      expect((await store.takeIndex('ns-1', 'n1')).index?.toString()).toBe('index');
      expect((await store.takeIndex('ns-1', 'n1')).index).toBeNull();
    });

    it('says since when it remembers: from the first namespace on', async () => {
      const store = await createStore();
      expect(await store.begin('ns-1', 1_000)).toEqual({ contextSinceMs: 1_000 });
      expect(await store.begin('ns-2', 5_000)).toEqual({ contextSinceMs: 1_000 });
    });

    it('carries a step of thousands of traces and fragments', async () => {
      const store = await begun();
      const appends = Array.from({ length: 1_500 }, (_, i) => append(`w${i}`, traceId(i), 0, `a${i}`, `b${i}`));
      appends.push(append('big', traceId(9_999), 0, ...Array.from({ length: 9_000 }, (_, i) => String(i))));
      await store.step('ns-1', step({ appends, contexts: [{ id: 1, bytes: Buffer.from('c') }] }));
      const { taken } = await store.step(
        'ns-1',
        step({
          takes: [
            ...Array.from({ length: 1_500 }, (_, i) => ({ windowKey: `w${i}`, traceId: traceId(i), length: 2 })),
            { windowKey: 'big', traceId: traceId(9_999), length: 9_000 },
          ],
          retiredContexts: [1],
        }),
      );
      expect(taken.slice(0, 1_500).map((fragments) => fragments.join())).toEqual(
        Array.from({ length: 1_500 }, (_, i) => `a${i},b${i}`),
      );
      expect(taken[1_500]?.length).toBe(9_000);
    });
  });
}

const TRACE_A = 'a'.repeat(32);
const TRACE_B = 'b'.repeat(32);

function traceId(i: number): string {
  return i.toString(16).padStart(32, '0');
}

function step(parts: Partial<WindowStep>): WindowStep {
  return { appends: [], takes: [], contexts: [], retiredContexts: [], ...parts };
}

function append(windowKey: string, id: string, had: number, ...fragments: string[]) {
  return { windowKey, traceId: id, had, fragments: fragments.map((fragment) => Buffer.from(fragment)) };
}

function hashes(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.alloc(8, value)));
}
