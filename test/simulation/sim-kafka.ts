import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import type {
  FencedWriter,
  FetchedRecords,
  LogRecord,
  NamedLog,
  OutRecord,
  Transaction,
} from '../../lib/kafka/types.ts';
import type { SeededRandom } from '../../lib/testkit/traffic/random.ts';
import type { Scheduler } from './scheduler.ts';

type TransactionState = 'open' | 'committed' | 'aborted';

interface Slot {
  readonly record: LogRecord | null;
  readonly transaction: { state: TransactionState };
}

/** A partition with transactions, markers that take offsets, and a last stable offset. */
export class SimPartition {
  slots: Slot[] = [];
  /** First offset that retention has left. */
  start = 0;
  /** Times that the topic was made anew, from which its id is made. */
  private remade = 0;

  get id(): string {
    return `id-${this.remade}`;
  }

  get end(): number {
    return this.slots.length;
  }

  get lastStableOffset(): number {
    const open = this.slots.findIndex((slot) => slot.transaction.state === 'open');
    return open < 0 ? this.slots.length : open;
  }

  append(record: Omit<LogRecord, 'offset'>, transaction: Slot['transaction'] = { state: 'committed' }): number {
    const offset = this.slots.length;
    this.slots.push({ record: { ...record, offset }, transaction });
    return offset;
  }

  appendMarker(): void {
    this.slots.push({ record: null, transaction: { state: 'committed' } });
  }

  /** Retention, which waits for nobody: what is below `start` can no longer be read. */
  truncate(start: number): void {
    this.start = Math.max(this.start, Math.min(start, this.lastStableOffset));
  }

  /** The topic was deleted and made anew. */
  recreate(): void {
    this.slots = [];
    this.start = 0;
    this.remade++;
  }

  committed(): LogRecord[] {
    return this.slots.flatMap((slot) =>
      slot.record !== null && slot.transaction.state === 'committed' ? [slot.record] : [],
    );
  }
}

/** Topics, fencing by transactional id, and the faults of a broker. */
export class SimKafka {
  private readonly partitions = new Map<string, SimPartition>();
  private readonly epochs = new Map<string, number>();
  private readonly open = new Map<string, { state: TransactionState; touched: Set<SimPartition> }>();

  partition(topic: string, partition: number): SimPartition {
    const name = `${topic}/${partition}`;
    let known = this.partitions.get(name);
    if (known === undefined) {
      known = new SimPartition();
      this.partitions.set(name, known);
    }
    return known;
  }

  /**
   * A reader for one process. `staleChance`: how often its leader lags behind and serves less. `topicIds`: which brokers
   * have, and whether readers go by them.
   */
  log(
    process: string,
    partition: SimPartition,
    scheduler: Scheduler,
    random: SeededRandom,
    options: {
      recordsMax: number;
      staleChance: () => number;
      failChance: () => number;
      topicIds: () => 'none' | 'known' | 'ignored';
    },
  ): NamedLog {
    let known: string | undefined;
    const sameTopic = (): string | undefined => {
      const topicIds = options.topicIds();
      if (topicIds === 'none') return undefined;
      const before = known;
      known = partition.id;
      if (before === undefined || before === known || topicIds === 'ignored') return known;
      throw new SpanloomError('KAFKA_TOPIC_RECREATED', `it was ${before} and is ${known}`, { retryable: true });
    };
    const visibleEnd = () => {
      const end = partition.lastStableOffset;
      return random.float() < options.staleChance() ? Math.max(0, end - 1 - random.below(4)) : end;
    };
    return {
      id: () => scheduler.call(process, sameTopic),
      bounds: () =>
        scheduler.call(process, () => {
          return { start: partition.start, end: Math.max(partition.start, visibleEnd()) };
        }),
      fetch: ({ offset }) =>
        scheduler.call(process, (): FetchedRecords => {
          if (random.float() < options.failChance())
            throw new SpanloomError('KAFKA_REQUEST', 'injected', { retryable: true });
          const topicId = sameTopic();
          if (offset < partition.start || offset > partition.end) {
            const held = `[${partition.start}, ${partition.end}]`;
            throw new SpanloomError('KAFKA_OFFSET_GONE', `offset ${offset} is not in ${held}`);
          }
          const end = visibleEnd();
          const records: LogRecord[] = [];
          let nextOffset = offset;
          const most = 1 + random.below(options.recordsMax);
          while (nextOffset < end && records.length < most) {
            const slot = partition.slots[nextOffset++] as Slot;
            if (slot.record !== null && slot.transaction.state === 'committed') records.push(slot.record);
          }
          return {
            records,
            nextOffset,
            lastStableOffset: end,
            highWatermark: partition.end,
            logStartOffset: partition.start,
            // Read by name, whatever may be asked of its id.
            topicId: options.topicIds() === 'ignored' ? undefined : topicId,
          };
        }),
    };
  }

  /** Opens a transactional writer as `process`; fences whoever had the id. */
  openWriter(
    process: string,
    id: string,
    scheduler: Scheduler,
    random: SeededRandom,
    nowMs: () => number,
    failChance: () => number,
  ): Promise<FencedWriter> {
    return scheduler.call(process, () => {
      const epoch = (this.epochs.get(id) ?? 0) + 1;
      this.epochs.set(id, epoch);
      this.end(id, 'aborted');
      return this.writer(process, id, epoch, scheduler, random, nowMs, failChance);
    });
  }

  private writer(
    process: string,
    id: string,
    epoch: number,
    scheduler: Scheduler,
    random: SeededRandom,
    nowMs: () => number,
    failChance: () => number,
  ): FencedWriter {
    const check = () => {
      if (this.epochs.get(id) !== epoch) throw new SpanloomError('KAFKA_FENCED', `${id} was fenced`);
    };
    const txn: Transaction = {
      send: (topic: string, partition: number, records: readonly OutRecord[]) =>
        scheduler.call(process, () => {
          check();
          const log = this.partition(topic, partition);
          const transaction = this.open.get(id) ?? {
            state: 'open' as TransactionState,
            touched: new Set<SimPartition>(),
          };
          this.open.set(id, transaction);
          transaction.touched.add(log);
          let baseOffset = -1;
          for (const { key, value, headers } of records) {
            const offset = log.append(
              { key: key === null ? null : Buffer.from(key), value, timestampMs: nowMs(), headers: headersOf(headers) },
              transaction,
            );
            if (baseOffset < 0) baseOffset = offset;
          }
          return { baseOffset };
        }),
    };
    return {
      transaction: async (build) => {
        await build(txn);
        await scheduler.call(process, () => {
          check();
          if (random.float() < failChance()) {
            // The connection breaks before the request, or after it: the caller cannot tell.
            if (random.float() < 0.5) this.end(id, 'committed');
            throw new SpanloomError('KAFKA_REQUEST', 'injected: outcome of the commit unknown', { retryable: true });
          }
          this.end(id, 'committed');
        });
      },
      close: async () => {},
    };
  }

  private end(id: string, state: TransactionState): void {
    const transaction = this.open.get(id);
    if (transaction === undefined) return;
    transaction.state = state;
    this.open.delete(id);
    for (const log of transaction.touched) log.appendMarker();
  }
}

function headersOf(headers: OutRecord['headers']): ReadonlyMap<string, Buffer> {
  return new Map(Object.entries(headers ?? {}).map(([name, value]) => [name, Buffer.from(value)]));
}
