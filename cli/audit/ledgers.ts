import { type LedgerEntry, ledgerEntryCodec } from '../../lib/codec/records.ts';
import type { PartitionLog } from '../../lib/kafka/types.ts';
import { readLog } from './read-log.ts';

export interface WorkerEntry {
  readonly topic: string;
  readonly partition: number;
  readonly entry: LedgerEntry;
}

/** The newest entry of every worker of a ledger topic. */
export async function readLedgers(logs: readonly PartitionLog[]): Promise<WorkerEntry[]> {
  const newest = new Map<string, WorkerEntry>();
  for (const log of logs) {
    const { start, end } = await log.bounds();
    for await (const records of readLog(log, start, end)) {
      for (const { key, value } of records) {
        const match = /^[^/]+\/(.+)\/(\d+)\/entry$/.exec(key?.toString() ?? '');
        if (match === null) continue;
        // Without a value: somebody made this worker begin anew.
        if (value === null) newest.delete(match[0]);
        if (value === null) continue;
        const entry = ledgerEntryCodec.decode(value);
        newest.set(match[0], { topic: match[1] as string, partition: Number(match[2]), entry });
      }
    }
  }
  return [...newest.values()];
}
