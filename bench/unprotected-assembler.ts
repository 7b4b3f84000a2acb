/**
 * Preloaded into a trace-assembler by protection-cost.ts, this takes its protection out: copies are not looked for and closed
 * traces not remembered, there is no ledger, and records go out in one transaction every few seconds where the assembler
 * ends one with each batch. What is left neither knows where it was nor what it has emitted. The length check of windows
 * stays, a number for each call.
 */
import type { FencedWriter, Transaction } from '../lib/kafka/types.ts';
import { PartitionWorker } from '../lib/worker/partition-worker.ts';
import type { CommitReason, Stage } from '../lib/worker/types.ts';
import { RedisWindowStore } from '../services/trace-assembler/adapters/redis-window-store.ts';
import { CopyFilter } from '../services/trace-assembler/core/copy-filter.ts';

/** Below the ten seconds after which the broker would end it. */
const TRANSACTION_MS = 5_000;

Object.assign(CopyFilter.prototype, { mark: () => 0, keptHashes: () => Buffer.alloc(0) });
Object.assign(RedisWindowStore.prototype, { remember: async () => {} });
Object.assign(PartitionWorker.prototype, {
  async commit(this: { stage: Stage }, writer: FencedWriter, _nonce: string, _time: unknown, reason: CommitReason) {
    const commit = await this.stage.prepare(reason);
    if (commit === undefined) return;
    const txn = await longTransaction(writer);
    const ends = new Map<string, number>();
    for (const { topic, partition, records } of commit.outputs) {
      if (records.length === 0) continue;
      const { baseOffset } = await txn.send(topic, partition, records);
      ends.set(`${topic}/${partition}`, baseOffset + records.length);
    }
    await this.stage.committed(commit, (topic, partition) => ends.get(`${topic}/${partition}`));
  },
});

interface LongTransaction {
  readonly txn: Transaction;
  readonly sinceMs: number;
  end(): Promise<void>;
}

const open = new WeakMap<FencedWriter, LongTransaction>();

async function longTransaction(writer: FencedWriter): Promise<Transaction> {
  const before = open.get(writer);
  if (before !== undefined && performance.now() - before.sinceMs < TRANSACTION_MS) return before.txn;
  await before?.end();
  const begun = Promise.withResolvers<Transaction>();
  const ending = Promise.withResolvers<void>();
  const ended = writer.transaction((txn) => {
    begun.resolve(txn);
    return ending.promise;
  });
  ended.catch(begun.reject);
  const end = () => {
    ending.resolve();
    return ended;
  };
  const txn = await begun.promise;
  open.set(writer, { txn, sinceMs: performance.now(), end });
  return txn;
}
