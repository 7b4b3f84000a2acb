/** Sends records to Kafka; resolves once all in-sync replicas have them. */
export type SendRecords = (records: readonly Buffer[]) => Promise<void>;

/** Records on their way. */
export interface Pending {
  /** Resolves when every record is acknowledged; rejects with what `send` threw. */
  readonly done: Promise<void>;
  /** Takes the records back if no send has begun with them: a client that gave up leaves nothing behind. */
  withdraw(): void;
}

/**
 * Gathers the records of many requests into few sends: while one is on its way the next one grows, so an idle collector
 * answers at once and a busy one sends large batches. Requests are answered in the order they came.
 */
export class GroupCommit {
  private readonly send: SendRecords;
  private readonly batchBytesMax: number;
  private waiting = new Set<Entry>();
  private running: Promise<void> | undefined;

  constructor(send: SendRecords, batchBytesMax: number) {
    this.send = send;
    this.batchBytesMax = batchBytesMax;
  }

  /** Requests that no send has begun with. */
  get waitingCount(): number {
    return this.waiting.size;
  }

  add(records: readonly Buffer[]): Pending {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry = { records, bytes: bytesOf(records), resolve, reject };
    this.waiting.add(entry);
    this.running ??= this.run();
    return { done: promise, withdraw: () => this.waiting.delete(entry) };
  }

  /** Resolves when everything added so far has its answer. */
  async idle(): Promise<void> {
    await this.running;
  }

  private async run(): Promise<void> {
    // Requests that arrive in the same turn of the event loop go together.
    await Promise.resolve();
    while (this.waiting.size > 0) {
      const entries = this.takeBatch();
      try {
        for (const records of this.parts(entries)) await this.send(records);
        for (const { resolve } of entries) resolve();
      } catch (error) {
        for (const { reject } of entries) reject(error);
      }
    }
    this.running = undefined;
  }

  private takeBatch(): Entry[] {
    const entries: Entry[] = [];
    let bytes = 0;
    for (const entry of this.waiting) {
      if (entries.length > 0 && bytes + entry.bytes > this.batchBytesMax) break;
      bytes += entry.bytes;
      entries.push(entry);
      this.waiting.delete(entry);
    }
    return entries;
  }

  /** One part, unless a single request is larger. */
  private *parts(entries: readonly Entry[]): Generator<Buffer[]> {
    let part: Buffer[] = [];
    let bytes = 0;
    for (const record of entries.flatMap(({ records }) => records)) {
      const size = record.length + RECORD_FRAME_BYTES;
      if (part.length > 0 && bytes + size > this.batchBytesMax) {
        yield part;
        part = [];
        bytes = 0;
      }
      part.push(record);
      bytes += size;
    }
    if (part.length > 0) yield part;
  }
}

interface Entry {
  readonly records: readonly Buffer[];
  /** On the wire, with the frames of the records. */
  readonly bytes: number;
  resolve(): void;
  reject(error: unknown): void;
}

function bytesOf(records: readonly Buffer[]): number {
  return records.reduce((sum, { length }) => sum + length + RECORD_FRAME_BYTES, 0);
}

/** Length, attributes, timestamp and offset deltas, lengths of key, value and headers: at most that in a record batch. */
const RECORD_FRAME_BYTES = 32;
