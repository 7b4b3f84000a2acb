import type { LedgerEntry } from '../../lib/codec/records.ts';
import type { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import type { LogRecord } from '../../lib/kafka/types.ts';
import type { WorkerWorld } from './worker-world.ts';

/** A log that was deleted, and how far its worker had come when it was told to begin anew. */
export interface PastLog {
  readonly records: readonly LogRecord[];
  entry: LedgerEntry | undefined;
}

/** What befalls the input itself: retention overtakes workers that stand still; a topic is deleted and made anew. */
export class LogFaults {
  readonly counts = { overtaken: 0, recreated: 0, halts: 0 };
  private readonly world: WorkerWorld;
  private readonly past = new Map<number, PastLog[]>();
  /** Partitions whose log is another one now, and whether a worker has refused to go on in it. */
  private readonly another = new Map<number, { readonly noncesBefore: ReadonlySet<string>; isRefused: boolean }>();

  constructor(world: WorkerWorld) {
    this.world = world;
  }

  logsBefore(partition: number): readonly PastLog[] {
    return this.past.get(partition) ?? [];
  }

  /**
   * All processes die, and before another starts retention takes some of what is committed as not yet read.
   * @returns the first offset that is left, or undefined when everything was read.
   */
  overtake(partition: number): number | undefined {
    const input = this.world.input(partition);
    const { applied } = this.world.entryOf(partition) ?? { applied: input.end };
    if (applied >= input.end || this.another.has(partition)) return undefined;
    this.world.fleet.crashAll();
    input.truncate(applied + 1 + this.world.random.below(input.end - applied));
    this.counts.overtaken++;
    return input.start;
  }

  /**
   * The topic's partition is deleted and made anew, while its workers run, are dead, or stand still. It may have grown past
   * the old position before anybody looks; with topic ids, whoever looks in between.
   * @param whoLooks `nobody`: all processes are dead.
   * @param refill sends so many records.
   */
  recreate(
    partition: number,
    whoLooks: 'workers' | 'nobody' | 'sleepers',
    refill: (records: number) => void = () => {},
  ): boolean {
    const entry = this.world.entryOf(partition);
    // Where no record was read, nobody can tell from the ledger of which log that was.
    if ((entry?.streamTime ?? 0) === 0 || this.another.has(partition)) return false;
    if (whoLooks === 'nobody') this.world.fleet.crashAll();
    if (whoLooks === 'sleepers') this.world.fleet.sleepAll();
    const input = this.world.input(partition);
    this.past.set(partition, [...this.logsBefore(partition), { records: input.committed(), entry }]);
    const { end } = input;
    input.recreate();
    const isNamed = this.world.isNamed(partition);
    if (!isNamed) this.world.nowMs += RECREATE_MS;
    this.another.set(partition, { noncesBefore: new Set(this.world.nonces), isRefused: false });
    this.counts.recreated++;
    const isInTime = whoLooks === 'workers' && !isNamed;
    const { random } = this.world;
    if (!isInTime && random.float() < 0.7) {
      // Often a little longer than the old one: then nothing but the log itself can tell.
      const isLonger = random.float() < 0.7;
      refill(Math.min(isLonger ? end + 1 + random.below(20) : random.below(2 * end), REFILLED_MAX));
    }
    return true;
  }

  failed(partition: number, error: SpanloomError): void {
    const another = this.another.get(partition);
    if (another === undefined || error.code !== 'INPUT_TRUNCATED') return;
    another.isRefused = true;
    this.counts.halts++;
  }

  /** The operator: some time after a worker has refused to go on, its position is deleted from the ledger. */
  step(): void {
    for (const [partition, another] of this.another) {
      const { random, isFaulty } = this.world;
      const entry = this.world.entryOf(partition);
      // No incarnation goes on from the old log to the new one.
      if (entry !== undefined && !another.noncesBefore.has(entry.nonce)) {
        this.another.delete(partition);
        continue;
      }
      if (!another.isRefused || (isFaulty && random.float() >= 0.02)) continue;
      // Refused before the key was deleted, and told of after it: whoever comes next begins anew, and must not lose that.
      if (entry === undefined) {
        another.isRefused = false;
        continue;
      }
      // A commit that was under way may come after the key was deleted; then the worker refuses again.
      (this.logsBefore(partition).at(-1) as PastLog).entry = entry;
      this.world.forgetPosition(partition);
      another.isRefused = false;
    }
  }

  /** No worker stands before a log that is another one. */
  get areSettled(): boolean {
    return [...this.another.keys()].every((partition) => {
      const isEmpty = this.world.input(partition).end === 0;
      return isEmpty && this.world.entryOf(partition) === undefined;
    });
  }
}

/** Deleting and making a topic takes a while, without which workers could not tell. */
const RECREATE_MS = 1_000;
const REFILLED_MAX = 150;
