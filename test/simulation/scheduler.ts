import type { SeededRandom } from '../../lib/testkit/traffic/random.ts';

/**
 * Runs production code deterministically: every call that code makes to the outside waits here until the seed picks it.
 *
 * A process is a name; crashing it forgets its calls for ever, pausing it keeps them (a zombie). Code between two calls
 * runs at once, so an interleaving is fully described by the order in which calls are picked.
 */
export class Scheduler {
  private readonly random: SeededRandom;
  private pending: PendingCall[] = [];
  private readonly dead = new Set<string>();
  private readonly pausedUntil = new Map<string, number>();
  /** Steps done; also the clock of pauses. */
  steps = 0;
  /** FNV-1a over the choices so far: two runs of one seed that differ anywhere differ here. */
  decisions = 0x811c9dc5;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  /** A call of `process` to the outside: `perform` runs when it is picked, and its outcome is the call's. */
  call<T>(process: string, perform: () => T): Promise<T> {
    if (this.dead.has(process)) return new Promise(() => {});
    return new Promise<T>((resolve, reject) => {
      this.pending.push({
        process,
        run: () => {
          try {
            resolve(perform());
          } catch (error) {
            reject(error);
          }
        },
      });
    });
  }

  /** Performs one waiting call of a process that is neither dead nor paused. @returns false when there is none. */
  async step(): Promise<boolean> {
    this.steps++;
    const ready = this.pending.filter(({ process }) => (this.pausedUntil.get(process) ?? 0) <= this.steps);
    if (ready.length === 0) return false;
    const picked = ready[this.random.below(ready.length)] as PendingCall;
    this.pending.splice(this.pending.indexOf(picked), 1);
    this.note(picked.process);
    picked.run();
    await settle();
    return true;
  }

  crash(process: string): void {
    this.note(`crash ${process}`);
    this.dead.add(process);
    this.pending = this.pending.filter((call) => call.process !== process);
  }

  pause(process: string, steps: number): void {
    this.note(`pause ${process} ${steps}`);
    this.pausedUntil.set(process, this.steps + steps);
  }

  private note(choice: string): void {
    const line = `${this.steps} ${choice}`;
    for (let i = 0; i < line.length; i++) this.decisions = Math.imul(this.decisions ^ line.charCodeAt(i), 0x01000193);
  }
}

interface PendingCall {
  readonly process: string;
  readonly run: () => void;
}

/** Lets all code that can run do so, until every process waits for a call. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
