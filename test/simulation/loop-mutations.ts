import type { FencedWriter, OutRecord, PartitionLog } from '../../lib/kafka/types.ts';
import type { Ledger } from '../../lib/worker/ledger.ts';
import type { PartitionWorker } from '../../lib/worker/partition-worker.ts';

/** The worker as it would be without a claim: it takes what its reader says is the end of the ledger. */
export function withoutClaim(log: PartitionLog): { log: PartitionLog; writer(writer: FencedWriter): FencedWriter } {
  let claimed: { offset: number; record: OutRecord } | undefined;
  return {
    log: {
      bounds: () => log.bounds(),
      fetch: async (request) => {
        if (claimed === undefined || request.offset !== claimed.offset) return log.fetch(request);
        const { offset, record } = claimed;
        claimed = undefined;
        const { key, value } = record;
        const own = { offset, timestampMs: 0, key: Buffer.from(key as string), value, headers: new Map() };
        return {
          records: [own],
          nextOffset: offset + 1,
          lastStableOffset: offset,
          highWatermark: offset,
          logStartOffset: 0,
        };
      },
    },
    writer: (writer) => ({
      transaction: async (build) => {
        let isClaim = false;
        const { end } = await log.bounds();
        await writer.transaction((txn) =>
          build({
            send: async (topic, partition, records) => {
              const record = records[0] as OutRecord;
              if (!String(record.key).endsWith('/claim')) return txn.send(topic, partition, records);
              isClaim = true;
              claimed = { offset: end, record };
              return { baseOffset: end };
            },
          }),
        );
        if (!isClaim) claimed = undefined;
      },
      close: () => writer.close(),
    }),
  };
}

/** The worker as it would be if it took any log of its name for its own. The method is private to everyone but this. */
export function trustLog(worker: PartitionWorker): void {
  (worker as unknown as { refuseAnotherLog(): Promise<void> }).refuseAnotherLog = async () => {};
}

/** The worker as it would be if it looked at its log only when it begins. */
export function neverLookAgain(worker: PartitionWorker): void {
  (worker as unknown as { lookAgain(): Promise<void> }).lookAgain = async () => {};
}

/** The worker as it would be if its ledger did not say which topic the offsets in it are of. */
export function keepNoTopicId(worker: PartitionWorker): void {
  const { ledger } = worker as unknown as { ledger: Ledger };
  const { entryRecord } = ledger;
  ledger.entryRecord = (entry) => entryRecord.call(ledger, entry, undefined);
}

/** The ledger entry in a transaction of its own, behind that of the output. */
export function ledgerApart(writer: FencedWriter): FencedWriter {
  return {
    transaction: async (build) => {
      const held: { topic: string; partition: number; records: readonly OutRecord[] }[] = [];
      await writer.transaction((txn) =>
        build({
          send: async (topic, partition, records) => {
            if (topic !== 'ledger' || String(records[0]?.key).endsWith('/claim'))
              return txn.send(topic, partition, records);
            held.push({ topic, partition, records });
            return { baseOffset: 0 };
          },
        }),
      );
      if (held.length === 0) return;
      await writer.transaction(async (txn) => {
        for (const { topic, partition, records } of held) await txn.send(topic, partition, records);
      });
    },
    close: () => writer.close(),
  };
}
