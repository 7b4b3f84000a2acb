import { expect, it } from '@jest/globals';
import type { LedgerEntry } from '../../../lib/codec/records.ts';
import { EPOCH_MS, otlp } from '../../../lib/testkit/otlp-builder.ts';
import { MemoryWindowStore } from '../adapters/memory-window-store.ts';
import { AssemblerStage } from './assembler-stage.ts';

const SETTINGS = {
  ...{ spansTopic: 'spans', tracesTopic: 'traces', deadLettersTopic: 'letters', partition: 0 },
  ...{ idleTimeoutMs: 1_000, rootlessIdleTimeoutMs: 60_000, ageMaxMs: 600_000, horizonMs: 1_000, contextsMax: 16 },
  ...{ windowBytesMax: 1 << 20, spansPerTraceMax: 1_000, outboxBytesMax: 1 << 20, transactionBytesMax: 1 << 20 },
};
const NOTHING = { received() {}, emitted() {}, foreignRecord() {}, recovered() {}, open() {} };

/** One partition whose traces topic ends at `end`: a stage, and what its commits write into the ledger. */
function setUp(store: MemoryWindowStore, end: number) {
  const log = {
    bounds: async () => ({ start: 0, end }),
    fetch: async () => {
      throw new Error('nothing is read back');
    },
  };
  const stage = new AssemblerStage(SETTINGS, store, log, NOTHING);
  let offset = 0;
  return {
    stage,
    /** A span of a trace of its own; with a root it is out two seconds later. */
    take: async (trace: number, { root }: { root: boolean }, atMs: number, from = offset) => {
      const value = otlp([{ service: 'a', spans: [{ id: 2, parent: root ? 0 : 1, trace }] }], { epochMs: EPOCH_MS });
      const record = {
        offset: from,
        timestampMs: EPOCH_MS + atMs,
        key: null,
        value,
        headers: new Map<string, Buffer>(),
      };
      offset = from + 1;
      await stage.apply([record], { streamTimeMs: EPOCH_MS + atMs, caughtUp: false, nextOffset: offset });
    },
    /** @param base where Kafka puts the first record of the transaction. */
    commit: async (base: number, reason: 'interval' | 'drain' = 'interval'): Promise<LedgerEntry> => {
      const prepared = await stage.prepare(reason);
      if (prepared === undefined) throw new Error('there was nothing to commit');
      const end = (topic: string) => {
        const records = prepared.outputs.find((output) => output.topic === topic)?.records.length ?? 0;
        return records === 0 ? undefined : base + records;
      };
      const entry = prepared.entry(end);
      await stage.committed(prepared, end);
      return { ...entry, kind: 'entry', nonce: 'n' };
    },
  };
}

it('names as R where the log stood when the oldest open window began', async () => {
  const { stage, take, commit } = setUp(new MemoryWindowStore(10), 500);
  await stage.recover(undefined, { nonce: 'n' });
  await take(1, { root: false }, 0);
  await take(2, { root: true }, 0);
  await take(3, { root: true }, 2_000);
  expect(await commit(500)).toMatchObject({ low: 0, outputPosition: 500, outputEnd: 501 });
});

it('reads a traces topic that was made anew back from its start: no checkpoint is of that log', async () => {
  const { stage, take, commit } = setUp(new MemoryWindowStore(10), 500);
  await stage.recover(undefined, { nonce: 'n' });
  await take(1, { root: false }, 0);
  await take(2, { root: true }, 0);
  await take(3, { root: true }, 2_000);
  expect(await commit(0)).toMatchObject({ low: 0, outputPosition: 0, outputEnd: 1 });
  await take(4, { root: true }, 4_000);
  expect(await commit(2)).toMatchObject({ low: 0, outputPosition: 0, outputEnd: 3 });
});

it('tells the next owner so when the transaction that hands over is the first to see it', async () => {
  const store = new MemoryWindowStore(10);
  const before = setUp(store, 500);
  await before.stage.recover(undefined, { nonce: 'n' });
  await before.take(1, { root: false }, 0);
  await before.take(2, { root: true }, 0);
  await before.take(3, { root: true }, 2_000);
  const last = await before.commit(0, 'drain');
  expect(last).toMatchObject({ outputPosition: 0, outputEnd: 1 });
  const after = setUp(store, 1);
  const from = await after.stage.recover(last, { nonce: 'm' });
  expect(from).toBe(3);
  await after.take(4, { root: true }, 4_000, from);
  expect(await after.commit(2)).toMatchObject({ low: 0, outputPosition: 0 });
});
