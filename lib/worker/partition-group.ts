import type { AssignedPartition, Membership } from '../kafka/types.ts';

/** Works on one partition until it is stopped. */
export interface Worker {
  /** Resolves when the worker has drained. Never rejects. */
  run(): Promise<void>;
  stop(): void;
}

export interface PartitionGroupOptions {
  /** Joins the consumer group; `onAssignment` is called with everything that is assigned, at each change. */
  join(onAssignment: (assigned: readonly AssignedPartition[]) => void): Promise<Membership>;
  createWorker(partition: AssignedPartition): Worker;
}

/**
 * Runs one worker for each partition that the consumer group assigns to this process.
 *
 * A partition that is taken away drains at once; the group does not wait for that, the successor watches the ledger for
 * it. A partition that comes back while it still drains starts again when that is done: never two workers of one
 * partition in one process.
 */
export class PartitionGroup {
  private readonly options: PartitionGroupOptions;
  private readonly running = new Map<string, RunningPartition>();
  private readonly draining = new Map<string, Promise<void>>();
  private membership: Membership | undefined;
  private stopping = false;

  constructor(options: PartitionGroupOptions) {
    this.options = options;
  }

  async start(): Promise<void> {
    this.membership = await this.options.join((assigned) => this.assign(assigned));
  }

  /** Partitions at work in this process. */
  get size(): number {
    return this.running.size;
  }

  reportOffset(partition: AssignedPartition, nextOffset: number): void {
    this.membership?.reportOffset(partition, nextOffset);
  }

  /** Commits at once; see Membership. */
  async commit(partition: AssignedPartition, nextOffset: number, note: string): Promise<void> {
    await this.membership?.commit(partition, nextOffset, note);
  }

  /** Drains every worker, then leaves the group, so that the others take over from hand-offs. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const name of [...this.running.keys()]) this.drain(name);
    await Promise.all(this.draining.values());
    await this.membership?.leave();
  }

  private assign(assigned: readonly AssignedPartition[]): void {
    if (this.stopping) return;
    const wanted = new Map(assigned.map((partition) => [nameOf(partition), partition]));
    for (const name of [...this.running.keys()]) if (!wanted.has(name)) this.drain(name);
    for (const [name, partition] of wanted) if (!this.running.has(name)) this.run(name, partition);
  }

  private run(name: string, partition: AssignedPartition): void {
    const entry: RunningPartition = { worker: undefined, cancelled: false, done: Promise.resolve() };
    entry.done = (this.draining.get(name) ?? Promise.resolve()).then(async () => {
      if (entry.cancelled) return;
      entry.worker = this.options.createWorker(partition);
      await entry.worker.run();
    });
    this.running.set(name, entry);
  }

  private drain(name: string): void {
    const entry = this.running.get(name);
    if (entry === undefined) return;
    this.running.delete(name);
    entry.cancelled = true;
    entry.worker?.stop();
    const done: Promise<void> = entry.done.finally(() => {
      if (this.draining.get(name) === done) this.draining.delete(name);
    });
    this.draining.set(name, done);
  }
}

interface RunningPartition {
  worker: Worker | undefined;
  cancelled: boolean;
  done: Promise<void>;
}

function nameOf({ topic, partition }: AssignedPartition): string {
  return `${topic}/${partition}`;
}
