import type { AssignedPartition } from '../../lib/kafka/types.ts';
import type { SeededRandom } from '../../lib/testkit/traffic/random.ts';
import { PartitionGroup, type Worker } from '../../lib/worker/partition-group.ts';
import type { Scheduler } from './scheduler.ts';

export interface FleetCounts {
  crashes: number;
  zombies: number;
  drains: number;
  rebalances: number;
  /** Partitions that two processes were given at once. */
  doubled: number;
}

/**
 * Processes of one service that share partitions out: each runs the production PartitionGroup. The seed crashes, pauses
 * and drains them, starts others, moves partitions, and now and then gives one partition to two processes at once.
 */
export class Fleet {
  readonly counts: FleetCounts = { crashes: 0, zombies: 0, drains: 0, rebalances: 0, doubled: 0 };
  private readonly options: FleetOptions;
  private processes: FleetProcess[] = [];
  private next = 1;

  constructor(options: FleetOptions) {
    this.options = options;
  }

  /** Begins with two processes. */
  start(): void {
    this.startProcess();
    this.startProcess();
    this.rebalance();
  }

  /** Called at each step: mostly nothing happens. */
  disturb(): void {
    const { random } = this.options;
    this.processes = this.processes.filter(({ left }) => !left);
    if (this.processes.length === 0) this.startProcess();
    const victim = this.processes[random.below(this.processes.length)] as FleetProcess;
    if (this.options.rolling) return this.roll(victim);
    const x = random.float();
    if (x < 0.008) {
      this.counts.crashes++;
      this.crash(victim);
      this.rebalance();
    } else if (x < 0.014) {
      this.pause(victim, 20 + random.below(200));
      this.rebalance();
    } else if (x < 0.02) {
      this.drain(victim);
    } else if (x < 0.03 && this.processes.length < PROCESSES_MAX) {
      this.startProcess();
      this.rebalance();
    } else if (x < 0.036) this.rebalance();
  }

  /** A rolling restart that never ends: one process leaves in order, another comes. */
  private roll(victim: FleetProcess): void {
    const x = this.options.random.float();
    if (x < 0.02) this.drain(victim);
    else if (x < 0.06 && this.processes.length < 2) {
      this.startProcess();
      this.rebalance();
    }
  }

  private drain(process: FleetProcess): void {
    if (!process.leaving) this.counts.drains++;
    process.leaving = true;
    void process.group.stop().then(() => {
      process.left = true;
    });
    this.rebalance();
  }

  /** Everything dies at once; what starts after it finds things as they are then. */
  crashAll(): void {
    this.counts.crashes += this.processes.length;
    for (const process of this.processes) this.crash(process);
    this.processes = [];
    this.startProcess();
    this.rebalance();
  }

  /** Everything stops and goes on later, with what it had, mostly before anybody takes over. */
  sleepAll(): void {
    for (const process of this.processes) this.pause(process, 20 + this.options.random.below(60));
  }

  /** Everything stops and goes on later, with what it had; another process takes over meanwhile. */
  pauseAll(): void {
    for (const process of this.processes) this.pause(process, 200 + this.options.random.below(200));
    this.startProcess();
    this.rebalance();
  }

  /** Everything dies; one process is given every partition and left alone. */
  finish(): void {
    for (const process of this.processes) this.crash(process);
    this.processes = [];
    this.startProcess();
    this.assign(
      this.processes[0] as FleetProcess,
      this.options.partitions.map((_, i) => i),
    );
  }

  private startProcess(): void {
    const name = `process-${this.next++}`;
    const process: FleetProcess = { name, assign: () => {}, leaving: false, left: false, pausedUntil: 0, group: NONE };
    process.group = new PartitionGroup({
      join: async (onAssignment) => {
        process.assign = onAssignment;
        return { reportOffset: () => {}, commit: async () => {}, leave: async () => {} };
      },
      createWorker: ({ topic, partition }) => this.options.createWorker(name, { topic, partition }),
    });
    void process.group.start();
    this.processes.push(process);
  }

  /** Whoever is paused hears nothing of it and goes on with what it had, which is what makes it a zombie. */
  private rebalance(): void {
    const { random, scheduler, partitions } = this.options;
    this.counts.rebalances++;
    const members = this.processes.filter(({ leaving, pausedUntil }) => !leaving && pausedUntil <= scheduler.steps);
    if (members.length === 0) return;
    const shares = new Map<FleetProcess, number[]>(members.map((member) => [member, []]));
    for (const [index] of partitions.entries()) {
      const owner = random.pick(members);
      (shares.get(owner) as number[]).push(index);
      const other = random.pick(members);
      if (other === owner || this.options.rolling || random.float() >= 0.1) continue;
      this.counts.doubled++;
      (shares.get(other) as number[]).push(index);
    }
    for (const [member, share] of shares) this.assign(member, share);
  }

  private assign(process: FleetProcess, indexes: readonly number[]): void {
    process.assign(indexes.map((index) => this.options.partitions[index] as AssignedPartition));
  }

  private pause(process: FleetProcess, steps: number): void {
    this.counts.zombies++;
    this.options.scheduler.pause(process.name, steps);
    process.pausedUntil = this.options.scheduler.steps + steps;
  }

  private crash(process: FleetProcess): void {
    process.left = true;
    this.options.scheduler.crash(process.name);
  }
}

export interface FleetOptions {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly partitions: readonly AssignedPartition[];
  /** Processes only leave and come in order; nothing crashes, stops or is doubled. */
  readonly rolling?: boolean;
  createWorker(process: string, partition: AssignedPartition): Worker;
}

interface FleetProcess {
  readonly name: string;
  group: PartitionGroup;
  assign: (assigned: readonly AssignedPartition[]) => void;
  leaving: boolean;
  left: boolean;
  pausedUntil: number;
}

const NONE = undefined as unknown as PartitionGroup;
const PROCESSES_MAX = 4;
